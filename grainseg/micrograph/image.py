"""The micrograph as the rest of the package sees it, and the codes of a label in memory."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

GRAIN = 0
BOUNDARY = 1
IGNORE = 255
"""Codes of a boundary label in memory, (H, W) uint8: neither loss nor metric looks at IGNORE."""

FloatImage = npt.NDArray[np.float32]
Label = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Micrograph:
    """One picture.

    Attributes:
        pixels: (H, W) grey or (H, W, 3) RGB float32, finite. Integer files are divided by their type's
            maximum, so they lie in [0, 1]; float files keep their values.
        path: Where it was read from.
    """

    pixels: FloatImage
    path: Path

    @property
    def stem(self) -> str:
        """File name without its extension: the name of the image in splits, tables and outputs."""
        return self.path.stem

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in px."""
        return self.pixels.shape[0], self.pixels.shape[1]
