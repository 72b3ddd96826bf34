"""Metrics of whole pictures: shells of torchmetrics around counts that are summed over the epoch."""

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric, MetricCollection
from torchmetrics.classification import BinaryJaccardIndex, BinaryPrecision, BinaryRecall

from grainseg.grains.agreement import BoundaryCounts, PixelScores, boundary_counts, pixel_scores
from grainseg.grains.scores import THRESHOLD
from grainseg.micrograph.image import IGNORE
from grainseg.training.grain_metrics import GrainAgreement


class BoundaryF1(Metric):
    """Tolerant boundary F1 over all pictures of an epoch, see ``grainseg.grains.agreement``.

    Args:
        tolerance_px: How far, in px, a predicted centre line may lie from a labelled one.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    counts: Tensor

    def __init__(self, tolerance_px: float) -> None:
        super().__init__()
        self.tolerance_px = tolerance_px
        self.add_state("counts", default=torch.zeros(4, dtype=torch.long), dist_reduce_fx="sum")

    def update(self, probability: Tensor, label: Tensor) -> None:
        """Add one picture.

        Args:
            probability: (H, W) float in [0, 1].
            label: (H, W) uint8 codes.
        """
        predicted = (probability > THRESHOLD).cpu().numpy()
        counts = boundary_counts(predicted, label.cpu().numpy().astype(np.uint8), self.tolerance_px)
        values = (
            counts.predicted_px,
            counts.predicted_matched_px,
            counts.label_px,
            counts.label_matched_px,
        )
        self.counts += torch.tensor(values, dtype=torch.long, device=self.counts.device)

    def compute(self) -> Tensor:
        """F1 in [0, 1]."""
        return torch.tensor(BoundaryCounts(*self.counts.tolist()).f1)


class RegimeIou(Metric):
    """IoU of each named kind of synthetic picture, ``iou_<regime>``; nothing where pictures have none.

    The counts live on the CPU as in ``GrainAgreement``: every process scores all pictures.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    def __init__(self) -> None:
        super().__init__()
        self._scores: dict[str, PixelScores] = {}

    def update(self, probability: Tensor, label: Tensor, regime: str = "") -> None:
        """Add one picture.

        Args:
            probability: (H, W) float in [0, 1].
            label: (H, W) uint8 codes.
            regime: Name of its kind; empty for pictures that are of none.
        """
        if regime:
            mask = (probability > THRESHOLD).cpu().numpy()
            scores = pixel_scores(mask, label.cpu().numpy().astype(np.uint8))
            self._scores[regime] = self._scores.get(regime, PixelScores()) + scores

    def compute(self) -> dict[str, Tensor]:
        """Each regime's IoU by name."""
        return {f"iou_{regime}": torch.tensor(scores.iou) for regime, scores in self._scores.items()}

    def reset(self) -> None:
        """Forget all pictures."""
        super().reset()
        self._scores = {}


def boundary_metrics(prefix: str, tolerance_px: float) -> MetricCollection:
    """The metrics of one stage, named ``<prefix>iou``, ``<prefix>are`` and so on.

    IoU is that of the boundary class alone, over all pixels of the epoch's pictures. They are given
    probabilities, never logits, whose kind torchmetrics would guess anew at each update.
    """
    metrics: dict[str, Metric] = {
        "iou": BinaryJaccardIndex(threshold=THRESHOLD, ignore_index=IGNORE),
        "precision": BinaryPrecision(threshold=THRESHOLD, ignore_index=IGNORE),
        "recall": BinaryRecall(threshold=THRESHOLD, ignore_index=IGNORE),
        "boundary_f1": BoundaryF1(tolerance_px),
        "grains": GrainAgreement(),
        "regimes": RegimeIou(),
    }
    return MetricCollection(dict(metrics), prefix=prefix, compute_groups=False)
