"""Pixel sizes in the tags of TIFF files.

Sources for the meaning of each tag: RosettaSciIO (rsciio/tiff/_api.py, HyperSpy project) for FEI, Zeiss,
Olympus, ImageJ and the resolution tags; tifffile (C. Gohlke) for the layout of the FEI, Zeiss and Olympus
tags; Gwyddion (modules/file/tescan.c, D. Nečas) for Tescan; the OME data model (docs.openmicroscopy.org) for
PhysicalSizeX and its default unit; TIFF 6.0 (Adobe 1992) for resolutions.

tifffile's own ``get_resolution`` returns (1, 1) per inch where the tags are absent; here absence is detected.
"""

import re
import struct
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import pairwise

from tifffile import TiffFile, TiffPage

from grainseg.micrograph.scale.calibration_text import count_of, decode, ini_sections, um_per, value_of
from grainseg.micrograph.scale.evidence import Evidence
from grainseg.micrograph.scale.pixel_limits import MAX_PIXEL_UM
from grainseg.micrograph.scale.pixel_size import Claim, Rank

FEI_TAGS = (34682, 34680)  # FEI_HELIOS and FEI_SFEG
ZEISS_TAG = 34118  # CZ_SEM
TESCAN_TAG = 50431
OLYMPUS_TAG = 33560

_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_INCH, _CENTIMETRE = 2, 3

_MAX_BYTES = 1 << 20  # of a tag that are read: vendor texts have some 10 kB, a thumbnail may precede them
_TESCAN_LINE = re.compile(rb"(PixelSizeX|PixelSizeY|ImageStripSize)=([^\r\n\0]{1,64})")
_ZEISS_BASE_WIDTH = 1024
_LEAST_DPI = 25_400 / MAX_PIXEL_UM  # lower ones are prints at 72 or 300 dpi, not micrographs
_PRINT_DPI = (600, 720, 800, 1000, 1200, 1440, 1600, 1800, 2000, 2400, 2880, 3200, 3600, 4000, 4800)
"""Resolutions of printers and scanners, except 2540 and 5080 dpi: these are pixels of 10 and 5 µm."""


def read_tags(tiff: TiffFile, page: TiffPage, evidence: Evidence) -> None:
    """Read every tag of a page that may give its pixel size.

    Args:
        tiff: The open file.
        page: The page that holds the picture.
        evidence: Collects the results.
    """
    for code in FEI_TAGS:
        _ask_tag(evidence, f"FEI/Thermo tag {code}", page, code, _fei)
    _ask_tag(evidence, "Zeiss tag CZ_SEM", page, ZEISS_TAG, _zeiss)
    _ask_tag(evidence, f"Tescan tag {TESCAN_TAG}", page, TESCAN_TAG, _tescan)
    if OLYMPUS_TAG in page.tags:
        evidence.collect("Olympus SIS tag", lambda: _olympus(page))
    evidence.collect("OME-XML", lambda: _ome(tiff))
    evidence.collect("ImageJ", lambda: _imagej(tiff, page))
    evidence.collect("TIFF resolution", lambda: _resolution(tiff, page, evidence))


def data_bar_px(page_shape: tuple[int, int], width_px: int | None, height_px: int | None) -> int:
    """Return the height of the data bar below a micrograph, from the size that the microscope states.

    Args:
        page_shape: Height and width of the file's picture in px, with the data bar.
        width_px: Width that the microscope states; if it differs from that of the file, the picture was
            cropped or resized.
        height_px: Height that the microscope states, without the data bar.

    Returns:
        Number of rows; 0 where the stated size does not give it.
    """
    height, width = page_shape
    if width_px != width or height_px is None or not height / 2 <= height_px < height:
        return 0
    return height - height_px


def _ask_tag(
    evidence: Evidence,
    source: str,
    page: TiffPage,
    code: int,
    read: Callable[[str, bytes, TiffPage], Claim],
) -> None:
    if code in page.tags:
        evidence.collect(source, lambda: read(source, _raw(page, code), page))


def _raw(page: TiffPage, code: int) -> bytes:
    """Return the bytes of a tag, up to a limit; tifffile would parse them in its own way, without a limit."""
    tag = page.tags[code]
    handle = page.parent.filehandle
    handle.seek(tag.valueoffset)
    return bytes(handle.read(min(tag.valuebytecount, _MAX_BYTES)))


def _fei(source: str, raw: bytes, page: TiffPage) -> Claim:
    """FEI/Thermo: sections of ``key=value``; [Scan] PixelWidth and PixelHeight in m.

    Ion beam pictures may have [IRBeam] HFW and VFW, width and height of the field in m, instead. [Image]
    ResolutionX and ResolutionY are the size of the picture without the data bar below it.
    """
    sections = ini_sections(decode(raw))
    scan, beam, image = (sections.get(name, {}) for name in ("Scan", "IRBeam", "Image"))
    width_px, height_px = count_of(image.get("ResolutionX")), count_of(image.get("ResolutionY"))
    if "PixelWidth" not in scan and "HFW" in beam:
        column_m = value_of(beam, "HFW") / value_of(image, "ResolutionX")
        row_m = value_of(beam, "VFW") / value_of(image, "ResolutionY")
    else:
        column_m, row_m = value_of(scan, "PixelWidth"), value_of(scan, "PixelHeight")
    bar_px = data_bar_px((page.imagelength, page.imagewidth), width_px, height_px)
    return Claim(Rank.VENDOR, source, row_m * 1e6, column_m * 1e6, width_px, bar_px)


def _zeiss(source: str, raw: bytes, page: TiffPage) -> Claim:
    """Zeiss: lines of names, each followed by ``words = value unit``.

    AP_IMAGE_PIXEL_SIZE is the pixel size of the stored picture. AP_PIXEL_SIZE is the pixel size of the
    display, which differs by the factor stored width / 1024; it is never used. DP_IMAGE_STORE is the size of
    the stored picture, ``2048 * 1536``.

    Old versions write neither pixel size. The fourth of their unnamed first lines is the pixel size in m of a
    picture 1024 px wide, from which RosettaSciIO takes the scale.
    """
    lines = [line.strip() for line in decode(raw).splitlines()]
    named = {name.upper(): value.partition("=")[2].split() for name, value in pairwise(lines)}
    width_px = count_of(next(iter(named.get("DP_IMAGE_STORE", ())), None))
    value = named.get("AP_IMAGE_PIXEL_SIZE")
    if value is not None:
        if len(value) != 2:
            raise ValueError("no value with a unit after AP_IMAGE_PIXEL_SIZE")
        size_um = float(value[0]) * um_per(value[1])
        return Claim(Rank.VENDOR, f"{source} (AP_IMAGE_PIXEL_SIZE)", size_um, size_um, width_px)
    unnamed = lines[:4]
    if len(unnamed) < 4 or any(line.isupper() for line in unnamed):
        raise ValueError("no AP_IMAGE_PIXEL_SIZE in it")
    size_um = float(unnamed[3]) * 1e6 * _ZEISS_BASE_WIDTH / (width_px or page.imagewidth)
    return Claim(Rank.VENDOR, f"{source} (unnamed value)", size_um, size_um, width_px)


def _tescan(source: str, raw: bytes, page: TiffPage) -> Claim:
    """Tescan: binary blocks, one a thumbnail, one lines of text with PixelSizeX and PixelSizeY in m.

    ImageStripSize is the height of the data bar below the picture, in px.
    """
    lines = reversed(_TESCAN_LINE.findall(raw))  # reversed: of a key that occurs twice the first counts
    found = {key.decode(): value.decode("ascii") for key, value in lines}
    return tescan_claim(source, found, page.imagelength)


def tescan_claim(source: str, main: dict[str, str], height: int) -> Claim:
    """Read pixel size and data bar from Tescan's section MAIN.

    Args:
        source: Name of the tag or file.
        main: Entries of the section.
        height: Height of the file's picture in px.

    Raises:
        ValueError: The section has no pixel size, or it is not a number.
    """
    strip_px = count_of(main.get("ImageStripSize")) or 0
    row_m, column_m = value_of(main, "PixelSizeY"), value_of(main, "PixelSizeX")
    bar_px = strip_px if strip_px <= height / 2 else 0
    return Claim(Rank.VENDOR, source, row_m * 1e6, column_m * 1e6, data_bar_px=bar_px)


def _olympus(page: TiffPage) -> Claim | None:
    """Olympus: a header that ends in the number of entries; entry 1 points to exponent and mantissas in m.

    The header has 60 bytes, each entry 8: type, count, offset in the file. Little-endian (tifffile).
    """
    handle = page.parent.filehandle
    handle.seek(page.tags[OLYMPUS_TAG].valueoffset)
    magic, count = struct.unpack("<4s54xH", handle.read(60))
    if magic != b"SIS0":
        raise ValueError("it does not begin with SIS0")
    for kind, _, offset in struct.iter_unpack("<hhI", handle.read(8 * count)):
        if kind == 1:
            handle.seek(offset)
            exponent, across, down = struct.unpack("<10xhdd", handle.read(28))
            um = 1e6 * 10.0**exponent
            return Claim(Rank.VENDOR, "Olympus SIS tag", down * um, across * um)
    raise ValueError("no pixel size in it")


def _ome(tiff: TiffFile) -> Claim | None:
    """OME-XML: PhysicalSizeX and PhysicalSizeY of the element Pixels; their unit is µm where none is given.

    Both are optional in the OME schema (2016-06). Without PhysicalSizeX there is no claim; without
    PhysicalSizeY the pixels are taken as square.
    """
    text = tiff.ome_metadata
    if not text:
        return None
    if len(text) > _MAX_BYTES or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it is too long or declares entities")
    pixels = next((item for item in ET.fromstring(text).iter() if item.tag.endswith("Pixels")), None)
    if pixels is None or "PhysicalSizeX" not in pixels.attrib:
        return None
    entries = dict(pixels.attrib)
    column_um = value_of(entries, "PhysicalSizeX") * um_per(entries.get("PhysicalSizeXUnit", "µm"))
    row_um = column_um
    if "PhysicalSizeY" in entries:
        row_um = value_of(entries, "PhysicalSizeY") * um_per(entries.get("PhysicalSizeYUnit", "µm"))
    return Claim(Rank.OME, "OME-XML (PhysicalSizeX)", row_um, column_um, count_of(entries.get("SizeX")))


def _per_unit(page: TiffPage) -> tuple[float, float] | None:
    """Return the pixels per unit of length across and down; None where the tags are absent."""
    if _X_RESOLUTION not in page.tags or _Y_RESOLUTION not in page.tags:
        return None
    (x, x_unit), (y, y_unit) = (page.tags[code].value for code in (_X_RESOLUTION, _Y_RESOLUTION))
    return x / x_unit, y / y_unit


def _imagej_unit(tiff: TiffFile) -> str | None:
    unit = (tiff.imagej_metadata or {}).get("unit")
    return None if unit is None or str(unit).strip().lower() in ("", "pixel", "pixels") else str(unit)


def _imagej(tiff: TiffFile, page: TiffPage) -> Claim | None:
    """ImageJ: the unit in the description, pixels per unit in the resolution tags, ResolutionUnit none.

    The unit inch is no scale: ImageJ sets it when it opens a file with a print resolution.
    """
    unit, per_unit = _imagej_unit(tiff), _per_unit(page)
    if unit is None or per_unit is None or unit.lower() in ("inch", "in"):
        return None
    row_unit = str((tiff.imagej_metadata or {}).get("yunit", unit))
    across, down = per_unit
    return Claim(Rank.IMAGEJ, "ImageJ", um_per(row_unit) / down, um_per(unit) / across)


def _resolution(tiff: TiffFile, page: TiffPage, evidence: Evidence) -> Claim | None:
    """Baseline TIFF: pixels per inch are for a printer, pixels per centimetre may be a scale."""
    per_unit = _per_unit(page)
    if per_unit is None:
        return None
    across, down = per_unit
    unit = page.tags[_RESOLUTION_UNIT].value if _RESOLUTION_UNIT in page.tags else _INCH
    imagej = (_imagej_unit(tiff) or "").lower()
    if unit == _INCH or imagej in ("inch", "in"):
        evidence.add_print_resolution(across, down)
        return None
    if unit != _CENTIMETRE or imagej:
        return None
    dpi = 2.54 * across
    if dpi < _LEAST_DPI or any(abs(dpi - usual) < 1e-3 * usual for usual in _PRINT_DPI):
        evidence.add_print_resolution(dpi, 2.54 * down)
        return None
    return Claim(Rank.TIFF, "TIFF resolution in centimetres", 1e4 / down, 1e4 / across)
