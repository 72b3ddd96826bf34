"""Join grains across boundaries that a picture no longer shows."""

import numpy as np
import numpy.typing as npt

from grainseg.grains.closing.regions import components
from grainseg.micrograph.image import BoolMask

_GONE_ABOVE = 0.5
"""Lost share of a boundary's length above which it is gone: if more than half is visible, it can be found."""


def without_lost_boundaries(grains: npt.NDArray[np.integer], lost: BoolMask) -> npt.NDArray[np.uint32]:
    """Join the grains between which more than half of the boundary is lost.

    The result measures the effect of an exposure on the grain size, independent of the method that finds the
    boundaries. Its mean intercept over that of the original grains, minus 1, is the drift of a method that
    finds all boundaries that are left.

    Args:
        grains: (H, W) ids; 0 where there is no grain, which is not joined with any grain.
        lost: (H, W), true where the picture holds no information.

    Returns:
        (H, W) ids from 1 up, which may have gaps; 0 where there was no grain.
    """
    ids, index = np.unique(grains, return_inverse=True)
    index = index.reshape(grains.shape)
    sides = (np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1, :], np.s_[1:, :])
    cracks = [
        (here, there, (index[here] != index[there]) & (grains[here] > 0) & (grains[there] > 0))
        for here, there in sides
    ]
    pairs = np.concatenate(
        [np.sort([index[here][crack], index[there][crack]], axis=0) for here, there, crack in cracks], axis=1
    )
    gone = np.concatenate([(lost[here] & lost[there])[crack] for here, there, crack in cracks])
    border, of_crack, length = np.unique(pairs, axis=1, return_inverse=True, return_counts=True)
    share = np.bincount(of_crack.ravel(), gone, border.shape[1]) / np.maximum(length, 1)
    first, second = border[:, share > _GONE_ABOVE]
    joined = components(ids.size, first, second) + 1
    return np.where(ids > 0, joined, 0).astype(np.uint32)[index]
