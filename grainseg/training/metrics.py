"""Metrics of whole pictures, logged after every epoch.

The IoU is torchmetrics' ``BinaryJaccardIndex``; the others are a shell around
``grainseg.grains.scoring.scores``, by which predictions and what a run ends with are scored, too.
"""

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection
from torchmetrics.classification import BinaryJaccardIndex

from grainseg.grains.closing.partition import DEFAULT_SETTINGS, grains_or_zeros
from grainseg.grains.scoring.scores import THRESHOLD, MaskScores, metrics_of_all, score_prediction
from grainseg.micrograph.image import IGNORE

_BAND_PX = 1 << 18
"""Pixels that torchmetrics is given at once: its copies take tens of bytes for each."""


class BandedJaccardIndex(BinaryJaccardIndex):
    """torchmetrics' IoU, given bands of rows to save memory; it counts pixels, so the value is the same."""

    def update(self, preds: Tensor, target: Tensor) -> None:
        """Add one picture.

        Args:
            preds: (H, W) float in [0, 1].
            target: (H, W) codes.
        """
        rows = max(1, _BAND_PX // preds.shape[1])
        for first in range(0, len(preds), rows):
            super().update(preds[first : first + rows], target[first : first + rows])


class BoundaryAndGrainScores(Metric):
    """All of ``MaskScores`` but the IoU over the pictures of an epoch, and ``iou_<regime>`` of each kind.

    The partition has its default settings: those that are fitted to labelled pictures come later, and
    would flatter. Each process of a distributed run scores all pictures, so there is nothing to gather.

    Args:
        tolerance_px: How far, in px, a predicted centre line may lie from a labelled one.
    """

    is_differentiable = False
    full_state_update = False

    def __init__(self, tolerance_px: float) -> None:
        super().__init__()
        self._tolerance_px = tolerance_px
        self._scores: list[MaskScores] = []
        self._regimes: list[str] = []

    def update(self, probability: Tensor, label: Tensor, regime: str = "") -> None:
        """Add one picture.

        Args:
            probability: (H, W) float in [0, 1].
            label: (H, W) uint8 codes.
            regime: Name of its kind; empty for pictures that are of none.
        """
        said = probability.float().cpu().numpy()
        codes = label.cpu().numpy().astype(np.uint8)
        grains = grains_or_zeros(said, DEFAULT_SETTINGS)
        self._scores.append(score_prediction(said > THRESHOLD, grains, codes, self._tolerance_px))
        self._regimes.append(regime)

    def compute(self) -> dict[str, Tensor]:
        """Each score by its name."""
        found = metrics_of_all(self._scores, self._regimes)
        return {name: torch.tensor(value) for name, value in found.items() if name != "iou"}

    def reset(self) -> None:
        """Forget all pictures."""
        super().reset()
        self._scores, self._regimes = [], []


def boundary_metrics(prefix: str, tolerance_px: float) -> MetricCollection:
    """The metrics of one stage, named ``<prefix>iou``, ``<prefix>are`` and so on.

    IoU is that of the boundary class alone, over all pixels of the epoch's pictures; 1 where there is no
    boundary, neither predicted nor labelled, as in ``PixelScores``. It is given probabilities, never logits,
    whose kind torchmetrics would guess anew at each update.

    Args:
        prefix: Of the names.
        tolerance_px: Tolerance of the boundary F1.
    """
    iou = BandedJaccardIndex(threshold=THRESHOLD, ignore_index=IGNORE, zero_division=1)
    scores = BoundaryAndGrainScores(tolerance_px)
    return MetricCollection({"iou": iou, "scores": scores}, prefix=prefix, compute_groups=False)
