"""One probability from several networks and several views of a picture, and how far these differ.

Networks that were trained alike and differ by chance are averaged, and their spread tells where none of them
knows: deep ensembles, Lakshminarayanan, Pritzel & Blundell 2017, NeurIPS 30.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from grainseg.inference.predictor import TileSettings, predict_probability
from grainseg.inference.views import RunningMean
from grainseg.micrograph.image import FloatImage


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
    of_member: Callable[[FloatImage], None] | None = None,
) -> Forecast:
    """Predict one picture by all networks in all views.

    Holds a handful of maps of the picture's size, however many networks and views there are.

    Args:
        networks: One or more, see ``predict_probability``.
        unit: (H, W, C) float32 in [0, 1], normalised on the whole picture; any size.
        tiles: How to cut it, and in how many views it is seen.
        of_member: Is given the probability of each network in turn, (H, W) float32, the mean over its views.

    Raises:
        DivergedError: A network answers with NaN.
        ValueError: No network.
    """
    if not networks:
        raise ValueError("no network: needs at least one")
    together = RunningMean(spread=True)
    for network in networks:
        member = predict_probability(network, unit, tiles, of_view=together.add)
        if of_member is not None:
            of_member(member)
        del member  # or it would be held while the next network predicts
    return Forecast(together.mean, together.standard_deviation())
