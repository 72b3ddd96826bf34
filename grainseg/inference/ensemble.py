"""One probability from several networks and several views of a picture, and the spread between them.

Networks that were trained in the same way and differ only by chance are averaged. Their spread shows where
none of them is reliable: deep ensembles, Lakshminarayanan, Pritzel & Blundell 2017, NeurIPS 30.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from grainseg.inference.predictor import TileSettings, predict_probability
from grainseg.inference.views import RunningMean
from grainseg.micrograph.image import FloatImage


@dataclass(frozen=True)
class Forecast:
    """Prediction of one or more networks for one picture.

    Attributes:
        probability: (H, W) float32 in [0, 1], the mean over all networks and views.
        spread: (H, W) float32 in [0, 0.5], the standard deviation over all networks and views (divided by
            their number); None for one network in one view.
    """

    probability: FloatImage
    spread: FloatImage | None


def predict_members(
    networks: Sequence[nn.Module],
    unit: FloatImage,
    tiles: TileSettings,
    of_member: Callable[[FloatImage], None] | None = None,
) -> Forecast:
    """Predict one picture with all networks in all views.

    Only a few maps of the picture's size are in memory at a time, however many networks and views there are.

    Args:
        networks: One or more, see ``predict_probability``.
        unit: (H, W, C) float32 in [0, 1], normalised on the whole picture; any size.
        tiles: How the picture is cut into tiles, and in how many views it is predicted.
        of_member: Called with the probability of each network in turn, (H, W) float32, the mean over its
            views.

    Raises:
        DivergedError: A network returns NaN.
        ValueError: ``networks`` is empty.
    """
    if not networks:
        raise ValueError("no network: needs at least one")
    together = RunningMean(spread=True)
    for network in networks:
        member = predict_probability(network, unit, tiles, of_view=together.add)
        if of_member is not None:
            of_member(member)
        del member  # otherwise it stays in memory while the next network predicts
    return Forecast(together.mean, together.standard_deviation())
