"""What a suggestion of the next label may be told."""

from dataclasses import dataclass
from typing import Any

from grainseg.config.checks import check_accelerator, check_crop, check_positive, require

MIN_WINDOW_PX = 32
MAX_COUNT = 1000


@dataclass
class SuggestConfig:
    """One ranking of pictures without labels.

    Attributes:
        checkpoint: ``best.ckpt`` of a training run, or a weights file; None takes the weights that ship.
        images: The pictures: a file, a folder or a glob.
        output: Folder of everything that is written.
        count: How many regions are suggested at most.
        window_px: Height and width of a region in px; None is 256, or half of each side of a smaller picture.
        crop: px to cut from [top, bottom, left, right], "auto" for the data bar, or None.
        accelerator: What the network computes on.
        max_megapixels: Larger pictures are refused.
    """

    checkpoint: str | None
    images: str
    output: str
    count: int
    window_px: int | None
    crop: Any
    accelerator: str
    max_megapixels: float

    def __post_init__(self) -> None:
        require(1 <= self.count <= MAX_COUNT, "count", f"must be 1 to {MAX_COUNT}", self.count)
        fits = self.window_px is None or self.window_px >= MIN_WINDOW_PX
        require(fits, "window_px", f"must be {MIN_WINDOW_PX} or more", self.window_px)
        check_crop("crop", self.crop)
        check_accelerator("accelerator", self.accelerator)
        check_positive("max_megapixels", self.max_megapixels)
