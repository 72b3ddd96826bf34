"""Pixel sizes in files beside the picture: files of microscopes, and two that a person can write by hand.

Microscopes: Hitachi ``<stem>.txt`` with the section [SemImageFile] (Bio-Formats, HitachiReader.java, for the
section and the unit of PixelSize); JEOL ``<stem>.txt`` with lines ``$KEY value`` (public ImageJ macros and
readers agree on $$SM_MICRON_BAR, $$SM_MICRON_MARKER and $CM_FULL_SIZE); Tescan ``<stem>-tif.hdr``,
``<stem>-png.hdr`` … (Gwyddion, modules/file/tescan.c).

The files written by hand are read by `calibration_by_hand`.
"""

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from grainseg.micrograph.names import is_file
from grainseg.micrograph.scale.calibration_by_hand import TABLE_NAME, json_claim, table_claim
from grainseg.micrograph.scale.calibration_tags import data_bar_px, tescan_claim
from grainseg.micrograph.scale.calibration_text import count_of, decode, ini_sections, um_per, value_of
from grainseg.micrograph.scale.evidence import Evidence
from grainseg.micrograph.scale.pixel_size import Claim, Rank, is_possible

_FOLDERS_ABOVE = 2
_HEAD_BYTES = 64 << 10  # the text files of microscopes have some kB; longer ones are something else
_MARKER = re.compile(r"([0-9.]+)\s*(\S+)")


def read_sidecars(path: Path, shape: tuple[int, int], evidence: Evidence, known: bool) -> None:
    """Read every file beside a picture that may give its pixel size.

    Args:
        path: File of the picture.
        shape: Its height and width in px.
        evidence: Collects the results.
        known: Whether the user sets the pixel size.

    Raises:
        GrainsegError: A file whose only purpose is to give pixel sizes cannot be understood, see
            `Evidence.require`. It is only a warning where the user or a source that is read before that file
            gives the pixel size.
    """
    name = f"{path.stem}-{path.suffix[1:]}"
    for side in _existing(path, (f"{name}.hdr", f"{name.upper()}.HDR")):
        evidence.collect(f"Tescan file {side.name}", partial(_tescan, side, shape))
    for side in _existing(path, (f"{path.stem}.txt", f"{path.stem}.TXT")):
        evidence.collect(side.name, partial(_microscope_text, side, shape))
    for side in _existing(path, (f"{path.stem}.json",)):
        _by_hand(side.name, side, path, partial(json_claim, side, evidence), evidence, known)
    path = path.absolute()
    for folder in path.parents[: 1 + _FOLDERS_ABOVE]:
        for side in _existing(folder / path.name, (TABLE_NAME,)):
            name = side.name if folder == path.parent else str(side)
            read = partial(table_claim, name, side, path, evidence)
            _by_hand(name, side, path, read, evidence, known)


def _by_hand(
    name: str, side: Path, path: Path, read: Callable[[], Claim | None], evidence: Evidence, known: bool
) -> None:
    before = (claim for claim in evidence.claims if claim.rank <= Rank.SIDECAR)
    if known or any(is_possible(claim.row_um) and is_possible(claim.column_um) for claim in before):
        evidence.collect(name, read)
    else:
        evidence.require(side, path, read)


def _existing(path: Path, names: Iterable[str]) -> list[Path]:
    """List the first of these names that is a file beside ``path``, other than ``path`` itself."""
    found = (path.with_name(name) for name in names if name != path.name)
    return [side for side in found if is_file(side)][:1]


def _head(side: Path) -> str:
    with side.open("rb") as handle:
        return decode(handle.read(_HEAD_BYTES))


def _tescan(side: Path, shape: tuple[int, int]) -> Claim:
    """Tescan: section MAIN, with the same entries as the tag."""
    return tescan_claim(f"Tescan file {side.name}", ini_sections(_head(side)).get("MAIN", {}), shape[0])


def _microscope_text(side: Path, shape: tuple[int, int]) -> Claim | None:
    """Hitachi or JEOL text file; None for other texts of that name, such as labels of an object detector."""
    text = _head(side)
    image = ini_sections(text).get("SemImageFile")
    if image is not None:
        return _hitachi(side, image)
    return _jeol(side, text, shape) if "$$SM_MICRON_BAR" in text else None


def _hitachi(side: Path, image: dict[str, str]) -> Claim:
    """Hitachi: PixelSize in nm, DataSize as ``1280x960``."""
    size_um = value_of(image, "PixelSize") * 1e-3
    width_px = count_of(image.get("DataSize", "").lower().partition("x")[0])
    return Claim(Rank.VENDOR, f"Hitachi file {side.name}", size_um, size_um, width_px)


def _jeol(side: Path, text: str, shape: tuple[int, int]) -> Claim:
    """JEOL: length of the drawn bar in px and as ``5um``; $CM_FULL_SIZE is the size without the data bar."""
    entries = {key: value for key, _, value in (line.strip().partition(" ") for line in text.splitlines())}
    marker = _MARKER.fullmatch(entries.get("$$SM_MICRON_MARKER", "").strip())
    if marker is None:
        raise ValueError("no length with a unit after $$SM_MICRON_MARKER")
    size_um = float(marker[1]) * um_per(marker[2]) / value_of(entries, "$$SM_MICRON_BAR")
    width_px, height_px = ([count_of(n) for n in entries.get("$CM_FULL_SIZE", "").split()] + [None, None])[:2]
    bar_px = data_bar_px(shape, width_px, height_px)
    return Claim(Rank.VENDOR, f"JEOL file {side.name}", size_um, size_um, width_px, bar_px)
