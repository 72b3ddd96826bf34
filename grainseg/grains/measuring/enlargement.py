"""Detect label maps that were enlarged by repeating pixels, so that they are measured at their own step.

Repeated pixels turn every slanting boundary into stairs of k × k px. The diagonals of the enlarged raster
cross the stairs more often than the boundary (a line at 45° hits the flank of each step), and there are no
runs of one pixel, which show how many short chords are missing: the mean intercept is about 9 % too short.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from grainseg.grains.measuring.intercepts import GrainIds
from grainseg.micrograph.image import BoolMask

LARGEST = 16
"""Largest factor that is looked for; a larger one is found as its largest divisor up to this."""

_CORRECTED = 0.03
"""Largest share of the cracks (pixel sides on a boundary) that may lie off the enlarged raster, as single
pixels may have been corrected. In a map that was not enlarged, half of them or more do."""

_CORNERS_PER_GRAIN = 4
"""Corners per grain that a map must exceed to count as enlarged. An upright rectangle has four. Upright
rectangles, bricks and bands look the same at any step, so their corners do not show at which step they were
drawn; a grain of 5 px with slanting sides has more corners."""


_Ids = TypeVar("_Ids", bound=np.integer)


@dataclass(frozen=True)
class Enlargement:
    """How a map was enlarged.

    Attributes:
        factor: How many times each pixel was repeated along rows and columns; 1 if it was not enlarged.
        row: First row at which a repeated pixel begins; rows before it are the rest of a cut one.
        column: The same for columns.
    """

    factor: int = 1
    row: int = 0
    column: int = 0

    def native(self, grains: npt.NDArray[_Ids]) -> npt.NDArray[_Ids]:
        """Undo the enlargement: (h, w); the rest of a repeated pixel at the margins becomes a pixel."""
        return grains if self.factor == 1 else grains[np.ix_(*self._starts(grains.shape))]

    def blocks(self, mask: BoolMask) -> BoolMask:
        """Reduce a mask likewise: (h, w), true where a block of repeated pixels has a true one."""
        for axis, starts in enumerate(self._starts(mask.shape)):
            mask = np.logical_or.reduceat(mask, starts, axis=axis)
        return mask

    def again(self, native: npt.NDArray[_Ids], shape: tuple[int, ...]) -> npt.NDArray[_Ids]:
        """Enlarge a map of native pixels in the same way, to the given shape (H, W)."""
        rows, columns = (
            np.searchsorted(starts, np.arange(side), side="right") - 1
            for starts, side in zip(self._starts(shape), shape, strict=True)
        )
        return native[np.ix_(rows, columns)]

    def _starts(self, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.intp], ...]:
        """First rows and first columns of the repeated pixels."""
        firsts = (self.row, self.column)
        steps = [np.arange(first, side, self.factor) for first, side in zip(firsts, shape, strict=True)]
        return tuple(
            np.concatenate([np.arange(int(first > 0), dtype=np.intp), step])
            for first, step in zip(firsts, steps, strict=True)
        )


AS_DRAWN = Enlargement()


def enlargement(grains: GrainIds) -> Enlargement:
    """Detect by which factor k a map was enlarged by repeating pixels.

    The boundaries of such a map lie a multiple of k px apart, also where its margins were cut off. A few may
    not, since single pixels of a map are sometimes corrected after it was enlarged.

    Args:
        grains: (H, W) grain ids.

    Returns:
        The enlargement with the largest such k up to LARGEST; AS_DRAWN (factor 1) for a map that was not
        enlarged, or that has no stairs.
    """
    # Number of cracks before each row and each column.
    rows = np.count_nonzero(grains[1:] != grains[:-1], axis=1)
    columns = np.count_nonzero(grains[:, 1:] != grains[:, :-1], axis=0)
    if not (rows.any() and columns.any()):
        return AS_DRAWN
    for factor in range(LARGEST, 1, -1):
        row, column = _first_step(factor, rows), _first_step(factor, columns)
        if row is not None and column is not None:
            found = Enlargement(factor, row, column)
            native = found.native(grains)
            enough = _corners(native) > _CORNERS_PER_GRAIN * np.unique(native).size
            return found if enough else AS_DRAWN
    return AS_DRAWN


def _first_step(factor: int, cracks: npt.NDArray[np.integer]) -> int | None:
    """First index at which a repeated pixel begins; None if too many cracks do not fit the factor.

    Args:
        factor: Factor to be tested.
        cracks: (N - 1,) number of cracks before row (or column) 1, 2, … N - 1.
    """
    by_phase = np.bincount(np.arange(1, cracks.size + 1) % factor, cracks, factor)
    first = int(by_phase.argmax())
    return first if by_phase.sum() - by_phase[first] <= _CORRECTED * by_phase.sum() else None


def _corners(grains: npt.NDArray[np.integer]) -> int:
    """Number of blocks of 2 × 2 pixels in which one pixel differs from three equal ones."""
    across = grains[:, 1:] == grains[:, :-1]
    down = grains[1:] == grains[:-1]
    turned = (across[1:] != across[:-1]) & (down[:, 1:] != down[:, :-1])
    return int(np.count_nonzero(turned))
