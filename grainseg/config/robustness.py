"""Settings of the robustness card."""

from dataclasses import dataclass

from grainseg.config.checks import check_accelerator, check_fraction, check_positive, check_seed
from grainseg.config.data import LabelledFolderConfig


@dataclass
class RobustnessConfig:
    """Settings of one robustness card.

    Attributes:
        checkpoint: ``best.ckpt`` of a training run, or a weights file.
        data: The labelled images, and how their masks are read; ``data.test`` names the images of the card.
            None takes the run's test images, else its validation images, else all.
        output: Folder of all files that are written.
        references: Whether the card compares the network with the classical references.
        adapt: Share of a picture's own statistics in the batch normalisation; None takes the checkpoint's.
        tensorboard: Folder of TensorBoard's event files; None is ``tensorboard`` in the output folder.
        seed: Seed of the corruptions and the forest.
        boundary_tolerance_px: Tolerance of the boundary F1 in px.
        accelerator: Device on which the network computes.
    """

    checkpoint: str
    data: LabelledFolderConfig
    output: str
    references: bool
    adapt: float | None
    tensorboard: str | None
    seed: int
    boundary_tolerance_px: float
    accelerator: str

    def __post_init__(self) -> None:
        check_seed("seed", self.seed)
        check_positive("boundary_tolerance_px", self.boundary_tolerance_px)
        if self.adapt is not None:
            check_fraction("adapt", self.adapt)
        check_accelerator("accelerator", self.accelerator)
