"""Check that strips and tiles of TIFF files are whole, and not larger inside than the file states.

A codec that stores a size of its own (JPEG, JPEG 2000, PNG) decodes that many pixels, whatever the tags of
the file say. Without this check, some kilobytes could fill the memory.
"""

import math
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from tifffile import TiffPage

from grainseg.errors import GrainsegError

_Size = tuple[int, int]

_JPEG = (6, 7, 33007, 34892)
_JPEG_BLOCK = 16
"""Largest block of JPEG in px (8 or 16): some writers round the height of a strip up to whole blocks."""

# Decoders that stop at the size of the strip or tile. LZMA does not, but its decoder needs little memory.
_BOUNDED = {1, 2, 3, 4, 5, 8, 32773, 32946, 34925, 34926, 50000}


def check_segments(page: TiffPage, file_size: int, path: Path) -> None:
    """Refuse strips and tiles that are missing, cut off or larger than they should be.

    Tifffile would fill some missing ones with zeros.

    Args:
        page: Page of an open file.
        file_size: Size of the file in bytes.
        path: Path of the file, for the error message.

    Raises:
        GrainsegError: A strip or tile differs from what the page states, or this cannot be checked.
    """
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    complete = all(count > 0 and offset + count <= file_size for offset, count in segments)
    if not complete or len(segments) < math.prod(page.chunked):
        raise GrainsegError(f"{path}: is cut short, pixel data are missing; copy or export it again")
    if page.compression in _BOUNDED:
        return
    size_of = _SIZES.get(int(page.compression))
    if size_of is None:
        raise GrainsegError(
            f"{path}: its compression {page.compression!r} is not read; save it with LZW, Deflate or without"
        )
    limit = _segment_size(page)
    for offset, count in segments:
        page.parent.filehandle.seek(offset)
        size = size_of(page.parent.filehandle.read(count))
        if size is None or not _fits(size, limit, page.compression in _JPEG):
            told = "no size" if size is None else f"{size[1]} × {size[0]} px"
            raise GrainsegError(
                f"{path}: a piece of {limit[1]} × {limit[0]} px has {told} inside: damaged, export it again"
            )


def _fits(size: _Size, limit: _Size, jpeg: bool) -> bool:
    """Whether a strip or tile is no larger than it may be.

    If only its height is too large, tifffile leaves out the lowest rows. If its width differs as well,
    tifffile would cut it into rows of the wrong length.
    """
    (height, width), (highest, widest) = size, limit
    if jpeg and width == widest:
        highest = -(-highest // _JPEG_BLOCK) * _JPEG_BLOCK
    return 0 < height <= highest and 0 < width <= widest


def _segment_size(page: TiffPage) -> _Size:
    """Height and width in px of the strips or tiles of a page; the last strip may be lower."""
    if page.is_tiled:
        return page.tilelength, page.tilewidth
    return min(page.rowsperstrip, page.imagelength), page.imagewidth


def _jpeg_size(data: bytes) -> _Size | None:
    """Height and width in the frame header (ITU-T T.81, B.2.2), which other segments may precede."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:  # markers without a length
            at += 2
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return height, width
        elif marker in (0xD9, 0xDA):
            return None
        else:
            at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return None


def _jpeg2000_size(data: bytes) -> _Size | None:
    """Height and width in the SIZ marker (ITU-T T.800, A.5.1) of a codestream, bare or in a JP2 file."""
    if data[4:8] == b"jP  ":
        data = _codestream(data)
    if data[:4] != b"\xff\x4f\xff\x51" or len(data) < 42:
        return None
    right, lower, left, upper = struct.unpack_from(">4I", data, 8)
    channels = struct.unpack_from(">H", data, 40)[0]
    return (lower - upper, right - left) if channels <= 4 else None


def _codestream(data: bytes) -> bytes:
    """Content of the box ``jp2c`` of a JP2 file (ITU-T T.800, I.4); empty if there is none."""
    at = 0
    while at + 16 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 16 if length == 1 else 8
        if kind == b"jp2c":
            return data[at + head :]
        if length == 1:
            length = struct.unpack_from(">Q", data, at + 8)[0]
        if length < head:
            break
        at += length
    return b""


def _png_size(data: bytes) -> _Size | None:
    """Height and width in the chunk IHDR."""
    if data[12:16] != b"IHDR" or len(data) < 24:
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return height, width


_SIZES: Mapping[int, Callable[[bytes], _Size | None]] = {
    **dict.fromkeys(_JPEG, _jpeg_size),
    **dict.fromkeys((33003, 33004, 33005, 34712), _jpeg2000_size),
    34933: _png_size,
}
