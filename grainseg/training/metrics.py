"""Metrics of whole pictures, logged after every epoch.

The IoU is torchmetrics' ``BinaryJaccardIndex``; the others wrap ``grainseg.grains.scoring.scores``, which
also scores predictions and the final result of a run.
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
"""Pixels passed to torchmetrics at once: its copies take tens of bytes per pixel."""


class BandedJaccardIndex(BinaryJaccardIndex):
    """torchmetrics' IoU, in bands of rows to save memory; it counts pixels, so the value is the same."""

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
    """All ``MaskScores`` but the IoU over the pictures of an epoch, and ``iou_<regime>`` for each regime.

    The partition uses the default settings: settings fitted to the labelled pictures are only found after
    training, and would make the scores too good. Each process of a distributed run scores all pictures, so
    nothing needs to be gathered.

    Args:
        tolerance_px: Largest distance in px between a predicted and a labelled centre line that match.
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
            regime: Name of the picture's regime; empty if it has none.
        """
        said = probability.float().cpu().numpy()
        codes = label.cpu().numpy().astype(np.uint8)
        grains = grains_or_zeros(said, DEFAULT_SETTINGS)
        self._scores.append(score_prediction(said > THRESHOLD, grains, codes, self._tolerance_px))
        self._regimes.append(regime)

    def compute(self) -> dict[str, Tensor]:
        """Compute each score, by its name."""
        found = metrics_of_all(self._scores, self._regimes)
        return {name: torch.tensor(value) for name, value in found.items() if name != "iou"}

    def reset(self) -> None:
        """Remove all pictures."""
        super().reset()
        self._scores, self._regimes = [], []


def boundary_metrics(prefix: str, tolerance_px: float) -> MetricCollection:
    """Build the metrics of one stage, named ``<prefix>iou``, ``<prefix>are`` and so on.

    The IoU is that of the boundary class over all pixels of the epoch's pictures; it is 1 if no boundary is
    predicted or labelled, as in ``PixelScores``. It takes probabilities, not logits: torchmetrics would guess
    at each update which of the two it was given.

    Args:
        prefix: Start of the names.
        tolerance_px: Tolerance of the boundary F1.
    """
    iou = BandedJaccardIndex(threshold=THRESHOLD, ignore_index=IGNORE, zero_division=1)
    scores = BoundaryAndGrainScores(tolerance_px)
    return MetricCollection({"iou": iou, "scores": scores}, prefix=prefix, compute_groups=False)
