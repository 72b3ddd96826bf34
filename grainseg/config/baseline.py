"""Settings of the classical references."""

from dataclasses import dataclass

from grainseg.config.checks import check_one_of, check_positive, check_seed, require
from grainseg.config.data import LabelledFolderConfig
from grainseg.config.measurement import MeasurementConfig

METHODS = ("ridge", "forest")
BOTH = "both"


@dataclass
class BaselineConfig(MeasurementConfig):
    """Settings of one run that fits the classical references.

    Attributes:
        data: The labelled images and their split, as for a training run.
        method: One of ``METHODS``, or ``BOTH``.
        images: Further pictures to predict: a file, a folder or a glob; None for none.
        seed: Seed of the forest.
        boundary_tolerance_px: Tolerance of the boundary F1 in px.
    """

    data: LabelledFolderConfig
    method: str
    images: str | None
    seed: int
    boundary_tolerance_px: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_one_of("method", self.method, (*METHODS, BOTH))
        check_seed("seed", self.seed)
        rule = f"must be data.crop={self.data.crop}, since the labelled images are measured, too"
        require(self.crop == self.data.crop, "crop", rule, self.crop)
        check_positive("boundary_tolerance_px", self.boundary_tolerance_px)

    def methods(self) -> tuple[str, ...]:
        """Names of the methods to run."""
        return METHODS if self.method == BOTH else (self.method,)
