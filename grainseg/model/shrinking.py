"""Networks that see shrunk pictures, so that large grains get the sizes in px that networks are used to.

Only the input of the network is shrunk. Its logits are enlarged to the picture's own pixels before they are
compared with a label, so that the network learns to draw lines of the labels' width there. Lines that are
found on a coarser grid and enlarged only afterwards would be wider.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


def shrink_input(network: nn.Module, shrink: int) -> nn.Module:
    """Make a network see the mean of each square of ``shrink`` px, and return logits for each px.

    The network is changed in place. The names of its weights stay, so that weights can be exchanged with
    networks that see every pixel.

    Args:
        network: Maps (N, C, H, W) to logits (N, 1, H, W), H and W multiples of some stride.
        shrink: A whole number; 1 changes nothing.

    Returns:
        The same network; from now on H and W are multiples of ``shrink`` times that stride.
    """
    if shrink == 1:
        return network

    def before(_: nn.Module, arguments: tuple[Any, ...]) -> Tensor:
        return F.avg_pool2d(arguments[0], shrink)

    def after(_: nn.Module, __: tuple[Any, ...], logits: Tensor) -> Tensor:
        return F.interpolate(logits.float(), scale_factor=shrink, mode="bilinear", align_corners=False)

    network.register_forward_pre_hook(before)
    network.register_forward_hook(after)
    return network
