"""The labelled pixels of partly labelled images, to choose patches that show them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from grainseg.data.geometry import Geometry, source_coordinates
from grainseg.micrograph.image import IGNORE, Label

LEAST_SHARE = 0.1
"""Grid patches with a smaller share of labelled pixels are left out; overlapping ones show these pixels."""


@dataclass(frozen=True)
class LabelledPlaces:
    """The labelled pixels of one image.

    Attributes:
        count: Number of labelled pixels.
        at: (count,) flat indices, of the smallest type that holds them; None for a completely labelled image.
    """

    count: int
    at: npt.NDArray[np.unsignedinteger[Any]] | None

    def shown_by(
        self, geometry: Geometry, shape: tuple[int, int], size: int, rng: np.random.Generator
    ) -> Geometry:
        """Move a patch so that a randomly chosen labelled pixel is at a random position in the patch.

        So the probability of a position is proportional to the number of labelled pixels that it shows. As
        for other patches, the patch would lie within the image if it were not rotated.

        Args:
            geometry: Geometry of the patch; it is returned unchanged for a completely labelled image.
            shape: Height and width of the image in px.
            size: Edge length of the patch in px.
            rng: Source of randomness.
        """
        if self.at is None:
            return geometry
        wanted = divmod(int(self.at[rng.integers(self.count)]), shape[1])
        rows, columns = source_coordinates(geometry, size)
        pixel = tuple(rng.integers(size, size=2))
        moved = (
            geometry.centre[0] + wanted[0] - float(rows[pixel]),
            geometry.centre[1] + wanted[1] - float(columns[pixel]),
        )
        reach = (size / geometry.scale - 1) / 2
        centre = [
            float(np.clip(to, reach, length - 1 - reach)) if 2 * reach < length - 1 else (length - 1) / 2
            for to, length in zip(moved, shape, strict=True)
        ]
        return replace(geometry, centre=(centre[0], centre[1]))


def labelled_places(label: Label) -> LabelledPlaces:
    """Find the labelled pixels of a label mask, (H, W) uint8 codes."""
    at = np.flatnonzero(label != IGNORE)
    return LabelledPlaces(
        at.size, None if at.size == label.size else at.astype(np.min_scalar_type(label.size))
    )


def labelled_cells(
    label: Label, size: int, rows: Sequence[int], columns: Sequence[int]
) -> list[tuple[int, int]]:
    """Return the upper left corners of those patches of a grid that show labelled pixels.

    Args:
        label: (H, W) uint8 codes.
        size: Edge length of a patch in px.
        rows: First rows of the grid's patches.
        columns: First columns of the grid's patches.

    Returns:
        Patches whose share of labelled pixels is at least ``LEAST_SHARE``; if none, the one with most.
    """
    corners = [(row, column) for row in rows for column in columns]
    shares = [
        float(np.mean(label[row : row + size, column : column + size] != IGNORE)) for row, column in corners
    ]
    chosen = [corner for corner, share in zip(corners, shares, strict=True) if share >= LEAST_SHARE]
    return chosen or [corners[int(np.argmax(shares))]]
