"""Label maps that were enlarged by repeating pixels: found out, so that they are measured at their own step.

Repeated pixels turn every slanting boundary into stairs of k × k px. The diagonals of the enlarged raster
cross a stair more often than the boundary (a line at 45° hits the flank of each step), and the runs of one
pixel that tell how many short chords are missing do not exist: the mean intercept reads about 9 % short.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from grainseg.grains.measuring.intercepts import GrainIds
from grainseg.micrograph.image import BoolMask

LARGEST = 16
"""Larger factors are found as their largest divisor up to this."""

_CORRECTED = 0.03
"""Share of the cracks that may lie elsewhere; half of them do in a map that was not enlarged."""

_CORNERS_PER_GRAIN = 4
"""An upright rectangle has four corners of its own. Bands, bricks and upright rectangles are the same figure
at any step, and no more corners than these say nothing of the step that they were drawn at; a grain of 5 px
with slanting sides has more."""


_Ids = TypeVar("_Ids", bound=np.integer)


@dataclass(frozen=True)
class Enlargement:
    """How a map was enlarged.

    Attributes:
        factor: Each pixel was repeated so many times along rows and columns; 1: it was not enlarged.
        row: First row that begins a repeated pixel; those before it are what is left of another one.
        column: The same of columns.
    """

    factor: int = 1
    row: int = 0
    column: int = 0

    def native(self, grains: npt.NDArray[_Ids]) -> npt.NDArray[_Ids]:
        """(h, w), the map before it was enlarged; what is left of a pixel at its margins is one."""
        return grains if self.factor == 1 else grains[np.ix_(*self._starts(grains.shape))]

    def blocks(self, mask: BoolMask) -> BoolMask:
        """(h, w), true where a block of repeated pixels, or what there is of it, has a true one."""
        for axis, starts in enumerate(self._starts(mask.shape)):
            mask = np.logical_or.reduceat(mask, starts, axis=axis)
        return mask

    def again(self, native: npt.NDArray[_Ids], shape: tuple[int, ...]) -> npt.NDArray[_Ids]:
        """(H, W), a map of native pixels enlarged as this one was."""
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
    """How many times a map was enlarged by repeating pixels.

    The boundaries of such a map lie k px apart or a multiple of it, also where its margins were cut off.
    A few may not: people correct single pixels of a map after it was enlarged.

    Args:
        grains: (H, W) grain ids.

    Returns:
        With the largest such k up to LARGEST; of a map that was not enlarged, or that has no stairs, with 1.
    """
    # How many cracks there are before each row and each column.
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
    """The first place at which steps of a factor begin, in pixels; None where cracks lie elsewhere, too.

    Args:
        factor: Supposed.
        cracks: (N - 1,) number of cracks before the second, the third … row or column.
    """
    by_phase = np.bincount(np.arange(1, cracks.size + 1) % factor, cracks, factor)
    first = int(by_phase.argmax())
    return first if by_phase.sum() - by_phase[first] <= _CORRECTED * by_phase.sum() else None


def _corners(grains: npt.NDArray[np.integer]) -> int:
    """Blocks of 2 × 2 pixels of which three lie in one grain and one in another."""
    across = grains[:, 1:] == grains[:, :-1]
    down = grains[1:] == grains[:-1]
    turned = (across[1:] != across[:-1]) & (down[:, 1:] != down[:, :-1])
    return int(np.count_nonzero(turned))
