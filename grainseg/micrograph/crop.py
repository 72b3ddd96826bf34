"""Rows and columns of a picture that are left out, such as the data bar of an electron microscope."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

from grainseg.errors import GrainsegError

_Value = TypeVar("_Value", bound=np.generic)


@dataclass(frozen=True)
class Crop:
    """Numbers of pixels to cut from each side.

    Attributes:
        top: Rows, 0 or more.
        bottom: Rows, 0 or more.
        left: Columns, 0 or more.
        right: Columns, 0 or more.

    Raises:
        GrainsegError: A number is negative or not whole.
    """

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise GrainsegError(
                    f"crop: {field.name}={value} must be a whole number of px, 0 or more "
                    "(crop takes top, bottom, left, right)"
                )

    def apply(self, pixels: npt.NDArray[_Value], path: Path) -> npt.NDArray[_Value]:
        """Cut a picture, its mask or any other map of the same field.

        Args:
            pixels: (H, W) or (H, W, C), any dtype.
            path: File that the pixels were read from, for the error message.

        Returns:
            (H - top - bottom, W - left - right, …), a copy in C order; where nothing is cut, the input.

        Raises:
            GrainsegError: Nothing would be left.
        """
        if self == NO_CROP:
            return pixels
        height, width = pixels.shape[:2]
        if self.top + self.bottom >= height or self.left + self.right >= width:
            raise GrainsegError(
                f"{path}: crop={self} leaves nothing of {width} × {height} px; cut less from each side"
            )
        kept = pixels[self.top : height - self.bottom, self.left : width - self.right]
        return np.array(kept, order="C")  # not a view, which would keep the whole picture in memory

    def uncut(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Height and width in px before this crop, from the ``shape`` after it."""
        return shape[0] + self.top + self.bottom, shape[1] + self.left + self.right

    def __str__(self) -> str:
        return f"[top {self.top}, bottom {self.bottom}, left {self.left}, right {self.right}]"


NO_CROP = Crop()

CropSetting = Crop | Literal["auto"] | None
"""Allowed settings; 'auto' cuts the data bar if the microscope's own metadata give its height."""


def crop_setting(crop: object) -> CropSetting:
    """Convert a checked configuration value (null, auto or four numbers) for the reader of files."""
    if isinstance(crop, list):
        return Crop(*crop)
    return "auto" if crop == "auto" else None
