"""The micrograph as the rest of the package uses it, and the codes of a label in memory."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grainseg.micrograph.crop import NO_CROP, Crop

GRAIN = 0
BOUNDARY = 1
IGNORE = 255
"""GRAIN, BOUNDARY and IGNORE: codes of a label in memory, (H, W) uint8; losses and metrics skip IGNORE."""

FloatImage = npt.NDArray[np.float32]
Label = npt.NDArray[np.uint8]
BoolMask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PixelSize:
    """The pixel size of a picture; on a tilted specimen, pixels are not square.

    Attributes:
        row_um: µm per pixel from row to row (y).
        column_um: µm per pixel from column to column (x).
        source: Origin of the size, in words: "given by the user", "Zeiss tag CZ_SEM (AP_IMAGE_PIXEL_SIZE)", …
    """

    row_um: float
    column_um: float
    source: str


@dataclass(frozen=True)
class Micrograph:
    """One picture with its pixel size, its crop, notes and warnings.

    Attributes:
        pixels: (H, W) grey or (H, W, 3) RGB float32, finite. Integer files are divided by the full scale of
            their bit depth, so they lie in [0, 1]; float files keep their values.
        pixel_size: Its scale; None if unknown.
        notes: Facts on scale and crop for a reader of the results, one line each: a print resolution that was
            not taken for a scale, a data bar that was cut.
        crop: What was cut from the file's picture to get ``pixels``; its masks need the same crop.
        warnings: Reasons to doubt the results, one line each: sources of the scale that disagree, a data bar
            that was not cut.
    """

    pixels: FloatImage
    pixel_size: PixelSize | None = None
    notes: tuple[str, ...] = ()
    crop: Crop = NO_CROP
    warnings: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in px."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def pixel_size_um(self) -> tuple[float, float] | None:
        """µm per pixel as (row, column); None where the scale is unknown."""
        if self.pixel_size is None:
            return None
        return self.pixel_size.row_um, self.pixel_size.column_um
