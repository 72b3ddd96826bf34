"""Boundary probability of a whole picture: tiles in, one seamless map out.

Everything that measures or writes a prediction goes through here, in float32: then the IoU that training
logs, the saved mask and a later prediction agree, whatever precision the hardware trained in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import shift
from torch import nn

from grainseg.config.checks import STRIDE, SYMMETRIES
from grainseg.errors import GrainsegError
from grainseg.inference.views import RunningMean, view
from grainseg.micrograph.image import FloatImage
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.model.networks import network_input
from grainseg.tiling import plan_tiles, stitch


@dataclass(frozen=True)
class TileSettings:
    """How a picture is cut for the network.

    Attributes:
        tile_size: Edge length of a tile in px, a multiple of the stride.
        overlap: Overlap of neighbouring tiles in px. Three eighths on each side are thrown away, since a
            network sees less there than on the whole picture; the middle quarter is blended.
        offset_px: How far the lines wanted lie from the boundaries that the network finds, as the labels of
            its training did: rows down and columns to the right.
        stride: Grid in px on which the network shifts with its input.
        views: 1, the picture as it is, or 8: the mean over all its flips and quarter turns.
    """

    tile_size: int
    overlap: int
    offset_px: tuple[float, float] = (0.0, 0.0)
    stride: int = STRIDE
    views: int = 1

    @property
    def halo(self) -> int:
        """Width in px of the rim of a tile that is thrown away."""
        return self.overlap * 3 // 8


def tile_settings(spec: CheckpointSpec) -> TileSettings:
    """How a checkpoint says that its network predicts."""
    return TileSettings(
        spec.tile_size * spec.shrink,
        spec.overlap * spec.shrink,
        offset_px=spec.label_offset_px,
        stride=STRIDE * spec.shrink,
        views=SYMMETRIES[spec.tta],
    )


def predict_probability(network: nn.Module, unit: FloatImage, tiles: TileSettings) -> FloatImage:
    """Predict the boundary probability of one picture, where the labels of the training would have it.

    Args:
        network: Maps (N, C, h, w) to logits (N, 1, h, w); it is put into evaluation mode and left so.
        unit: (H, W, C) float32 in [0, 1], normalised on the whole picture; any size.
        tiles: How to cut it.

    Returns:
        (H, W) float32 in [0, 1].

    Raises:
        GrainsegError: The network answers with NaN.
    """
    return moved(see_boundaries(network, unit, tiles), tiles.offset_px)


def moved(probability: FloatImage, offset_px: tuple[float, float]) -> FloatImage:
    """Move a probability by a part of a pixel, by cubic splines.

    Args:
        probability: (H, W) float32 in [0, 1].
        offset_px: Rows down and columns to the right.
    """
    if not any(offset_px):
        return probability
    found = np.empty_like(probability)
    shift(probability, offset_px, output=found, order=3, mode="nearest")
    return np.clip(found, 0, 1, out=found)


def see_boundaries(network: nn.Module, unit: FloatImage, tiles: TileSettings) -> FloatImage:
    """The boundary probability of one picture, where the network sees it; else as ``predict_probability``."""
    if tiles.views == 1:
        return _seen(network, unit, tiles)
    together = RunningMean()
    for number in range(tiles.views):
        together.add(see_in_view(network, unit, tiles, number))
    return np.clip(together.mean, 0, 1, out=together.mean)


def see_in_view(network: nn.Module, unit: FloatImage, tiles: TileSettings, number: int) -> FloatImage:
    """As ``see_boundaries``, in one of the views alone, from 0 to 7; turned back."""
    there, back = view(number)
    return np.ascontiguousarray(back(_seen(network, there(unit), tiles)))


@contextmanager
def _memory_errors() -> Iterator[None]:
    """Call it what it is where PyTorch finds no memory."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            raise MemoryError(str(error).splitlines()[0]) from error
        raise


def _seen(network: nn.Module, unit: FloatImage, tiles: TileSettings) -> FloatImage:
    network.eval()
    device = next(network.parameters()).device

    def probability(tile: FloatImage) -> FloatImage:
        tensor = torch.from_numpy(tile[None]).to(device, memory_format=torch.channels_last)
        logits = network(network_input(tensor))
        result: FloatImage = torch.sigmoid(logits[0, 0]).cpu().numpy()
        return result

    plan = plan_tiles(unit.shape[:2], tiles.tile_size, tiles.overlap, tiles.halo, tiles.stride)
    channels_first = np.ascontiguousarray(unit.transpose(2, 0, 1))
    exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)  # TF32 keeps 10 bits of 23
    with torch.inference_mode(), torch.autocast(device.type, enabled=False), exact, _memory_errors():
        stitched = stitch(channels_first, plan, probability)
    if not np.isfinite(stitched).all():
        raise GrainsegError("the network answers with NaN, its training has diverged; lower optimizer.lr")
    # Blending tiles in float32 can end a few 1e-7 above 1, which is no probability.
    return np.clip(stitched, 0, 1, out=stitched)
