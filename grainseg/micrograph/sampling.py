"""Resample values to another grid over the same field."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

_Kind = TypeVar("_Kind", bound=np.generic)


def nearest(values: npt.NDArray[_Kind], shape: tuple[int, int]) -> npt.NDArray[_Kind]:
    """Take for each pixel of another grid the value at its middle.

    Args:
        values: (H, W).
        shape: Height and width in px of the other grid.

    Returns:
        Values of that shape; none is interpolated, so masks and ids stay valid.
    """
    rows, columns = (
        (2 * np.arange(want) + 1) * have // (2 * want) for have, want in zip(values.shape, shape, strict=True)
    )
    return values[np.ix_(rows, columns)]
