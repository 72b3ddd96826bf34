"""Settings of the loss of a training run.

To add a loss of your own, use the same name in three places: `LOSS_SCHEMAS` below, ``_BUILDERS`` of
``grainseg.model.losses``, and a file in ``conf/loss/``. If it has settings of its own, export their class
from ``grainseg.config``, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from grainseg.config.checks import check_not_negative, check_positive, require


@dataclass
class LossConfig:
    """The loss by name; ``grainseg.model.losses`` explains the weights."""

    name: str


@dataclass
class DiceLossConfig(LossConfig):
    """Cross-entropy plus soft Dice."""

    dice_weight: float

    def __post_init__(self) -> None:
        check_not_negative("loss.dice_weight", self.dice_weight)


@dataclass
class ClDiceLossConfig(DiceLossConfig):
    """Cross-entropy, soft Dice and centre-line Dice."""

    cldice_weight: float
    iterations: int

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative("loss.cldice_weight", self.cldice_weight)
        require(1 <= self.iterations <= 50, "loss.iterations", "must be 1 to 50", self.iterations)


@dataclass
class SkeletonLossConfig(DiceLossConfig):
    """Cross-entropy, soft Dice and skeleton recall."""

    skeleton_weight: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative("loss.skeleton_weight", self.skeleton_weight)


@dataclass
class FocalTverskyLossConfig(LossConfig):
    """Focal Tversky loss."""

    false_positive_weight: float
    false_negative_weight: float
    gamma: float

    def __post_init__(self) -> None:
        for key in ("false_positive_weight", "false_negative_weight", "gamma"):
            check_positive(f"loss.{key}", getattr(self, key))


LOSS_SCHEMAS: Mapping[str, type[LossConfig]] = {
    "bce": LossConfig,
    "bce_dice": DiceLossConfig,
    "bce_cldice": ClDiceLossConfig,
    "bce_dice_skeleton": SkeletonLossConfig,
    "focal_tversky": FocalTverskyLossConfig,
}
