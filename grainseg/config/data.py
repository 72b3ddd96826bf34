"""Settings of the data of a training run: a folder of labelled micrographs, or a synthetic stream."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grainseg.config.checks import (
    TILE_RULE,
    check_crop,
    check_label_offset,
    check_one_of,
    check_positive,
    check_shrink,
    legal_tiles,
    require,
)
from grainseg.config.recipe import read_recipe
from grainseg.micrograph.wide.recipe import WideRecipe

MAX_LABEL_WIDTH_PX = 32
"""Largest width of label lines: patches support no wider lines, and nobody draws them."""
MAX_WORKERS = 64
"""Largest number of workers, each a process with a copy of its data; more than any accelerator needs."""


@dataclass
class LabelConfig:
    """Meaning of the values of a mask: set by the user, never inferred.

    Attributes:
        label_kind: ``boundary``, ``lines`` (drawn thinly) or ``instances`` (a number for each grain).
        boundary_value: Value of the boundaries or lines.
        ignore_value: Value of pixels that were not judged; None for none.
        label_width_px: Width in px at which lines, and boundaries of instances, are drawn; None for the kind
            ``boundary``.
        zero: Meaning of 0 among instances: ``boundary`` or ``ignored``; None refuses maps that hold 0.
        max_megapixels: Largest accepted mask or picture in 10⁶ px.
    """

    label_kind: str
    boundary_value: int
    ignore_value: int | None
    label_width_px: int | None
    zero: str | None
    max_megapixels: float

    def __post_init__(self) -> None:
        check_positive("data.max_megapixels", self.max_megapixels)
        for key in ("boundary_value", "ignore_value"):
            value = getattr(self, key)
            held = value is None or -(2**31) <= value < 2**32
            require(held, f"data.{key}", "must be -2**31 to 2**32 - 1, as in a picture of 32 bits", value)
        rule = f"must be 1 to {MAX_LABEL_WIDTH_PX}, or null"
        legal = self.label_width_px is None or 1 <= self.label_width_px <= MAX_LABEL_WIDTH_PX
        require(legal, "data.label_width_px", rule, self.label_width_px)


@dataclass
class LabelledFolderConfig(LabelConfig):
    """Folder of the labelled micrographs, the meaning of their masks, their crop and their split."""

    root: str
    val: list[str] | None
    test: list[str] | None
    fold: int | None
    folds: int | None
    crop: Any

    def __post_init__(self) -> None:
        LabelConfig.__post_init__(self)
        check_crop("data.crop", self.crop)


@dataclass
class DataConfig:
    """The patches of a training run, whatever their source."""

    name: str
    tile_size: int
    patches_per_epoch: int
    num_workers: int

    def __post_init__(self) -> None:
        require(legal_tiles(self.tile_size, 0), "data.tile_size", TILE_RULE, self.tile_size)
        check_positive("data.patches_per_epoch", self.patches_per_epoch)
        legal = 0 <= self.num_workers <= MAX_WORKERS
        require(legal, "data.num_workers", f"must be 0 to {MAX_WORKERS}", self.num_workers)


@dataclass
class FolderDataConfig(DataConfig, LabelledFolderConfig):
    """Labelled micrographs, and how they are cut into patches."""

    sampling: str
    overlap: int
    shrink: Any
    label_offset: Any

    def __post_init__(self) -> None:
        DataConfig.__post_init__(self)
        LabelledFolderConfig.__post_init__(self)
        check_label_offset("data.label_offset", self.label_offset)
        check_shrink("data.shrink", self.shrink)
        check_one_of("data.sampling", self.sampling, ("random", "grid"))
        rule = "must be at least 0 and less than data.tile_size"
        require(0 <= self.overlap < self.tile_size, "data.overlap", rule, self.overlap)


@dataclass
class StreamDataConfig(DataConfig):
    """An endless stream of synthetic pictures, each seen once, and the pictures for validation.

    Attributes:
        recipe: Ranges of all properties that are drawn, with the keys of ``WideRecipe``.
        val_side: Height and width of a validation picture in px.
        val_pictures: Number of validation pictures of each regime.
        regimes: Changes to the recipe for each regime (kind of validation picture), by its name.
    """

    recipe: dict[str, Any]
    val_side: int
    val_pictures: int
    regimes: dict[str, Any]

    def __post_init__(self) -> None:
        super().__post_init__()
        require(32 <= self.val_side <= 4096, "data.val_side", "must be 32 to 4096", self.val_side)
        require(1 <= self.val_pictures <= 1000, "data.val_pictures", "must be 1 to 1000", self.val_pictures)
        require(bool(self.regimes), "data.regimes", "must name one or more", self.regimes)
        for name, changes in self.regimes.items():
            rule = "is the name of a score: small letters, digits and _ only"
            require(re.fullmatch("[a-z0-9_]+", name) is not None, "data.regimes", rule, name)
            rule = "must be keys of data.recipe with their values"
            require(isinstance(changes, dict), f"data.regimes.{name}", rule, changes)
        self.training_recipe()
        self.regime_recipes()

    def training_recipe(self) -> WideRecipe:
        """Recipe of the training pictures."""
        return read_recipe(self.recipe, "data.recipe")

    def regime_recipes(self) -> dict[str, WideRecipe]:
        """Complete recipe of each regime, by its name."""
        return {
            name: read_recipe(self.recipe | changes, f"data.regimes.{name}")
            for name, changes in self.regimes.items()
        }


DATA_SCHEMAS: Mapping[str, type[DataConfig]] = {
    "synthetic": FolderDataConfig,
    "folder": FolderDataConfig,
    "stream": StreamDataConfig,
}
