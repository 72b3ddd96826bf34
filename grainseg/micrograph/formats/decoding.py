"""Read the samples of PNG, JPEG, BMP and TIFF files as they are stored, before any conversion.

The first bytes of a file decide its format, not its extension. Pixels are taken as stored: EXIF and TIFF
orientation are not applied, as in ImageJ, so that an image and its mask cannot be turned differently.
"""

import itertools
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC, TiffFile, TiffPage

from grainseg.errors import GrainsegError
from grainseg.micrograph.formats.segments import check_segments
from grainseg.micrograph.image import FloatImage

TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # classic and BigTIFF, both byte orders

# Image.open would apply the process-wide pixel limit of Pillow instead of max_megapixels.
PILLOW_READERS: dict[bytes, type[ImageFile]] = {
    b"\x89PNG\r\n\x1a\n": PngImageFile,
    b"\xff\xd8\xff": JpegImageFile,
    b"BM": BmpImageFile,
}
_PILLOW_MODES = ("1", "L", "LA", "I;16", "P", "RGB", "RGBA", "CMYK")
_TIFF_MODELS: dict[int, str] = {
    PHOTOMETRIC.MINISWHITE: "white is zero",
    PHOTOMETRIC.MINISBLACK: "grey",
    PHOTOMETRIC.RGB: "rgb",
    PHOTOMETRIC.PALETTE: "palette",
    PHOTOMETRIC.SEPARATED: "cmyk",
}

_MAX_PAGES = 64
"""Most pages to read: a picture may have a thumbnail or pyramid levels, a damaged file endless pages."""

_CHANNELS = {"rgb": 3, "cmyk": 4}
_ALPHA = (EXTRASAMPLE.ASSOCALPHA, EXTRASAMPLE.UNASSALPHA)

_DECODER_ERRORS = (OSError, SyntaxError, ValueError, RuntimeError)  # codecs raise RuntimeErrors
_TAG_ERRORS = (TypeError, LookupError, ArithmeticError, MemoryError, struct.error)  # nonsense in TIFF tags


@dataclass(frozen=True)
class Stored:
    """The samples of a file before any conversion.

    Attributes:
        samples: (H, W), (H, W, 3) or, for CMYK, (H, W, 4); any numeric dtype.
        full_scale: Value of white in an integer file.
        cmyk: Whether the channels are inks.
        white_is_zero: Whether 0 is white, in a grey file.
        palette: (N, 3) float32 colours in [0, 1] if the samples are indices, else None.
    """

    samples: npt.NDArray[Any]
    full_scale: int
    cmyk: bool = False
    white_is_zero: bool = False
    palette: FloatImage | None = None


def read_stored(path: Path, max_megapixels: float) -> Stored:
    """Read the samples of a file with a single image.

    Args:
        path: The file; its extension does not matter.
        max_megapixels: Largest accepted image in 10⁶ px, checked before any pixel is decoded.

    Raises:
        GrainsegError: The file is not a single readable image, or is too large.
    """
    with _naming(path, _DECODER_ERRORS):
        if not path.is_file():
            what = "is a link to nothing" if path.is_symlink() and not path.exists() else "is not a file"
            raise GrainsegError(f"{path}: {what}; check the path")
        with path.open("rb") as handle:
            head = handle.read(26)  # signature, and the header of a PNG
    if not head:
        raise GrainsegError(f"{path}: is empty (0 bytes); copy or export it again")
    if head.startswith(TIFF_SIGNATURES):
        return _read_tiff(path, max_megapixels)
    for signature, reader in PILLOW_READERS.items():
        if head.startswith(signature):
            return _read_pillow(path, reader, head, max_megapixels)
    raise GrainsegError(f"{path}: is no PNG, TIFF, JPEG or BMP image; export it as one of these")


@contextmanager
def _naming(path: Path, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """Turn the errors of a decoder into one that names the file and a fix."""
    try:
        yield
    except errors as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise GrainsegError(
            f"{path}: cannot be read ({reason}); if it is damaged or cut short, export it again"
        ) from error


def software_of(path: Path) -> str:
    """Name of the program that wrote a PNG or TIFF file, read from its metadata without decoding pixels.

    Args:
        path: The file; if it cannot be read or names no program, the result is empty.
    """
    try:
        with path.open("rb") as handle:
            head = handle.read(8)
        if head.startswith(TIFF_SIGNATURES):
            with open_tiff(path) as tiff:
                return str(tiff.pages.first.software)
        with PngImageFile(path) as picture:
            return str(picture.info.get("Software", ""))
    except _DECODER_ERRORS + _TAG_ERRORS:
        return ""


def _check_header(path: Path, height: int, width: int, pages: int, max_megapixels: float) -> None:
    if height * width == 0:
        raise GrainsegError(f"{path}: has no pixels ({width} × {height}); export it again")
    megapixels = height * width / 1e6
    if megapixels > max_megapixels:
        raise GrainsegError(
            f"{path}: {width} × {height} px are {megapixels:.4g} megapixels, more than "
            f"data.max_megapixels={max_megapixels:g}; raise it if this is right"
        )
    if pages > 1:
        raise GrainsegError(f"{path}: holds {pages} pages; save the one to be used as a file of its own")


def _read_pillow(path: Path, reader: type[ImageFile], head: bytes, max_megapixels: float) -> Stored:
    with _naming(path, _DECODER_ERRORS):
        picture = reader(path)
    with picture:
        _check_header(path, picture.height, picture.width, getattr(picture, "n_frames", 1), max_megapixels)
        mode = picture.mode
        if mode not in _PILLOW_MODES:
            raise GrainsegError(f"{path}: pixels of mode {mode} are not read; save it as grey or RGB")
        with _naming(path, _DECODER_ERRORS):
            picture.load()
        samples = np.asarray(picture)
        if reader is PngImageFile and head[24] == 16 and head[25] != 0:
            with _naming(path, _DECODER_ERRORS):  # Pillow keeps the upper 8 bits of 16-bit colour (IHDR)
                samples = imagecodecs.png_decode(path.read_bytes())
        entries = picture.getpalette("RGB") if mode == "P" else None
    full_scale = 1 if samples.dtype.kind == "b" else int(np.iinfo(samples.dtype).max)
    if entries is not None:
        palette = np.zeros((256, 3), dtype=np.float32)  # files may hold fewer entries than indices
        palette.flat[: len(entries)] = np.array(entries) / 255
        return Stored(samples, full_scale, palette=palette)
    if mode == "CMYK":
        return Stored(samples, full_scale, cmyk=True)
    return Stored(_without_alpha(samples), full_scale)


def open_tiff(path: Path) -> TiffFile:
    """Open a TIFF file and read its first page only; of LSM, NDPI and ScanImage tifffile would read all."""
    return TiffFile(path, is_lsm=False, is_ndpi=False, is_scanimage=False)


def full_size_pages(tiff: TiffFile, path: Path) -> list[TiffPage]:
    """Find the pages of a TIFF file that are pictures of their own, in the file's order.

    Args:
        tiff: File opened by `open_tiff`.
        path: Path of the file, for the error message.

    Raises:
        GrainsegError: The file has too many pages for one picture.
    """
    pages = [page for page in itertools.islice(tiff.pages, _MAX_PAGES + 1) if isinstance(page, TiffPage)]
    if len(pages) > _MAX_PAGES:
        raise GrainsegError(
            f"{path}: holds more than {_MAX_PAGES} pages; save the one to be used as a file of its own"
        )
    # NewSubfileType: bit 0 marks thumbnails and pyramid levels, bit 2 transparency masks.
    return [page for page in pages if not page.subfiletype & 0b101] or pages


def _read_tiff(path: Path, max_megapixels: float) -> Stored:
    # tifffile parses tags as they are used, so a damaged one can raise at any line of this block.
    with _naming(path, _DECODER_ERRORS + _TAG_ERRORS), open_tiff(path) as tiff:
        pages = full_size_pages(tiff, path)
        if not pages:
            raise GrainsegError(f"{path}: holds no image, perhaps cut short; copy or export it again")
        page = pages[0]
        # ImageJ writes stacks over 4 GB with one page entry and their length in the metadata.
        count = max(len(pages), (tiff.imagej_metadata or {}).get("images", 1))
        _check_header(path, page.imagelength, page.imagewidth, count, max_megapixels)
        model = _tiff_model(page, path)
        check_segments(page, tiff.filehandle.size, path)
        samples = page.asarray()
        # Packed 12-bit data arrive as uint16, hence the file's own bit depth.
        full_scale = 2 ** (page.bitspersample - (samples.dtype.kind == "i")) - 1
        if page.axes == "SYX":
            samples = np.moveaxis(samples, 0, -1)
        if model == "palette" and page.colormap is not None:
            samples = samples.view(np.uint8) if samples.dtype.kind == "b" else samples
            # Writers scale 8-bit colours by 256 or by 257; the upper byte is the colour in either case.
            return Stored(samples, full_scale, palette=np.asarray((page.colormap.T >> 8) / 255, np.float32))
        if model == "cmyk":
            return Stored(samples[..., :4], full_scale, cmyk=True)
        return Stored(_without_alpha(samples), full_scale, white_is_zero=model == "white is zero")


def _tiff_model(page: TiffPage, path: Path) -> str:
    """Find the colour model of a page, and refuse a page that cannot be read as grey or RGB."""
    kind = page.dtype.kind if page.dtype else "none"
    if kind not in ("b", "u", "i", "f") or not isinstance(page.bitspersample, int):
        raise GrainsegError(f"{path}: pixels of type {page.dtype} are not read; save it with 8 or 16 bits")
    photometric = page.tags.valueof(262, PHOTOMETRIC.MINISBLACK)  # PhotometricInterpretation
    if photometric == PHOTOMETRIC.YCBCR and page.compression == COMPRESSION.JPEG:
        return "rgb"  # tifffile converts YCbCr in JPEG data only
    model = _TIFF_MODELS.get(photometric, "unknown")
    channels = range(4, 6) if model == "cmyk" else range(1, 5)
    # Signed and float pixels have no full scale to invert and cannot index a palette.
    countable = kind in "bu" or model not in ("white is zero", "palette")
    usual = page.samplesperpixel in channels and page.axes in ("YX", "YXS", "SYX")
    if model == "unknown" or not countable or not usual:
        raise GrainsegError(
            f"{path}: {photometric!r} of type {page.dtype} with {page.samplesperpixel} channels and axes "
            f"{page.axes} is not read; save it as grey or RGB"
        )
    _check_channels(page, model, path)
    return model


def _check_channels(page: TiffPage, model: str, path: Path) -> None:
    """Refuse channels beyond those of the colour model, unless the file declares them as transparency.

    They may come from a second detector, and it is unknown which of them is meant.
    """
    further = page.samplesperpixel - _CHANNELS.get(model, 1)
    said = tuple(page.extrasamples)
    # Some writers omit the tag of the fourth channel of RGB or leave it unspecified: it is no other picture.
    known = (*_ALPHA, EXTRASAMPLE.UNSPECIFIED) if model == "rgb" else _ALPHA
    transparent = all(kind in known for kind in said) and (len(said) == further or model in _CHANNELS)
    if further > 0 and not transparent:
        raise GrainsegError(
            f"{path}: holds {page.samplesperpixel} channels and does not say what they are; save "
            "the one to be used as grey, or a picture made of them as RGB"
        )


def _without_alpha(samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Drop alpha: (H, W, 1 or 2) becomes (H, W), and (H, W, 3 or 4) becomes (H, W, 3)."""
    if samples.ndim == 3:
        return samples[..., :3] if samples.shape[2] > 2 else samples[..., 0]
    return samples
