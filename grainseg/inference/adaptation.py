"""Batch normalisation that knows the picture at hand as well as what trained the network.

Light, noise and texture move the mean and the variance of what a layer sees. A network with batch
normalisation takes those of its training for granted; here a share of the picture's own is mixed in, layer by
layer. No label is needed, and no weight changes. With the picture's alone: Li et al. 2016, arXiv:1603.04779;
mixed with the training's, where there is one picture only: Schneider et al. 2020, NeurIPS 33:11539.
"""

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from grainseg.errors import GrainsegError
from grainseg.micrograph.image import FloatImage

SIDE_STRIDES = 8
"""Side of a part of a larger picture, in strides of the network: 256 px."""
PARTS = 9
"""Together they are as large as a tile of 768 px, and need as much memory: more than a smaller tile does."""


def batch_norms(network: nn.Module) -> list[_BatchNorm]:
    """The layers that keep statistics of what trained them."""
    return [
        layer
        for layer in network.modules()
        if isinstance(layer, _BatchNorm) and layer.running_mean is not None and layer.running_var is not None
    ]


def require_adaptable(network: nn.Module, share: float, key: str) -> None:
    """Refuse an adaptation that would change nothing.

    Args:
        network: That predicts.
        share: Of the picture's own statistics.
        key: Where the share was said.

    Raises:
        GrainsegError: The network has no batch normalisation.
    """
    if share > 0 and not batch_norms(network):
        raise GrainsegError(
            f"{key}={share:g}: this network has no batch normalisation to adapt to a picture; say {key}=0"
        )


def parts_of(padded: FloatImage, tile: int, stride: int) -> FloatImage:
    """What of a picture its statistics are taken from: all of a small one, evenly placed parts of a larger.

    Args:
        padded: (C, H, W); H and W are multiples of the stride.
        tile: Side of a tile in px. A picture of no larger area is taken whole; no part is longer, since
            some networks take pictures of one size only.
        stride: Of the network, in px.

    Returns:
        (N, C, h, w), N = 1 or `PARTS`; h and w are multiples of the stride.
    """
    side = min(SIDE_STRIDES * stride, tile)
    height, width = padded.shape[1:]
    if height * width <= tile**2:
        return padded[None]
    high, wide = min(side, height), min(side, width)
    # Along one axis where the other has no room for two.
    down = 1 if height == high else PARTS if width == wide else math.isqrt(PARTS)
    tops, lefts = (
        np.linspace(0, room, count).astype(int)
        for room, count in ((height - high, down), (width - wide, PARTS // down))
    )
    return np.stack([padded[:, top : top + high, left : left + wide] for top in tops for left in lefts])


@contextmanager
def adapted(network: nn.Module, parts: torch.Tensor, share: float) -> Iterator[None]:
    """Mix a picture's own statistics into the batch normalisation while the context lasts.

    Each layer is given its mixture before it answers, so the layers behind it see what they will see then.

    Args:
        network: In evaluation mode.
        parts: (N, C, h, w), as the network takes it.
        share: Of the picture's own mean and variance, 0-1; the rest is the training's.
    """
    layers = batch_norms(network)
    of_training = [(layer, _statistics(layer)) for layer in layers]

    def mix(layer: nn.Module, seen: tuple[torch.Tensor]) -> None:
        assert isinstance(layer, _BatchNorm)
        if seen[0].numel() == seen[0].shape[1]:  # what was pooled to one value has no variance
            return
        axes = [axis for axis in range(seen[0].dim()) if axis != 1]
        variance, mean = torch.var_mean(seen[0], axes, correction=0)
        for kept, own in zip(_kept(layer), (mean, variance), strict=True):
            kept.lerp_(own, share)

    try:
        with ExitStack() as hooks, torch.no_grad():
            for layer in layers:
                hooks.callback(layer.register_forward_pre_hook(mix).remove)
            network(parts)
        yield
    finally:
        for layer, statistics in of_training:
            for kept, before in zip(_kept(layer), statistics, strict=True):
                kept.copy_(before)


def _kept(layer: _BatchNorm) -> tuple[torch.Tensor, torch.Tensor]:
    assert layer.running_mean is not None
    assert layer.running_var is not None
    return layer.running_mean, layer.running_var


def _statistics(layer: _BatchNorm) -> list[torch.Tensor]:
    return [kept.clone() for kept in _kept(layer)]
