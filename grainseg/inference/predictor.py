"""Boundary probability of a whole picture: predicted in tiles, stitched into one seamless map.

Every prediction that is measured or written is computed here, in float32, so that the IoU that training logs,
the saved mask and a later prediction agree, whatever precision was used for training.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import shift
from torch import nn

from grainseg.config.checks import STRIDE, SYMMETRIES
from grainseg.errors import GrainsegError
from grainseg.inference.adaptation import adapted, parts_of
from grainseg.inference.views import RunningMean, view
from grainseg.micrograph.image import FloatImage
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.model.networks import network_input
from grainseg.tiling import plan_tiles, stitch


class DivergedError(GrainsegError):
    """A network returned NaN; the message advises the person who trains it."""

    def __init__(self) -> None:
        super().__init__("the network answers with NaN, its training has diverged; lower optimizer.lr")


@contextmanager
def named_if_diverged(picture: str | Path, checkpoint: str | Path) -> Iterator[None]:
    """Name picture and checkpoint if a network returns NaN in a prediction, outside its training.

    Raises:
        GrainsegError: The network returned NaN.
    """
    try:
        yield
    except DivergedError as error:
        raise GrainsegError(
            f"{picture}: the network of checkpoint {checkpoint} answers with NaN: its training diverged, or "
            "the file was changed; give another checkpoint"
        ) from error


@dataclass(frozen=True)
class TileSettings:
    """How a picture is cut into tiles and predicted.

    Attributes:
        tile_size: Edge length of a tile in px, a multiple of the stride.
        overlap: Overlap of neighbouring tiles in px. Each tile discards the outer three eighths of it, where
            a network sees less context than in the whole picture; the middle quarter is blended.
        offset_px: Shift applied to the predicted probability, since the labels of the training were offset
            from the visible boundaries by this much: rows down and columns to the right.
        stride: Stride of the network in px: if its input shifts by a multiple of it, its output shifts alike.
        views: 1 for the picture as it is, or 8 for the mean over all its flips and quarter turns.
        adapt: Share of the picture's own statistics in the batch normalisation, 0-1.
    """

    tile_size: int
    overlap: int
    offset_px: tuple[float, float] = (0.0, 0.0)
    stride: int = STRIDE
    views: int = 1
    adapt: float = 0.0

    @property
    def halo(self) -> int:
        """Width in px of the rim of a tile that is discarded."""
        return self.overlap * 3 // 8


def tile_settings(spec: CheckpointSpec) -> TileSettings:
    """Return the settings with which the network of a checkpoint predicts."""
    return TileSettings(
        spec.tile_size * spec.shrink,
        spec.overlap * spec.shrink,
        offset_px=spec.label_offset_px,
        stride=STRIDE * spec.shrink,
        views=SYMMETRIES[spec.tta],
        adapt=spec.adapt,
    )


def predict_probability(
    network: nn.Module,
    unit: FloatImage,
    tiles: TileSettings,
    of_view: Callable[[FloatImage], None] | None = None,
) -> FloatImage:
    """Predict the boundary probability of one picture, shifted to where a training label would lie.

    Args:
        network: Maps (N, C, h, w) to logits (N, 1, h, w); it is put into evaluation mode and left so.
        unit: (H, W, C) float32 in [0, 1], normalised on the whole picture; any size.
        tiles: How the picture is cut into tiles, and in how many views it is predicted.
        of_view: Called with the probability of each view in turn, (H, W) float32 in [0, 1], transformed back
            to the orientation of the picture.

    Returns:
        (H, W) float32 in [0, 1], the mean over the views.

    Raises:
        DivergedError: The network returns NaN.
    """
    together = RunningMean()
    for number in range(tiles.views):
        there, back = view(number)
        seen = moved(np.ascontiguousarray(back(_predict_view(network, there(unit), tiles))), tiles.offset_px)
        together.add(seen)
        if of_view is not None:
            of_view(seen)
        del seen  # otherwise it stays in memory while the next view is predicted
    return together.mean


def moved(probability: FloatImage, offset_px: tuple[float, float]) -> FloatImage:
    """Shift a probability by whole or fractional pixels, interpolated with cubic splines.

    Args:
        probability: (H, W) float32 in [0, 1].
        offset_px: Shift in px, rows down and columns to the right.
    """
    if not any(offset_px):
        return probability
    found = np.empty_like(probability)
    shift(probability, offset_px, output=found, order=3, mode="nearest")
    return np.clip(found, 0, 1, out=found)


@contextmanager
def _memory_errors() -> Iterator[None]:
    """Turn the RuntimeError of PyTorch for lack of memory into a MemoryError."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            raise MemoryError(str(error).splitlines()[0]) from error
        raise


def _predict_view(network: nn.Module, unit: FloatImage, tiles: TileSettings) -> FloatImage:
    network.eval()
    device = next(network.parameters()).device

    def as_input(parts: FloatImage) -> torch.Tensor:
        return network_input(torch.from_numpy(parts).to(device, memory_format=torch.channels_last))

    def probability(tile: FloatImage) -> FloatImage:
        result: FloatImage = torch.sigmoid(network(as_input(tile[None]))[0, 0]).cpu().numpy()
        return result

    plan = plan_tiles(unit.shape[:2], tiles.tile_size, tiles.overlap, tiles.halo, tiles.stride)
    channels_first = np.ascontiguousarray(unit.transpose(2, 0, 1))
    exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)  # TF32 keeps 10 bits of 23
    plain = torch.autocast(device.type, enabled=False)
    with torch.inference_mode(), plain, exact, _memory_errors(), ExitStack() as context:
        if tiles.adapt:
            parts = as_input(parts_of(plan.pad(channels_first), tiles.tile_size, tiles.stride))
            context.enter_context(adapted(network, parts, tiles.adapt))
        stitched = stitch(channels_first, plan, probability)
    if not np.isfinite(stitched).all():
        raise DivergedError
    # Rounding in the float32 blending can exceed 1 by a few 1e-7.
    return np.clip(stitched, 0, 1, out=stitched)
