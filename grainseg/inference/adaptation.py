"""Adapt the batch normalisation of a network to the picture that it predicts.

Light, noise and texture shift the mean and the variance of the inputs of a layer. A network with batch
normalisation uses the mean and the variance of its training; here a share of the picture's own statistics is
mixed in, layer by layer. No label is needed, and no weight changes. Using the picture's statistics alone: Li
et al. 2016, arXiv:1603.04779; mixing them with those of the training, where there is only one picture:
Schneider et al. 2020, NeurIPS 33:11539.
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
"""Side of each part that is taken of a large picture, in strides of the network: 256 px."""
PARTS = 9
"""Number of parts that are taken of a large picture.

Together they are as large as a tile of 768 px and need as much memory: more than a smaller tile does.
"""


def batch_norms(network: nn.Module) -> list[_BatchNorm]:
    """List the batch normalisation layers that keep statistics of their training."""
    return [
        layer
        for layer in network.modules()
        if isinstance(layer, _BatchNorm) and layer.running_mean is not None and layer.running_var is not None
    ]


def require_adaptable(network: nn.Module, share: float, key: str) -> None:
    """Refuse an adaptation that would change nothing.

    Args:
        network: The network that predicts.
        share: Share of the picture's own statistics, 0-1.
        key: Configuration key that sets the share, for the error.

    Raises:
        GrainsegError: The share is above 0 and the network has no batch normalisation.
    """
    if share > 0 and not batch_norms(network):
        raise GrainsegError(
            f"{key}={share:g}: this network has no batch normalisation to adapt to a picture; say {key}=0"
        )


def parts_of(padded: FloatImage, tile: int, stride: int) -> FloatImage:
    """Select the pixels for a picture's statistics: all of a small picture, evenly spaced parts of a larger.

    Args:
        padded: (C, H, W); H and W are multiples of the stride.
        tile: Side of a tile in px. A picture whose area is at most that of a tile is taken whole. No part
            is longer than a tile, since some networks accept pictures of one size only.
        stride: Stride of the network in px.

    Returns:
        (N, C, h, w), N = 1 or `PARTS`; h and w are multiples of the stride.
    """
    side = min(SIDE_STRIDES * stride, tile)
    height, width = padded.shape[1:]
    if height * width <= tile**2:
        return padded[None]
    high, wide = min(side, height), min(side, width)
    # If only one axis has room for more than one part, all parts lie along that axis.
    down = 1 if height == high else PARTS if width == wide else math.isqrt(PARTS)
    tops, lefts = (
        np.linspace(0, room, count).astype(int)
        for room, count in ((height - high, down), (width - wide, PARTS // down))
    )
    return np.stack([padded[:, top : top + high, left : left + wide] for top in tops for left in lefts])


@contextmanager
def adapted(network: nn.Module, parts: torch.Tensor, share: float) -> Iterator[None]:
    """Mix a picture's own statistics into the batch normalisation while the context lasts.

    One forward pass of the parts sets the statistics. Each layer gets its mixed statistics just before it
    computes, so that the later layers already receive the inputs that they will receive in the prediction.

    Args:
        network: In evaluation mode.
        parts: (N, C, h, w), preprocessed as the network expects it.
        share: Share of the picture's own mean and variance, 0-1; the rest comes from the training.
    """
    layers = batch_norms(network)
    of_training = [(layer, _statistics(layer)) for layer in layers]

    def mix(layer: nn.Module, seen: tuple[torch.Tensor]) -> None:
        assert isinstance(layer, _BatchNorm)
        if seen[0].numel() == seen[0].shape[1]:  # one value per channel has no variance
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
