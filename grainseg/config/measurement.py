"""Settings of prediction and measurement for the pictures, the grains and the batches."""

from dataclasses import dataclass
from typing import Any

from grainseg.config.checks import (
    SYMMETRIES,
    check_accelerator,
    check_crop,
    check_fraction,
    check_one_of,
    check_pixel_size,
    check_positive,
    check_scale,
    require,
)
from grainseg.config.data import LabelConfig
from grainseg.config.partition import PartitionConfig
from grainseg.grains.labels.structure import PART_CHOICES, TWIN_CHOICES

SCALES = ("auto", "pixel_size", "grain_size")
"""Ways to scale a picture before a network sees it, other than by a given factor."""


@dataclass
class StructureConfig:
    """Meaning of the boundaries: set by the user and repeated in the report, never inferred."""

    twins: str
    second_phase: str
    pores: str

    def __post_init__(self) -> None:
        """Check the choices."""
        check_one_of("structure.twins", self.twins, TWIN_CHOICES)
        check_one_of("structure.second_phase", self.second_phase, PART_CHOICES)
        check_one_of("structure.pores", self.pores, PART_CHOICES)


@dataclass
class MeasurementConfig:
    """Scale and crop of the pictures, areas to leave out, and batches.

    Attributes:
        output: Folder of all files that are written.
        pixel_size_um: µm per px, a number or [row, column]; None reads it from the files.
        pixel_size_rel_unc: Relative standard uncertainty of the pixel size, for the budget; None if unknown.
        segmentation_rel_unc: Relative standard uncertainty of the mean intercept due to the segmentation, for
            the budget; None takes the value of a checkpoint, if any, else it is unknown.
        segmentation_images: Number of labelled pictures that this uncertainty was estimated from, for its
            degrees of freedom. None takes it as exactly known.
        crop: px to cut from [top, bottom, left, right], "auto" for the data bar, or None.
        batches: CSV file with the columns image and batch, and perhaps specimen; None makes a batch of each
            folder.
        excluded: Folder of masks; pixels that are not 0 show something other than grains, which end there.
        ignored: Folder of masks; at pixels that are not 0, the structure is unknown: grains and test lines
            are cut there as at the border.
        structure: Meaning of the boundaries.
    """

    output: str
    pixel_size_um: Any
    pixel_size_rel_unc: float | None
    segmentation_rel_unc: float | None
    segmentation_images: int | None
    crop: Any
    batches: str | None
    excluded: str | None
    ignored: str | None
    structure: StructureConfig

    def __post_init__(self) -> None:
        """Check ranges."""
        check_pixel_size("pixel_size_um", self.pixel_size_um)
        rule = "must be at least 0 and below 0.5, such as 0.01 for 1 %"
        for name in ("pixel_size_rel_unc", "segmentation_rel_unc"):
            uncertainty = getattr(self, name)
            require(uncertainty is None or 0 <= uncertainty < 0.5, name, rule, uncertainty)
        if self.segmentation_images is not None:
            check_positive("segmentation_images", self.segmentation_images)
            rule = "says of how many pictures segmentation_rel_unc=VALUE is; give that, too"
            given = self.segmentation_rel_unc is not None
            require(given, "segmentation_images", rule, self.segmentation_images)
        check_crop("crop", self.crop)
        excludes = self.excludes()
        rule = "masks what is left out; say structure.pores=excluded or structure.second_phase=excluded"
        require(self.excluded is None or excludes, "excluded", rule, self.excluded)

    def excludes(self) -> bool:
        """Whether the second phase or the pores are set as excluded."""
        return "excluded" in (self.structure.second_phase, self.structure.pores)

    def require_masks(self) -> None:
        """Raise a GrainsegError if something is to be excluded but no masks show where it is."""
        rule = "nothing says where it is; give excluded=FOLDER with masks"
        part = "pores" if self.structure.pores == "excluded" else "second_phase"
        require(not self.excludes() or self.excluded is not None, f"structure.{part}", rule, "excluded")


@dataclass
class PredictConfig(MeasurementConfig):
    """One prediction; without a checkpoint, the weights that ship with the package are used.

    Attributes:
        scale: None, a factor by which pictures are resampled before the network, or one of ``SCALES``.
            ``pixel_size`` and ``grain_size`` bring pictures to the pixel or grain size of the training. With
            ``auto``, pictures with larger grains are shrunk for the weights that ship, and nothing is
            resampled for networks of your own.
        tta: Test-time augmentation, one of ``SYMMETRIES``; None takes the checkpoint's.
        adapt: Share of a picture's own statistics in the batch normalisation; None takes the checkpoint's.
        robustness: Folder of a robustness card of the same checkpoint, for the report.
    """

    checkpoint: str | None
    images: str
    masks: str | None
    threshold: float | None
    scale: Any
    boundary_tolerance_px: float
    accelerator: str
    robustness: str | None
    tta: str | None
    adapt: float | None
    data: LabelConfig
    partition: PartitionConfig

    def __post_init__(self) -> None:
        """Check ranges."""
        super().__post_init__()
        self.require_masks()
        if self.threshold is not None:
            require(0 < self.threshold < 1, "threshold", "must lie between 0 and 1", self.threshold)
        check_scale("scale", self.scale, SCALES)
        check_positive("boundary_tolerance_px", self.boundary_tolerance_px)
        check_accelerator("accelerator", self.accelerator)
        if self.tta is not None:
            check_one_of("tta", self.tta, tuple(SYMMETRIES))
        if self.adapt is not None:
            check_fraction("adapt", self.adapt)


@dataclass
class MeasureConfig(MeasurementConfig):
    """One measurement of masks or grain maps that another program, or a person, made.

    Attributes:
        masks: A file, a folder or a glob.
        kind: ``boundary``, or ``grains`` for label maps.
        boundary_value: Value of the boundaries in boundary masks.
        zero: Meaning of 0 in grain maps: ``boundary`` (lines, filled from both sides), ``excluded``
            (something other than grains, which end there) or ``ignored`` (unknown, or outside the field of
            view); None refuses maps that hold 0.
        images: Folder of the micrographs, named like the masks, for the pictures of the report and for their
            pixel sizes; None shows the grains alone.
        max_megapixels: Largest accepted picture in 10⁶ px.
    """

    masks: str
    kind: str
    boundary_value: int
    zero: str | None
    images: str | None
    max_megapixels: float

    def __post_init__(self) -> None:
        """Check ranges."""
        super().__post_init__()
        check_one_of("kind", self.kind, ("boundary", "grains"))
        if self.kind == "boundary":  # a grain map may have 0 in place of masks
            self.require_masks()
        if self.zero is not None:
            check_one_of("zero", self.zero, ("boundary", "excluded", "ignored"))
        check_positive("max_megapixels", self.max_megapixels)
