"""A folder of labelled micrographs, and its split into training, validation and test images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.micrograph.files import IMAGE_SUFFIXES
from grainseg.micrograph.names import plain_name


@dataclass(frozen=True)
class LabelledImage:
    """An image and its mask.

    Attributes:
        stem: Common file name of both without the extension, normalised by `plain_name`.
        image: Image file.
        mask: Mask file; its extension may differ.
    """

    stem: str
    image: Path
    mask: Path


@dataclass(frozen=True)
class FolderListing:
    """Images and masks in a data folder, sorted by stem.

    Attributes:
        labelled: Images with a mask, at least one.
        without_mask: Images without a mask.
        without_image: Masks without an image, perhaps because their names differ.
    """

    labelled: tuple[LabelledImage, ...]
    without_mask: tuple[Path, ...]
    without_image: tuple[Path, ...]

    @property
    def by_stem(self) -> dict[str, LabelledImage]:
        """The images with a mask, by stem."""
        return {item.stem: item for item in self.labelled}


def list_folder(root: Path) -> FolderListing:
    """Pair ``root/images/<stem>.<ext>`` with ``root/masks/<stem>.<ext>``.

    Hidden files and files whose extension is not in ``IMAGE_SUFFIXES`` (upper or lower case) are left out.

    Args:
        root: Data folder.

    Raises:
        GrainsegError: A folder is missing, empty or unreadable, two files share a stem, an entry with an
            image's name is not a file, or no image has a mask.
    """
    if not root.is_dir():
        raise GrainsegError(f"data.root={root}: there is no such folder; check the path")
    images = _files_by_stem(root / "images")
    masks = _files_by_stem(root / "masks")
    labelled = tuple(LabelledImage(stem, path, masks[stem]) for stem, path in images.items() if stem in masks)
    if not labelled:
        raise GrainsegError(
            f"data.root={root}: no image has a mask; a mask has its image's name, but "
            f"{root / 'images'} holds {next(iter(images))} … and {root / 'masks'} {next(iter(masks))} …"
        )
    return FolderListing(labelled, _not_in(masks, images), _not_in(images, masks))


def split_stems(
    stems: Sequence[str], val: Sequence[str] | None, fold: int | None, folds: int | None
) -> tuple[list[str], list[str]]:
    """Split images into training and validation.

    Args:
        stems: Names of the labelled images, in any order.
        val: Names of the validation images.
        fold: Instead of ``val``, the fold that validates, from 0 to ``folds`` - 1. The i-th of the sorted
            names belongs to fold i mod ``folds``, so every image validates in exactly one fold.
        folds: Number of folds, at most one per image. Without ``val`` and folds the last name validates.

    Returns:
        Names for training and for validation, both sorted, neither empty.

    Raises:
        GrainsegError: There are fewer than two images, or the split contradicts itself or trains on nothing.
    """
    ordered = sorted(stems)
    val = None if val is None else [plain_name(stem) for stem in val]
    if len(ordered) < 2:
        raise GrainsegError(f"data.root: holds {len(ordered)} labelled image; training needs at least 2")
    if val is not None and (fold is not None or folds is not None):
        raise GrainsegError("data.val and data.fold: are two ways to split; set one of them to null")
    if val is not None:
        chosen = _named(ordered, val)
    elif fold is not None or folds is not None:
        chosen = _fold(ordered, fold, folds)
    else:
        chosen = {ordered[-1]}
    return [stem for stem in ordered if stem not in chosen], [stem for stem in ordered if stem in chosen]


def split_with_test(
    stems: Sequence[str],
    val: Sequence[str] | None,
    test: Sequence[str] | None,
    fold: int | None,
    folds: int | None,
) -> tuple[list[str], list[str], list[str]]:
    """Split images into training, validation and test; test images neither train nor validate.

    Args:
        stems: Names of the labelled images, in any order.
        val: As for `split_stems`.
        test: Names of the test images; None for none.
        fold: As for `split_stems`, over the images that are not test images.
        folds: As for `split_stems`.

    Returns:
        Names for training and for validation, both sorted, and those of the test images in the given order.

    Raises:
        GrainsegError: As for `split_stems`, or ``test`` names an image twice, one that is not a labelled
            image, or one that validates.
    """
    ordered, tested = sorted(stems), [plain_name(stem) for stem in test or []]
    twice = sorted({stem for stem in tested if tested.count(stem) > 1})
    if twice:
        raise GrainsegError(f"data.test names {twice[0]!r} twice")
    unknown = [stem for stem in tested if stem not in ordered]
    if unknown:
        raise GrainsegError(f"data.test names {unknown[0]!r}; labelled images are {', '.join(ordered)}")
    both = sorted(set(tested) & {plain_name(stem) for stem in val or []})
    if both:
        raise GrainsegError(f"data.test and data.val both name {both[0]!r}; an image can serve one only")
    train, validate = split_stems([stem for stem in ordered if stem not in tested], val, fold, folds)
    return train, validate, tested


def _files_by_stem(folder: Path) -> dict[str, Path]:
    """Image files of a folder, sorted by stem."""
    if not folder.is_dir():
        raise GrainsegError(f"{folder}: there is no such folder; data.root needs images/ and masks/")
    by_stem: dict[str, Path] = {}
    for path in sorted(_listed(folder), key=lambda path: (plain_name(path.stem), path.name)):
        if path.name.startswith(".") or path.suffix.lower() not in IMAGE_SUFFIXES or path.is_dir():
            continue
        if not path.is_file():
            raise GrainsegError(f"{path}: is a link to nothing, or no file; bring the file back or remove it")
        stem = plain_name(path.stem)
        if stem in by_stem:
            raise GrainsegError(
                f"{folder}: {by_stem[stem].name} and {path.name} have one name; remove or rename one"
            )
        by_stem[stem] = path
    if not by_stem:
        raise GrainsegError(
            f"{folder}: holds no image; put files of {', '.join(sorted(IMAGE_SUFFIXES))} there"
        )
    return by_stem


def _not_in(others: Mapping[str, Path], files: Mapping[str, Path]) -> tuple[Path, ...]:
    return tuple(path for stem, path in files.items() if stem not in others)


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise GrainsegError(f"{folder}: cannot be listed ({error.strerror}); make it readable") from error


def _named(stems: list[str], val: Sequence[str]) -> set[str]:
    chosen = set(val)
    if not chosen:
        raise GrainsegError("data.val=[]: names no image; name one or set it to null")
    if len(chosen) < len(val):
        twice = next(stem for stem in val if val.count(stem) > 1)
        raise GrainsegError(f"data.val: names {twice} twice; name each image once")
    if unknown := sorted(chosen.difference(stems)):
        raise GrainsegError(
            f"data.val: {', '.join(unknown)} is no labelled image; there are {', '.join(stems)}"
        )
    if len(chosen) == len(stems):
        raise GrainsegError("data.val: names every image, none is left to train on; name fewer")
    return chosen


def _fold(stems: list[str], fold: int | None, folds: int | None) -> set[str]:
    if fold is None or folds is None:
        missing, given = ("data.fold", "data.folds") if fold is None else ("data.folds", "data.fold")
        raise GrainsegError(f"{missing}: is missing although {given} is set; set both")
    if not 2 <= folds <= len(stems):
        raise GrainsegError(f"data.folds={folds}: must be 2 to {len(stems)}, the number of labelled images")
    if not 0 <= fold < folds:
        raise GrainsegError(f"data.fold={fold}: must be 0 to {folds - 1}, less than data.folds={folds}")
    return set(stems[fold::folds])
