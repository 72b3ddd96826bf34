"""Training data from a folder of labelled micrographs, split by image."""

from pathlib import Path

from grainseg.config import AugmentConfig, FolderDataConfig
from grainseg.data.images import mean_line_width_px, read_labelled
from grainseg.data.patches import PatchDataset
from grainseg.data.source import TrainingData
from grainseg.micrograph.folder import list_folder, split_with_test


def read_folder(config: FolderDataConfig, augment: AugmentConfig, channels: int, seed: int) -> TrainingData:
    """Read all pictures, some to cut patches from and some to score.

    Args:
        config: Where the data are, and how they are split and cut.
        augment: Ranges of the augmentation.
        channels: Channels that the network takes.
        seed: Determines every patch.

    Raises:
        GrainsegError: A file or the split cannot be what the configuration says.
    """
    listing = list_folder(Path(config.root))
    items = {item.stem: item for item in listing.labelled}
    train, val, test = split_with_test(list(items), config.val, config.test, config.fold, config.folds)
    images = {stem: read_labelled(items[stem], config, channels) for stem in (*train, *val, *test)}
    train_images = [images[stem] for stem in train]
    overlap = config.overlap if config.sampling == "grid" else None
    patches = PatchDataset(train_images, config.tile_size, augment, seed, overlap)
    return TrainingData(
        patches=patches,
        patches_per_epoch=config.patches_per_epoch if patches.grid is None else len(patches.grid),
        trains_on=", ".join(train),
        line_width_px=mean_line_width_px(train_images),
        val_images=tuple(images[stem] for stem in val),
        test_images=tuple(images[stem] for stem in test),
        left_out=listing.without_mask,
    )
