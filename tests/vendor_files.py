"""Small pictures with the tags and side files that microscopes write."""

import struct
from pathlib import Path

import numpy as np
import tifffile

HEIGHT, WIDTH = 24, 32
PICTURE = np.random.default_rng(5).integers(0, 256, (HEIGHT, WIDTH)).astype(np.uint8)

BYTE = 1


def tagged_tiff(path: Path, *tags: tuple[int, str | bytes], picture=PICTURE, **options) -> Path:
    """A TIFF with extra tags of bytes; text becomes Latin-1."""
    raw = [(code, value.encode("latin-1") if isinstance(value, str) else value) for code, value in tags]
    extra = [(code, BYTE, len(value), value, True) for code, value in raw]
    tifffile.imwrite(path, picture, extratags=extra, metadata=options.pop("metadata", None), **options)
    return path


def fei(width="2.5e-007", height="2.5e-007", columns=WIDTH, rows=HEIGHT) -> str:
    return (
        "[User]\r\nDate=01/02/2024\r\n[System]\r\nSystemType=Helios\r\n[Beam]\r\nHV=5000\r\n"
        f"[Scan]\r\nPixelWidth={width}\r\nPixelHeight={height}\r\nDwelltime=3e-006\r\n"
        f"[Image]\r\nResolutionX={columns}\r\nResolutionY={rows}\r\n\0"
    )


def fei_ion_beam(hfw="8e-006", vfw="9e-006") -> str:
    sizes = (
        f"[IRBeam]\r\nHFW={hfw}\r\nVFW={vfw}\r\n[Image]\r\nResolutionX={WIDTH}\r\nResolutionY={HEIGHT}\r\n"
    )
    return f"[Scan]\r\nDwelltime=3e-006\r\n{sizes}"


def zeiss(value: str | None = "250 nm", width=WIDTH, unnamed="2.5e-007") -> str:
    """With the display's pixel size as a trap."""
    lines = ["0", "0", "0", unnamed, "15000", "AP_PIXEL_SIZE", "Pixel Size = 125.0 nm"]
    lines += ["DP_IMAGE_STORE", f"Store resolution = {width} * {HEIGHT}"] if width else []
    lines += ["AP_IMAGE_PIXEL_SIZE", f"Image Pixel Size = {value}"] if value else []
    return "\r\n".join([*lines, "AP_MAG", "Mag = 1.00 K X", "AP_DATE", "Date :1 Jan 2024"]) + "\r\n\0"


def tescan(x="2.5e-007", y="2.5e-007", strip=0) -> str:
    return (
        f"[MAIN]\r\nAccFrames=1\r\nImageStripSize={strip}\r\nMagnification=1000\r\n"
        f"PixelSizeX={x}\r\nPixelSizeY={y}\r\n[SEM]\r\nHV=20000\r\n"
    )


def tescan_blocks(text: str) -> bytes:
    """The tag: blocks of size, type and content, a thumbnail first; MAIN without its heading."""
    thumbnail = b"\xff\xd8" + bytes(range(256)) + b"\xff\xd9"
    main = text.partition("\r\n")[2].encode()
    blocks = [(1, thumbnail), (2, main), (0, b"")]
    return b"".join(struct.pack("<IH", len(data) + 2, kind) + data for kind, data in blocks)


def hitachi(nm="250.0", width=WIDTH) -> str:
    return (
        "[SemImageFile]\r\nInstructName=SU8230\r\nSampleName=steel\r\nImageName=a.tif\r\n"
        f"DataSize={width}x{HEIGHT}\r\nPixelSize={nm}\r\nMagnification=1000\r\n"
    )


def jeol(bar="40", marker="10um", columns=WIDTH, rows=HEIGHT) -> str:
    return (
        f"$CM_FORMAT JEOL/SEM\r\n$CM_INSTRUMENT JSM-7800F\r\n$CM_FULL_SIZE {columns} {rows}\r\n"
        f"$$SM_MICRON_BAR {bar}\r\n$$SM_MICRON_MARKER {marker}\r\n$$SM_WD 10.0\r\n"
    )


def olympus_tiff(path: Path, across: float, down: float, exponent: int) -> Path:
    """Header, one entry and, at the offset that it gives in the file, exponent and mantissas."""
    header = struct.pack("<4s54xH", b"SIS0", 2)
    body = struct.pack("<10xhdd84x", exponent, across, down)
    tagged_tiff(path, (33560, header + bytes(16) + body))
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages[0].tags[33560].valueoffset
    entries = struct.pack("<hhI", 10, 1, 0) + struct.pack("<hhI", 1, 1, offset + len(header) + 16)
    with path.open("r+b") as handle:
        handle.seek(offset)
        handle.write(header + entries + body)
    return path
