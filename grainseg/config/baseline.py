"""What the classical references may be told."""

from dataclasses import dataclass

from grainseg.config.checks import one_of, positive, require, seed
from grainseg.config.data import LabelledFolderConfig
from grainseg.config.measurement import MeasurementConfig

METHODS = ("ridge", "forest")
BOTH = "both"


@dataclass
class BaselineConfig(MeasurementConfig):
    """One tuning of the classical references.

    Attributes:
        data: The labelled images and their split, as for a training run.
        method: One of ``METHODS``, or ``BOTH``.
        images: Further pictures to predict: a file, a folder or a glob; None for none.
        seed: Of the forest.
        boundary_tolerance_px: Of the boundary F1.
    """

    data: LabelledFolderConfig
    method: str
    images: str | None
    seed: int
    boundary_tolerance_px: float

    def __post_init__(self) -> None:
        """Check ranges."""
        super().__post_init__()
        one_of("method", self.method, (*METHODS, BOTH))
        seed("seed", self.seed)
        rule = f"must be data.crop={self.data.crop}, since the labelled images are measured, too"
        require(self.crop == self.data.crop, "crop", rule, self.crop)
        positive("boundary_tolerance_px", self.boundary_tolerance_px)

    def methods(self) -> tuple[str, ...]:
        """The methods asked for, by name."""
        return METHODS if self.method == BOTH else (self.method,)
