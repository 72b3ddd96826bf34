"""Training data from a folder of labelled micrographs, split by image."""

from pathlib import Path

from grainseg.config import AugmentConfig, FolderDataConfig
from grainseg.data.images import mean_line_width_px, read_labelled
from grainseg.data.patches import PatchDataset
from grainseg.data.source import TrainingData
from grainseg.errors import GrainsegError
from grainseg.micrograph.folder import list_folder, split_stems


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
    train, val, test = _split(config, sorted(items))
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


def _split(config: FolderDataConfig, stems: list[str]) -> tuple[list[str], list[str], list[str]]:
    test = config.test or []
    twice = sorted({stem for stem in test if test.count(stem) > 1})
    if twice:
        raise GrainsegError(f"data.test names {twice[0]!r} twice")
    unknown = [stem for stem in test if stem not in stems]
    if unknown:
        raise GrainsegError(f"data.test names {unknown[0]!r}; labelled images are {', '.join(stems)}")
    both = sorted(set(test) & set(config.val or []))
    if both:
        raise GrainsegError(f"data.test and data.val both name {both[0]!r}; an image can serve one only")
    rest = [stem for stem in stems if stem not in test]
    train, val = split_stems(rest, config.val, config.fold, config.folds)
    return train, val, list(test)
