"""How well the grains of whole pictures agree with their labels, over an epoch."""

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from grainseg.grains.agreement_regions import RegionScores, region_scores
from grainseg.grains.labelled_grains import label_grains
from grainseg.grains.partition import DEFAULT_SETTINGS, grains_or_zeros
from grainseg.micrograph.image import IGNORE


class GrainAgreement(Metric):
    """Adapted Rand error, variation of information and the errors of count, intercept and diameters.

    The partition has its default settings: those that are fitted to the validation pictures come later, and
    would flatter. Each process of a distributed run scores all pictures, so there is nothing to gather.
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False

    def __init__(self) -> None:
        super().__init__()
        self._scores = RegionScores()

    def update(self, probability: Tensor, label: Tensor) -> None:
        """Add one picture.

        Args:
            probability: (H, W) float in [0, 1].
            label: (H, W) uint8 codes.
        """
        codes = label.cpu().numpy()
        truth = label_grains(codes)
        ignored = np.asarray(codes == IGNORE, np.bool_)
        grains = grains_or_zeros(probability.float().cpu().numpy(), DEFAULT_SETTINGS)
        self._scores = self._scores + region_scores(grains, truth, ignored)

    def compute(self) -> dict[str, Tensor]:
        """Each score by its name."""
        return {name: torch.tensor(value) for name, value in self._scores.metrics().items()}

    def reset(self) -> None:
        """Forget all pictures."""
        super().reset()
        self._scores = RegionScores()
