"""Pixel size and data bar of an image file, from the user, its tags and its side files."""

from dataclasses import dataclass
from pathlib import Path

from grainseg.micrograph.formats.decoding import PILLOW_READERS, TIFF_SIGNATURES, full_size_pages, open_tiff
from grainseg.micrograph.image import PixelSize
from grainseg.micrograph.scale.calibration_sidecars import read_sidecars
from grainseg.micrograph.scale.calibration_tags import read_tags
from grainseg.micrograph.scale.evidence import Evidence
from grainseg.micrograph.scale.pixel_size import Claim, Rank, choose_pixel_size


@dataclass(frozen=True)
class Calibration:
    """Scale and data bar of a picture, with notes and warnings about them.

    Attributes:
        pixel_size: The scale of the picture; None where no source gives it.
        notes: Information on the scale for a reader of the results, one line each, in plain words.
        warnings: What makes the scale doubtful, one line each: sources that disagree, give an impossible
            value or cannot be read.
        data_bar_px: Rows at the bottom that are a data bar according to a microscope's tag or file; 0 where
            none reports one.
        data_bar_source: The tag or file that reports the data bar; empty where none does.
        vendor: A microscope's tag or file that reports no data bar; empty where there is none, or where
            another reports one.
    """

    pixel_size: PixelSize | None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    data_bar_px: int = 0
    data_bar_source: str = ""
    vendor: str = ""


def read_calibration(path: Path, shape: tuple[int, int], said: PixelSize | None = None) -> Calibration:
    """Find the pixel size of an image or of a mask. No pixel is decoded.

    The sources, the most trusted first: the user; the tag or side file of a microscope (FEI/Thermo, Zeiss,
    Tescan, Olympus, Hitachi, JEOL); OME-XML; ImageJ; ``<stem>.json``, then ``pixel_sizes.csv``; the TIFF
    resolution, if it is per centimetre. A resolution in dots per inch is for a printer and never a scale.

    Args:
        path: File of the picture.
        shape: Its height and width in px, before any crop.
        said: Pixel size set by the user, as ``given_by_user`` returns it.

    Returns:
        Scale, notes, warnings and data bar.

    Raises:
        GrainsegError: ``<stem>.json`` or ``pixel_sizes.csv`` cannot be understood, and neither the user nor
            a more trusted source gives the pixel size. No other content of a file raises an error.
    """
    evidence = Evidence()
    evidence.collect("the file's metadata", lambda: _read_file(path, evidence))
    read_sidecars(path, shape, evidence, said is not None)
    pixel_size, doubts = choose_pixel_size(said, evidence.claims, shape[1])
    notes = tuple(evidence.hints) if pixel_size is None else ()
    warnings = (*evidence.warnings, *doubts)
    bar = next((claim for claim in evidence.claims if claim.data_bar_px), None)
    if bar is not None:
        return Calibration(pixel_size, notes, warnings, bar.data_bar_px, bar.source)
    vendor = next((claim.source for claim in evidence.claims if claim.rank == Rank.VENDOR), "")
    return Calibration(pixel_size, notes, warnings, vendor=vendor)


def _read_file(path: Path, evidence: Evidence) -> Claim | None:
    """Read the metadata of the image file itself."""
    with path.open("rb") as handle:
        head = handle.read(8)
    if head.startswith(TIFF_SIGNATURES):
        with open_tiff(path) as tiff:
            read_tags(tiff, full_size_pages(tiff, path)[0], evidence)
        return None
    for signature, reader in PILLOW_READERS.items():
        if head.startswith(signature):
            with reader(path) as picture:
                across, down = picture.info.get("dpi", (0, 0))
            evidence.add_print_resolution(float(across), float(down))
    return None
