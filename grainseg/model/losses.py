"""Losses for thin boundaries, behind one interface: logits and label codes in, one number out.

All sums run over the pixels of the whole batch whose label is not IGNORE. One pixel is added to the numerator
and the denominator of each overlap term. Each such term is combined with a cross-entropy or counts false
positives, so that a patch without any boundary still reduces false alarms. How to add a loss:
``grainseg.config.loss``.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import binary_dilation
from torch import Tensor, nn

from grainseg.config import (
    ClDiceLossConfig,
    DiceLossConfig,
    FocalTverskyLossConfig,
    LossConfig,
    SkeletonLossConfig,
)
from grainseg.micrograph.image import BOUNDARY, IGNORE
from grainseg.micrograph.morphology import skeleton

Terms = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""Probability, logits, target and weight in, each (N, H, W) float32; a scalar out."""

SMOOTH_PX = 1.0
TUBE_PX = 2
"""Reach of the tube around a skeleton, in steps to a neighbouring pixel (Kirchhoff et al. 2024)."""


class BoundaryLoss(nn.Module):
    """A loss on boundary logits.

    Args:
        terms: The function that computes the loss.
    """

    def __init__(self, terms: Terms) -> None:
        super().__init__()
        self._terms = terms

    def forward(self, logits: Tensor, label: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            logits: (N, 1, H, W), any float type.
            label: (N, H, W) uint8 codes GRAIN, BOUNDARY, IGNORE.

        Returns:
            Scalar float32, finite also if no or every pixel is boundary or ignored.
        """
        logits = logits[:, 0].float()  # in half precision, sums over a batch overflow or lose digits
        weight = (label != IGNORE).float()
        target = (label == BOUNDARY).float()
        return self._terms(torch.sigmoid(logits) * weight, logits, target, weight)


def build_loss(config: LossConfig) -> BoundaryLoss:
    """Build the loss that the configuration names."""
    return BoundaryLoss(_BUILDERS[config.name](config))


def cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean binary cross-entropy over the pixels that count."""
    losses = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (losses * weight).sum() / weight.sum().clamp(min=1)


def soft_dice(probability: Tensor, target: Tensor) -> Tensor:
    """1 - 2|P·T| / (|P| + |T|) over the batch.

    As in V-Net (Milletari, Navab, Ahmadi 2016), but |P| and |T| are sums; there they are sums of squares.
    """
    overlap = (probability * target).sum()
    return 1 - (2 * overlap + SMOOTH_PX) / (probability.sum() + target.sum() + SMOOTH_PX)


def tversky(probability: Tensor, target: Tensor, alpha: float, beta: float) -> Tensor:
    """1 - Tversky index; alpha weights false positives, beta false negatives (Salehi et al. 2017)."""
    hit = (probability * target).sum()
    false_positive = (probability * (1 - target)).sum()
    false_negative = target.sum() - hit
    return 1 - (hit + SMOOTH_PX) / (hit + alpha * false_positive + beta * false_negative + SMOOTH_PX)


def soft_skeleton(mask: Tensor, iterations: int) -> Tensor:
    """Differentiable skeleton by repeated erosion and opening (Shit et al. 2021, clDice, algorithm 1).

    Args:
        mask: (N, H, W) in [0, 1].
        iterations: At least half the width in px of the widest line.
    """
    mask = mask[:, None]
    skeleton = F.relu(mask - _open(mask))
    for _ in range(iterations):
        mask = _erode(mask)
        delta = F.relu(mask - _open(mask))
        skeleton = skeleton + F.relu(delta - skeleton * delta)
    return skeleton[:, 0]


def cl_dice(probability: Tensor, target: Tensor, iterations: int) -> Tensor:
    """1 - centre-line Dice: harmonic mean of topology precision and sensitivity (Shit et al. 2021)."""
    predicted_line = soft_skeleton(probability, iterations)
    target_line = soft_skeleton(target, iterations)
    precision = ((predicted_line * target).sum() + SMOOTH_PX) / (predicted_line.sum() + SMOOTH_PX)
    sensitivity = ((target_line * probability).sum() + SMOOTH_PX) / (target_line.sum() + SMOOTH_PX)
    return 1 - 2 * precision * sensitivity / (precision + sensitivity)


def skeleton_tube(target: Tensor) -> Tensor:
    """The middle of the labelled lines, at most 2 · ``TUBE_PX`` + 1 px wide.

    Args:
        target: (N, H, W), 1 on lines and 0 elsewhere; each picture is thinned on the CPU.

    Returns:
        Same shape, type and device.
    """
    lines = target.cpu().numpy() > 0
    tubes = np.zeros_like(lines)
    for line, tube in zip(lines, tubes, strict=True):
        if line.any():
            tube[:] = binary_dilation(skeleton(line), iterations=TUBE_PX, mask=line)
    return torch.from_numpy(tubes).to(target)


def skeleton_recall(probability: Tensor, target: Tensor) -> Tensor:
    """1 - soft recall of `skeleton_tube`, the middle of the labelled lines.

    A gap in the prediction costs the whole width of the tube; a prediction that is thinner than the labelled
    line costs nothing as long as it covers the tube. Kirchhoff et al. 2024 (Skeleton Recall Loss, ECCV,
    arXiv:2404.03010). For lines of up to 2 · ``TUBE_PX`` + 1 px, it is the recall of the whole line.
    """
    tube = skeleton_tube(target)
    return 1 - ((probability * tube).sum() + SMOOTH_PX) / (tube.sum() + SMOOTH_PX)


def _erode(mask: Tensor) -> Tensor:
    across = -F.max_pool2d(-mask, (3, 1), stride=1, padding=(1, 0))
    along = -F.max_pool2d(-mask, (1, 3), stride=1, padding=(0, 1))
    return torch.minimum(across, along)


def _open(mask: Tensor) -> Tensor:
    return F.max_pool2d(_erode(mask), 3, stride=1, padding=1)


def _bce(config: LossConfig) -> Terms:
    return lambda probability, logits, target, weight: cross_entropy(logits, target, weight)


def _bce_dice(config: DiceLossConfig) -> Terms:
    def terms(probability: Tensor, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        return cross_entropy(logits, target, weight) + config.dice_weight * soft_dice(probability, target)

    return terms


def _bce_cldice(config: ClDiceLossConfig) -> Terms:
    base = _bce_dice(config)

    def terms(probability: Tensor, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        line = cl_dice(probability, target, config.iterations)
        return base(probability, logits, target, weight) + config.cldice_weight * line

    return terms


def _bce_dice_skeleton(config: SkeletonLossConfig) -> Terms:
    base = _bce_dice(config)

    def terms(probability: Tensor, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        missed = skeleton_recall(probability, target)
        return base(probability, logits, target, weight) + config.skeleton_weight * missed

    return terms


def _focal_tversky(config: FocalTverskyLossConfig) -> Terms:
    """Tversky loss to the power gamma, which focuses on what is still wrong (Abraham & Khan 2019)."""

    def terms(probability: Tensor, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        loss = tversky(probability, target, config.false_positive_weight, config.false_negative_weight)
        # The power has an infinite slope at a loss of 0, which a perfect patch reaches.
        return loss.clamp(min=1e-6) ** config.gamma

    return terms


_BUILDERS: Mapping[str, Callable[[Any], Terms]] = {
    "bce": _bce,
    "bce_dice": _bce_dice,
    "bce_cldice": _bce_cldice,
    "bce_dice_skeleton": _bce_dice_skeleton,
    "focal_tversky": _focal_tversky,
}
