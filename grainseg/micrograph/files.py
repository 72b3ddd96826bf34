"""Read micrographs and masks from files, and write results to files.

The first bytes of a file decide its format, not its extension. Pixels are taken as stored: EXIF and TIFF
orientation are not applied, as in ImageJ, so that an image and its mask cannot be turned differently.
"""

import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from grainseg.errors import GrainsegError
from grainseg.micrograph.crop import NO_CROP, Crop, CropSetting
from grainseg.micrograph.formats.decoding import Stored, read_stored
from grainseg.micrograph.formats.replacing import replacing
from grainseg.micrograph.image import FloatImage, Micrograph
from grainseg.micrograph.scale.calibration import Calibration, read_calibration
from grainseg.micrograph.scale.pixel_size import given_by_user

IMAGE_SUFFIXES: frozenset[str] = frozenset({".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp"})
"""Lower-case extensions that count as images in a folder."""


def software_tag(pixels: npt.NDArray[Any]) -> str:
    """Software tag of the files that this module writes: the package's name and a checksum of the pixels.

    Some programs that change a file keep its tag; then the checksum no longer matches the pixels.

    Args:
        pixels: Pixels as stored in the file.
    """
    return f"grainseg {zlib.crc32(np.ascontiguousarray(pixels).data):08x}"


def read_micrograph(
    path: Path,
    max_megapixels: float = 500.0,
    pixel_size_um: float | Sequence[float] | None = None,
    crop: CropSetting = None,
) -> Micrograph:
    """Read the picture of a PNG, JPEG, BMP or TIFF file with its full bit depth, and its pixel size.

    Args:
        path: File of a single image; its extension does not matter.
        max_megapixels: Largest accepted image in 10⁶ px, checked before any pixel is decoded.
        pixel_size_um: µm per pixel as set by the user, one number or (row, column); None reads the file and
            its side files, see ``read_calibration``.
        crop: What to cut; "auto" cuts the data bar if the microscope's metadata give its height.

    Returns:
        The micrograph, with pixels (H, W) or (H, W, 3) float32. Integers are divided by the full scale of
        their bit depth, so they lie in [0, 1]; floats keep their values. High values are white, palettes are
        applied, CMYK becomes RGB and alpha is dropped. Three identical channels stay three.

    Raises:
        GrainsegError: The file is not a single readable image, is too large, or has negative integers, NaN,
            infinity or values beyond float32; the pixel size is impossible; or the crop leaves nothing.
    """
    said = given_by_user(pixel_size_um)
    pixels = _display_pixels(read_stored(path, max_megapixels), path)
    calibration = read_calibration(path, (pixels.shape[0], pixels.shape[1]), said)
    chosen = _choose_crop(crop, calibration)
    notes, warnings = _of_crop(crop, chosen, calibration)
    return Micrograph(
        pixels=chosen.apply(pixels, path),
        pixel_size=calibration.pixel_size,
        notes=calibration.notes + notes,
        crop=chosen,
        warnings=calibration.warnings + warnings,
    )


def read_mask_values(path: Path, max_megapixels: float = 500.0) -> npt.NDArray[np.integer[Any]]:
    """Read the values that a mask file stores, as Fiji shows them under the cursor.

    A palette file gives its indices, a WhiteIsZero TIFF its values before inversion, a 1-bit file 0 and 255.

    Args:
        path: File of a single image; its extension does not matter.
        max_megapixels: Largest accepted image in 10⁶ px, checked before any pixel is decoded.

    Returns:
        (H, W) integers in the file's own type; int64 for float files.

    Raises:
        GrainsegError: The file is not a single readable image, is too large or coloured, or has values that
            are not whole numbers or are floats so large that neighbouring whole numbers coincide.
    """
    stored = read_stored(path, max_megapixels)
    values = stored.samples
    if values.ndim == 3:
        if stored.cmyk or (values != values[..., :1]).any():
            raise GrainsegError(f"{path}: is coloured; save the mask with one channel of label values")
        values = values[..., 0]
    if values.dtype.kind == "b":
        return np.where(values, np.uint8(255), np.uint8(0))
    if values.dtype.kind == "f":
        whole = np.isfinite(values).all() and (values == np.rint(values)).all()
        if not whole:
            raise GrainsegError(f"{path}: holds fractions; save the mask with integers")
        require_exact(values, str(path), "the mask")
        return values.astype(np.int64)
    return np.ascontiguousarray(values)


def require_exact(values: npt.NDArray[np.floating[Any]], source: str, what: str) -> None:
    """Refuse whole numbers that are saved as floats too large to be exact.

    Args:
        values: Floats.
        source: Where the values come from, for the error message.
        what: What the values are, for the error message.

    Raises:
        GrainsegError: The values are so large that neighbouring whole numbers coincide.
    """
    exact = 2 ** (np.finfo(values.dtype).nmant + 1)
    if np.abs(values).max() >= exact:
        raise GrainsegError(
            f"{source}: holds numbers from {exact} on, which {values.dtype} cannot tell apart; save {what} "
            "as integers"
        )


LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness, by ITU-R BT.601."""


def luminance(pixels: FloatImage) -> FloatImage:
    """Convert a colour picture to grey, as luma of ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B.

    Args:
        pixels: (H, W) or (H, W, 3) float32, any range.

    Returns:
        (H, W) float32 in the range of the input; grey input is returned as it is.
    """
    if pixels.ndim == 2:
        return pixels
    return pixels @ np.array(LUMA, dtype=np.float32)


def write_mask(path: Path, boundary: npt.NDArray[np.bool_]) -> None:
    """Write a mask, (H, W) bool, as 8-bit PNG: 255 where there is boundary, else 0.

    Like all writers here, it creates missing folders, and an interrupted write leaves no incomplete file.

    Raises:
        GrainsegError: The file cannot be written.
    """
    write_png(path, np.where(boundary, np.uint8(255), np.uint8(0)))


def write_png(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """Write a picture, (H, W) or (H, W, 3) uint8, as PNG.

    Raises:
        GrainsegError: The file cannot be written.
    """
    said = PngInfo()
    said.add_text("Software", software_tag(pixels))
    with replacing(path) as handle:
        Image.fromarray(pixels).save(handle, format="PNG", pnginfo=said)


def write_probability(path: Path, probability: FloatImage, pixel_size_um: tuple[float, float] | None) -> None:
    """Write a probability map as 32-bit TIFF that Fiji opens calibrated.

    It is compressed by Deflate without a predictor: ImageJ's own reader has no floating-point predictor.

    Args:
        path: File to write.
        probability: (H, W) float32 in [0, 1].
        pixel_size_um: µm per pixel as (row, column); None leaves the file uncalibrated.

    Raises:
        GrainsegError: The file cannot be written.
    """
    unit: dict[str, Any] = {"metadata": {"unit": "um"}} if pixel_size_um is not None else {}
    with replacing(path) as handle:
        tifffile.imwrite(
            handle,
            probability,
            imagej=True,
            compression="zlib",
            software=software_tag(probability),
            **_pixels_per_um(pixel_size_um),
            **unit,
        )


def write_grain_map(
    path: Path, grains: npt.NDArray[np.integer[Any]], pixel_size_um: tuple[float, float] | None
) -> None:
    """Write a label map as 32-bit TIFF that Fiji opens calibrated.

    Tifffile does not write ImageJ files of this type, so the few lines that ImageJ needs are set here.

    Args:
        path: File to write.
        grains: (H, W) grain ids from 0 to 2³² - 1.
        pixel_size_um: µm per pixel as (row, column); None leaves the file uncalibrated.

    Raises:
        GrainsegError: The file cannot be written.
    """
    unit: dict[str, Any] = {}
    if pixel_size_um is not None:
        unit = {"description": "ImageJ=1.54f\nunit=um\n", "resolutionunit": 1}
    ids = grains.astype(np.uint32, copy=False)
    with replacing(path) as handle:
        tifffile.imwrite(
            handle,
            ids,
            compression="zlib",
            metadata=None,
            software=software_tag(ids),
            **_pixels_per_um(pixel_size_um),
            **unit,
        )


def _pixels_per_um(pixel_size_um: tuple[float, float] | None) -> dict[str, Any]:
    if pixel_size_um is None:
        return {}
    row_um, column_um = pixel_size_um
    return {"resolution": (1 / column_um, 1 / row_um)}


def _choose_crop(setting: CropSetting, calibration: Calibration) -> Crop:
    if setting == "auto":
        return Crop(bottom=calibration.data_bar_px)
    return setting or NO_CROP


def _of_crop(
    setting: CropSetting, chosen: Crop, calibration: Calibration
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Notes and warnings about the crop of one picture."""
    bar_px, source = calibration.data_bar_px, calibration.data_bar_source
    if setting == "auto" and bar_px:
        return (f"the data bar was cropped: the last {bar_px} rows, by {source}",), ()
    if setting == "auto" and calibration.vendor:
        fix = f"{calibration.vendor} does not say how high; if there is one, cut it, as in crop=[0,60,0,0]"
        return (f"no data bar was looked for: {fix}",), ()
    notes = () if chosen == NO_CROP else (f"the picture was cropped by {chosen} px",)
    if bar_px > chosen.bottom:
        return notes, (f"the last {bar_px} rows are a data bar, by {source}; crop=auto leaves them out",)
    return notes, ()


def _display_pixels(stored: Stored, path: Path) -> FloatImage:
    if stored.palette is not None:
        return np.asarray(stored.palette[stored.samples])
    pixels = _unit_scaled(stored, path)
    if stored.white_is_zero:
        pixels = 1 - pixels
    if stored.cmyk:
        pixels = (1 - pixels[..., :3]) * (1 - pixels[..., 3:])
    return pixels


def _unit_scaled(stored: Stored, path: Path) -> FloatImage:
    samples = stored.samples
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):  # too large for float32 becomes infinite
            pixels = samples.astype(np.float32)
        if not np.isfinite(pixels).all():
            if np.isfinite(samples).all():
                largest = np.finfo(np.float32).max
                raise GrainsegError(f"{path}: holds pixels beyond ±{largest:.1e}; divide them before saving")
            raise GrainsegError(f"{path}: holds NaN or infinite pixels; replace them before saving")
        return pixels
    if samples.dtype.kind == "i" and samples.min() < 0:
        raise GrainsegError(f"{path}: holds negative integers; save it as unsigned integers or float")
    return np.asarray(np.divide(samples, float(stored.full_scale), dtype=np.float32))


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, 64 hexadecimal digits, which identifies a file that was moved."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
