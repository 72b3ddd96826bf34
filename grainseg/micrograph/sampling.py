"""Values on another grid over the same field."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

_Kind = TypeVar("_Kind", bound=np.generic)


def nearest(values: npt.NDArray[_Kind], shape: tuple[int, int]) -> npt.NDArray[_Kind]:
    """Of each pixel of another grid what lies at its middle.

    Args:
        values: (H, W).
        shape: Height and width in px wanted.

    Returns:
        Values of that shape; none is made up, so masks and ids stay what they are.
    """
    rows, columns = (
        (2 * np.arange(want) + 1) * have // (2 * want) for have, want in zip(values.shape, shape, strict=True)
    )
    return values[np.ix_(rows, columns)]
