"""The eight flips and quarter turns of a picture, and the mean of the predictions in these views.

A micrograph has neither top nor left, so a network may predict it in all eight symmetries of the square (the
dihedral group D4), as Ronneberger, Fischer & Brox 2015, MICCAI, averaged rotated views of their pictures.
"""

from collections.abc import Callable

import numpy as np

from grainseg.micrograph.image import FloatImage

View = Callable[[FloatImage], FloatImage]


def view(number: int) -> tuple[View, View]:
    """Return one of the eight symmetries of the square and its inverse; number 0 changes nothing."""
    turns, flipped = number % 4, number >= 4

    def there(picture: FloatImage) -> FloatImage:
        return np.rot90(picture[::-1] if flipped else picture, turns)

    def back(picture: FloatImage) -> FloatImage:
        turned = np.rot90(picture, -turns)
        return turned[::-1] if flipped else turned

    return there, back


class RunningMean:
    """Running mean of maps, in float32; never below the least or above the greatest of them.

    Args:
        spread: Whether to keep the sum of squares about the mean as well, from the second map on (Welford
            1962, Technometrics 4:419); exactly 0 where all maps agree.
    """

    def __init__(self, *, spread: bool = False) -> None:
        self.count = 0
        self.mean: FloatImage = np.zeros(0, np.float32)
        self._squares: FloatImage | None = np.zeros((), np.float32) if spread else None

    def add(self, value: FloatImage) -> None:
        """Add one map."""
        self.count += 1
        if self.count == 1:
            self.mean = value.copy()
            return
        before = value - self.mean
        self.mean += before / np.float32(self.count)
        if self._squares is not None:
            self._squares = self._squares + before * (value - self.mean)

    def standard_deviation(self) -> FloatImage | None:
        """Return the standard deviation of the maps so far (divided by their number).

        None for a single map, or if the spread is not kept.
        """
        if self._squares is None or self.count == 1:
            return None
        result: FloatImage = np.sqrt(np.maximum(self._squares, 0) / np.float32(self.count))
        return result
