"""Pixel sizes in files beside the picture: those of microscopes, and two that anyone can write.

Microscopes: Hitachi ``<stem>.txt`` with the section [SemImageFile] (Bio-Formats, HitachiReader.java, for the
section and the unit of PixelSize); JEOL ``<stem>.txt`` with lines ``$KEY value`` (public ImageJ macros and
readers agree on $$SM_MICRON_BAR, $$SM_MICRON_MARKER and $CM_FULL_SIZE); Tescan ``<stem>-tif.hdr``,
``<stem>-png.hdr`` … (Gwyddion, modules/file/tescan.c).

By hand: ``<stem>.json`` with ``{"pixel_size_um": 0.25}``, or [row, column] for pixels that are not square; or
one ``pixel_sizes.csv`` in the folder of the pictures, or up to two above it (there as A/field_1.png):

    image,pixel_size_um,pixel_size_row_um
    field_1.png,0.25,
    field_2.png,0.25,0.26

An image is named with or without its suffix. ``pixel_size_um`` is the distance of columns, and of rows too
where the third column is absent or empty. Semicolons or tabs may separate; then decimals may have a comma.
"""

import json
import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from grainseg.micrograph.calibration_tags import data_bar_px, tescan_claim
from grainseg.micrograph.calibration_text import count_of, decode, ini_sections, um_per, value_of
from grainseg.micrograph.evidence import Evidence
from grainseg.micrograph.names import plain_name
from grainseg.micrograph.pixel_size import Claim, Rank
from grainseg.micrograph.text_tables import parse_table

TABLE_NAME = "pixel_sizes.csv"

_FOLDERS_ABOVE = 2
_KEY = "pixel_size_um"
_ROW_KEY = "pixel_size_row_um"
_MAX_BYTES = 4 << 20
_HEAD_BYTES = 64 << 10  # the texts of microscopes have some kB; a longer one is something else
_MARKER = re.compile(r"([0-9.]+)\s*(\S+)")


def read_sidecars(path: Path, shape: tuple[int, int], evidence: Evidence) -> None:
    """Ask every file beside a picture that may say its pixel size.

    Args:
        path: File of the picture.
        shape: Its height and width in px.
        evidence: Where the answers go.
    """
    name = f"{path.stem}-{path.suffix[1:]}"
    for side in _existing(path, (f"{name}.hdr", f"{name.upper()}.HDR")):
        evidence.ask(f"Tescan file {side.name}", partial(_tescan, side, shape))
    for side in _existing(path, (f"{path.stem}.txt", f"{path.stem}.TXT")):
        evidence.ask(side.name, partial(_microscope_text, side, shape))
    for side in _existing(path, (f"{path.stem}.json",)):
        evidence.ask(side.name, partial(_json, side))
    path = path.absolute()
    for folder in path.parents[: 1 + _FOLDERS_ABOVE]:
        for side in _existing(folder / path.name, (TABLE_NAME,)):
            name = side.name if folder == path.parent else str(side)
            evidence.ask(name, partial(_table, name, side, path, evidence))


def _existing(path: Path, names: Iterable[str]) -> list[Path]:
    """The first of these names that is a file beside ``path`` and not itself."""
    found = (path.with_name(name) for name in names if name != path.name)
    return [side for side in found if _is_file(side)][:1]


def _is_file(side: Path) -> bool:
    try:
        return side.is_file()
    except OSError:  # a name that is longer than the file system allows
        return False


def _head(side: Path) -> str:
    with side.open("rb") as handle:
        return decode(handle.read(_HEAD_BYTES))


def _whole(side: Path) -> str:
    with side.open("rb") as handle:
        raw = handle.read(_MAX_BYTES + 1)
    if len(raw) > _MAX_BYTES:
        raise ValueError(f"it is larger than {_MAX_BYTES >> 20} MiB")
    return decode(raw)


def _tescan(side: Path, shape: tuple[int, int]) -> Claim:
    """Tescan: section MAIN as in the tag."""
    return tescan_claim(f"Tescan file {side.name}", ini_sections(_head(side)).get("MAIN", {}), shape[0])


def _microscope_text(side: Path, shape: tuple[int, int]) -> Claim | None:
    """A text beside the picture, which may also be anything else, the labels of an object detector say."""
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


def _json(side: Path) -> Claim | None:
    text = _whole(side)
    if _KEY not in text:  # annotation tools use the same name
        return None
    content = json.loads(text)
    value = content.get(_KEY) if isinstance(content, dict) else None
    if value is None:
        return None
    sizes = value if isinstance(value, list) else [value]
    if len(sizes) not in (1, 2) or not all(type(size) in (int, float) for size in sizes):
        raise ValueError(f"{_KEY} is neither a number nor [row, column]")
    return Claim(Rank.SIDECAR, side.name, float(sizes[0]), float(sizes[-1]))


def _table(source: str, side: Path, path: Path, evidence: Evidence) -> Claim | None:
    """The row of a picture; its full name goes before its stem."""
    table = parse_table(_whole(side))
    if "image" not in table.columns or _KEY not in table.columns:
        raise ValueError(f"it needs the columns image and {_KEY}")
    relative = path.relative_to(side.parent)
    for name in (plain_name(relative.as_posix()), plain_name(relative.with_suffix("").as_posix())):
        found = [row for _, row in table.rows if plain_name(row["image"]).replace("\\", "/") == name]
        if len(found) > 1:
            raise ValueError(f"it names {name} twice")
        if found and found[0][_KEY]:
            across = _decimal(found[0][_KEY], table.delimiter)
            down = _decimal(found[0].get(_ROW_KEY) or found[0][_KEY], table.delimiter)
            return Claim(Rank.SIDECAR, source, down, across)
    if side.parent == path.parent:
        evidence.hints.append(f"{side.name} says no pixel size of {path.name}")
    return None


def _decimal(text: str, delimiter: str) -> float:
    return float(text if delimiter == "," else text.replace(",", "."))
