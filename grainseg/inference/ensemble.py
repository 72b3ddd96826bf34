"""One probability from several networks and several views of a picture, and how far these differ.

Networks that were trained alike and differ by chance are averaged, and their spread tells where none of them
knows: deep ensembles, Lakshminarayanan, Pritzel & Blundell 2017, NeurIPS 30. A micrograph has neither top nor
left, so each network may also see it in all eight ways in which a square lies on a table (the dihedral group
D4), as Ronneberger, Fischer & Brox 2015, MICCAI, averaged rotated views of their pictures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from grainseg.config.measurement import SYMMETRIES
from grainseg.inference.predictor import TileSettings, moved, see_boundaries
from grainseg.micrograph.image import FloatImage

View = Callable[[FloatImage], FloatImage]


@dataclass(frozen=True)
class Forecast:
    """What networks say about one picture.

    Attributes:
        probability: (H, W) float32 in [0, 1], the mean over all networks and views.
        spread: (H, W) float32 in [0, 0.5], the standard deviation over all networks and views (divided by
            their number); None where there is one of both.
    """

    probability: FloatImage
    spread: FloatImage | None


def predict_members(
    networks: Sequence[nn.Module],
    unit: FloatImage,
    tiles: TileSettings,
    symmetries: int = 1,
    of_member: Callable[[FloatImage], None] | None = None,
) -> Forecast:
    """Predict one picture by all networks in all views.

    Holds a handful of maps of the picture's size, however many networks and views there are.

    Args:
        networks: One or more, see ``predict_probability``.
        unit: (H, W, C) float32 in [0, 1], normalised on the whole picture; any size.
        tiles: How to cut it.
        symmetries: 1, the picture as it is, or 8, all its flips and quarter turns.
        of_member: Is given the probability of each network in turn, (H, W) float32, the mean over its views.

    Raises:
        GrainsegError: A network answers with NaN.
        ValueError: No network, or another number of views.
    """
    if not networks or symmetries not in SYMMETRIES.values():
        raise ValueError(f"{len(networks)} networks in {symmetries} views: needs at least 1, in 1 or 8")
    together = _Spread()
    for network in networks:
        member = _Mean()
        for number in range(symmetries):
            seen = _in_view(network, tiles, number, unit)
            together.add(seen)
            if of_member is not None:
                member.add(seen)
        if of_member is not None:
            of_member(member.mean)
    return Forecast(np.clip(together.mean, 0, 1, out=together.mean), together.standard_deviation())


def _in_view(network: nn.Module, tiles: TileSettings, number: int, unit: FloatImage) -> FloatImage:
    there, back = _view(number)
    seen = np.ascontiguousarray(back(see_boundaries(network, there(unit), tiles)))
    return moved(seen, tiles.offset_px)


def _view(number: int) -> tuple[View, View]:
    """One of the eight symmetries of the square, and the way back; 0 changes nothing."""
    turns, flipped = number % 4, number >= 4

    def there(picture: FloatImage) -> FloatImage:
        return np.rot90(picture[::-1] if flipped else picture, turns)

    def back(picture: FloatImage) -> FloatImage:
        turned = np.rot90(picture, -turns)
        return turned[::-1] if flipped else turned

    return there, back


class _Mean:
    """Running mean of maps, in float32."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: FloatImage = np.zeros(0, np.float32)

    def add(self, value: FloatImage) -> None:
        self.count += 1
        if self.count == 1:
            self.mean = value.copy()
        else:
            self.mean += (value - self.mean) / np.float32(self.count)


class _Spread(_Mean):
    """Running mean and sum of squares about it (Welford 1962, Technometrics 4:419), exact where all agree."""

    def __init__(self) -> None:
        super().__init__()
        self._squares: FloatImage = np.zeros(0, np.float32)

    def add(self, value: FloatImage) -> None:
        if self.count == 0:
            super().add(value)
            self._squares = np.zeros_like(value)
            return
        before = value - self.mean
        super().add(value)
        self._squares += before * (value - self.mean)

    def standard_deviation(self) -> FloatImage | None:
        if self.count == 1:
            return None
        result: FloatImage = np.sqrt(np.maximum(self._squares, 0) / np.float32(self.count))
        return result
