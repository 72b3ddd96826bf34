"""Settings for suggesting what to label next."""

from dataclasses import dataclass
from typing import Any

from grainseg.config.checks import check_accelerator, check_crop, check_positive, require

MIN_WINDOW_PX = 32
MAX_COUNT = 1000


@dataclass
class SuggestConfig:
    """Settings of one ranking of pictures without labels.

    Attributes:
        checkpoint: ``best.ckpt`` of a training run, or a weights file; None takes the weights that ship.
        images: The pictures: a file, a folder or a glob.
        output: Folder of all files that are written.
        count: Largest number of regions to suggest.
        window_px: Height and width of a region in px; None is 256, or half of each side shorter than 512 px
            (sides below 64 px are not divided).
        crop: px to cut from [top, bottom, left, right], "auto" for the data bar, or None.
        accelerator: Device on which the network computes.
        max_megapixels: Largest accepted picture in 10⁶ px.
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
