"""Training data from a folder of labelled micrographs, split by image."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from grainseg.config import AugmentConfig, FolderDataConfig
from grainseg.data.images import LabelledMicrograph, mean_line_width_px, read_labelled, warnings_of
from grainseg.data.patches import PatchDataset
from grainseg.data.registration import Observe, Offset, label_offset_px
from grainseg.data.scale import (
    intercept_of_lines,
    label_lines,
    mixed_scale_warnings,
    shared_pixel_size_um,
    suited_shrink,
)
from grainseg.data.source import TrainingData
from grainseg.micrograph.folders.folder import FolderListing, list_folder, split_with_test
from grainseg.micrograph.folders.used_images import UsedImages, used_images
from grainseg.micrograph.image import IGNORE
from grainseg.micrograph.plain.synthetic_folder import ensure_synthetic_folder

FEW_PATCHES = 4
"""A run warns if the labelled area is smaller than this many patches: all patches are then similar."""


def prepare_folder(config: FolderDataConfig) -> None:
    """Write the synthetic folder if the configuration uses it and it does not exist yet.

    Raises:
        GrainsegError: The folder cannot be written, or holds something else.
    """
    if config.name == "synthetic":
        ensure_synthetic_folder(Path(config.root))


def read_folder(
    config: FolderDataConfig,
    augment: AugmentConfig,
    channels: int,
    seed: int,
    observe: Observe | None = None,
) -> TrainingData:
    """Read all pictures: those to cut patches from, and those to validate and test on.

    Args:
        config: Location of the data, and how they are split and cut.
        augment: Ranges of the augmentation.
        channels: Number of channels of the network's input.
        seed: Determines every patch.
        observe: Predicts where boundaries are, for ``data.label_offset=auto``; None for no offset then.

    Raises:
        GrainsegError: A file or the split does not match the configuration.
    """
    listing = list_folder(Path(config.root))
    items = listing.by_stem
    train, val, test = split = _split(config, listing)
    images = {stem: read_labelled(items[stem], config, channels) for stem in (*train, *val, *test)}
    train_images = [images[stem] for stem in train]
    offset = _label_offset(config, train_images, observe)
    train_images = [replace(image, label_offset_px=offset) for image in train_images]
    lines = {stem: label_lines(images[stem].label) for stem in (*train, *val)}
    intercept_px = intercept_of_lines([line for stem in train for line in lines[stem]])
    shrink = suited_shrink(intercept_px) if config.shrink == "auto" else config.shrink
    overlap = config.overlap * shrink if config.sampling == "grid" else None
    patches = PatchDataset(train_images, config.tile_size * shrink, augment, seed, overlap)
    labelled = sum(int(np.count_nonzero(image.label != IGNORE)) for image in train_images)
    return TrainingData(
        patches=patches,
        patches_per_epoch=config.patches_per_epoch if patches.grid is None else len(patches.grid),
        trains_on=", ".join(train),
        line_width_px=mean_line_width_px(train_images),
        val_images=tuple(images[stem] for stem in val),
        train_images=tuple(train_images),
        test_images=tuple(images[stem] for stem in test),
        without_mask=listing.without_mask,
        without_image=listing.without_image,
        labelled_share=labelled / sum(image.label.size for image in train_images),
        pixel_size_um=shared_pixel_size_um([image.pixel_size_um for image in train_images]),
        intercept_px=intercept_px,
        shrink=shrink,
        label_offset_px=offset,
        images=used_images(items, split),
        warnings=(
            *_area_warnings(labelled, config.tile_size, shrink),
            *mixed_scale_warnings({stem: intercept_of_lines(each) for stem, each in lines.items()}, shrink),
            *warnings_of(images.values()),
        ),
    )


def images_of(config: FolderDataConfig) -> UsedImages:
    """Return the images that a training on the folder would use now.

    Raises:
        GrainsegError: The folder or the split does not match the configuration.
    """
    listing = list_folder(Path(config.root))
    return used_images(listing.by_stem, _split(config, listing))


def _split(config: FolderDataConfig, listing: FolderListing) -> tuple[list[str], list[str], list[str]]:
    stems = [item.stem for item in listing.labelled]
    return split_with_test(stems, config.val, config.test, config.fold, config.folds)


def _label_offset(
    config: FolderDataConfig, images: Sequence[LabelledMicrograph], observe: Observe | None
) -> Offset:
    if isinstance(config.label_offset, list):
        down, right = config.label_offset
        return float(down), float(right)
    if config.label_offset is None or observe is None:
        return 0.0, 0.0
    return label_offset_px(images, observe)


def _area_warnings(labelled_px: int, tile_size: int, shrink: int) -> tuple[str, ...]:
    patches = labelled_px / (tile_size * shrink) ** 2
    setting = f"data.tile_size={tile_size}" + (f" and data.shrink={shrink}" if shrink > 1 else "")
    if patches >= FEW_PATCHES:
        return ()
    return (
        f"only {labelled_px} px of all training masks are labelled, as many as {patches:.1f} patches "
        f"of {setting} have: the network may learn them by heart; label more",
    )
