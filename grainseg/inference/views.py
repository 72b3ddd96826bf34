"""A picture in all the ways in which a square lies on a table, and the mean of what is seen in them.

A micrograph has neither top nor left, so a network may see it in all eight symmetries of the square (the
dihedral group D4), as Ronneberger, Fischer & Brox 2015, MICCAI, averaged rotated views of their pictures.
"""

from collections.abc import Callable

import numpy as np

from grainseg.micrograph.image import FloatImage

View = Callable[[FloatImage], FloatImage]


def view(number: int) -> tuple[View, View]:
    """One of the eight symmetries of the square, and the way back; 0 changes nothing."""
    turns, flipped = number % 4, number >= 4

    def there(picture: FloatImage) -> FloatImage:
        return np.rot90(picture[::-1] if flipped else picture, turns)

    def back(picture: FloatImage) -> FloatImage:
        turned = np.rot90(picture, -turns)
        return turned[::-1] if flipped else turned

    return there, back


class RunningMean:
    """Mean of maps that come one after the other, in float32: never beyond the least or greatest of them.

    Args:
        spread: Whether to keep the sum of squares about the mean, too, from the second map on (Welford 1962,
            Technometrics 4:419): exact where all agree.
    """

    def __init__(self, *, spread: bool = False) -> None:
        self.count = 0
        self.mean: FloatImage = np.zeros(0, np.float32)
        self._squares: FloatImage | None = np.zeros((), np.float32) if spread else None

    def add(self, value: FloatImage) -> None:
        """Take one more map into account."""
        self.count += 1
        if self.count == 1:
            self.mean = value.copy()
            return
        before = value - self.mean
        self.mean += before / np.float32(self.count)
        if self._squares is not None:
            self._squares = self._squares + before * (value - self.mean)

    def standard_deviation(self) -> FloatImage | None:
        """Of the maps so far, divided by their number; None of one map, or where it is not kept."""
        if self._squares is None or self.count == 1:
            return None
        result: FloatImage = np.sqrt(np.maximum(self._squares, 0) / np.float32(self.count))
        return result
