"""Select the pictures to predict, from a file name, a folder or a glob."""

import glob
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.micrograph.files import IMAGE_SUFFIXES
from grainseg.micrograph.formats.decoding import software_of
from grainseg.micrograph.names import is_file, plain_name

log = logging.getLogger(__name__)

_OF_THE_SYSTEM = frozenset({"lost+found", "system volume information", "$recycle.bin"})
"""Folders of the system on a volume, in lower case, which its users cannot open."""

OUTPUT_ENDS = {
    "mask": "_mask.png",
    "probability": "_probability.tif",
    "overlay": "_overlay.png",
    "grains": "_grains.tif",
    "panel": "_panel.png",
    "uncertainty": "_uncertainty.tif",
}
"""Name endings of the files that a prediction writes for a picture; mask, probability and overlay always."""

RECORDS = {"suggestions.png": "suggested_images.csv", "robustness.png": "robustness.json"}
"""Pictures that `grainseg suggest` and `grainseg robustness` write under a fixed name, each with the file
that is written beside it."""

SYNTHETIC = "synthetic.json"
"""File beside the folders ``images``, ``masks`` and ``grains`` of the synthetic fields."""


@dataclass(frozen=True)
class SelectedImage:
    """One picture, and its path relative to the folder that the selection starts from."""

    path: Path
    relative: Path


@dataclass(frozen=True)
class Selection:
    """Pictures that a file name, a folder or a glob stands for.

    Attributes:
        images: The pictures, sorted by path, at least one. An entry that has a picture's name but is no file,
            such as a broken link, is included, so that reading it reports the error.
        unlisted: One line for each folder that could not be listed.
    """

    images: list[SelectedImage]
    unlisted: tuple[str, ...] = ()


def list_images(images: str, output: Path, key: str = "images") -> Selection:
    """List the pictures that a file name, a folder (with all its subfolders) or a glob stands for.

    A file or folder that exists under the exact name is used, even with brackets or stars in its name;
    otherwise the name is a glob. In a folder of pictures (key ``images``), files that an earlier run drew are
    left out. Links to folders are not followed, with a warning. Hidden folders, whose names begin with a dot,
    are skipped, and so are folders of the system that cannot be listed.

    Args:
        images: File name, folder or glob, as typed.
        output: Folder of the predictions. Files in it are not used as input, so that a second run over the
            same folder does not predict on the first one's masks.
        key: Name of the setting, also for the error message.

    Raises:
        GrainsegError: Nothing is found, the output is a file or the folder of the pictures, or two pictures
            would write the same output.
    """
    if is_file(output):
        raise GrainsegError(f"output={output}: is a file; give a folder")
    path, root = Path(images), selection_root(images)
    if root.resolve() == output.resolve():
        raise GrainsegError(f"output={output} is the folder of the {key}; choose another one")
    if path.is_file():
        return Selection([SelectedImage(path, Path(path.name))])
    unlisted: tuple[str, ...] = ()
    if path.is_dir():
        found, unlisted = _walk(path, output)
    else:
        pattern = str(path.relative_to(root))
        found = [root / name for name in glob.glob(pattern, root_dir=root, recursive=True)]  # noqa: PTH207
        unlisted = _closed(root, str(Path(pattern).parent))
    if path.is_dir() and key == "images":
        found = _without_outputs(found)
    within = output.resolve().is_relative_to(root.resolve())
    selected = [
        SelectedImage(file, file.relative_to(root))
        for file in sorted(found)
        if file.suffix.lower() in IMAGE_SUFFIXES
        and not file.name.startswith(".")
        and not os.path.isdir(file)  # noqa: PTH112 - unlike is_dir it raises nothing
        and not (within and Path(os.path.realpath(file)).is_relative_to(output.resolve()))
    ]
    if not selected:
        kinds = ", ".join(sorted(IMAGE_SUFFIXES))
        also = f"; {unlisted[0]}" if unlisted else ""
        raise GrainsegError(f"{key}={images}: no such file, or no pictures there (looked for {kinds}){also}")
    refuse_collisions(selected)
    return Selection(selected, unlisted)


def _walk(folder: Path, output: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Files in a folder and its subfolders except the output, and a line for each folder not listed."""
    found: list[Path] = []
    unlisted: list[str] = []

    def tell(error: OSError) -> None:
        if error.filename == str(folder) or not _is_of_the_system(error.filename):
            unlisted.append(_not_listed(error))

    for name, folders, files in os.walk(folder, onerror=tell):
        inside = Path(name)
        folders[:] = [each for each in folders if not each.startswith(".")]
        links = sorted(each for each in folders if (inside / each).is_symlink())
        for link in links:
            log.warning(
                "%s: is a link to a folder and is not followed; name that folder itself", inside / link
            )
        folders[:] = [each for each in folders if os.path.realpath(inside / each) != os.path.realpath(output)]
        found += [inside / each for each in files]
    return found, tuple(sorted(unlisted))


def _closed(root: Path, pattern: str) -> tuple[str, ...]:
    """One line for each folder that a glob skips because it cannot be listed."""
    lines = []
    for name in glob.glob(pattern, root_dir=root, recursive=True):  # noqa: PTH207
        if os.path.isdir(root / name) and not _is_of_the_system(name):  # noqa: PTH112
            try:
                os.scandir(root / name).close()
            except OSError as error:
                lines.append(_not_listed(error))
    return tuple(sorted(lines))


def _is_of_the_system(name: str) -> bool:
    return Path(name).name.casefold() in _OF_THE_SYSTEM


def _not_listed(error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return f"{error.filename}: cannot be listed ({reason}); make it readable, or move it away"


def predicted_stem(path: Path) -> str | None:
    """Name without suffix of the picture whose prediction a file belongs to, whoever changed the file since.

    Args:
        path: The file.

    Returns:
        The name; None unless the file ends as those of a prediction do, and the mask, the probability and the
        overlay of the same picture are there.
    """
    ends = list(OUTPUT_ENDS.values())
    for end in ends:
        stem = path.name.removesuffix(end)
        if stem and stem != path.name:
            return stem if all(is_file(path.with_name(stem + other)) for other in ends[:3]) else None
    return None


def is_output(path: Path) -> bool:
    """Whether a file belongs to a prediction, or is a single file of one, or of a measurement, by its tag.

    Args:
        path: The file.
    """
    named = path.name.endswith(tuple(OUTPUT_ENDS.values()))
    return named and (predicted_stem(path) is not None or software_of(path).startswith("grainseg"))


def _without_outputs(found: list[Path]) -> list[Path]:
    """Leave out what earlier runs drew, recognised by names, tags or a record beside it."""
    written = {path for path in found if is_output(path)}
    stems = {path: predicted_stem(path) for path in written}
    predicted = {(path.parent, stem) for path, stem in stems.items() if stem is not None}
    if predicted:
        log.warning("%d earlier predictions are left out", len(predicted))
    single = sorted(path for path, stem in stems.items() if stem is None)
    if single:
        log.warning("other files that grainseg wrote are left out: %d, %s first", len(single), single[0])
    drawn = [path for path in found if path.name in RECORDS and path.with_name(RECORDS[path.name]) in found]
    labels = {path.parent / part for path in found if path.name == SYNTHETIC for part in ("masks", "grains")}
    for path in sorted([*drawn, *labels]):
        log.warning("%s: was drawn by grainseg, and is left out", path)
    return [path for path in found if not (path in written or path in drawn or path.parent in labels)]


def selection_root(images: str) -> Path:
    """Folder that relative paths start from: the given one, a file's, or the one above the first wildcard.

    A folder that exists is not a wildcard, whatever its name.
    """
    path = Path(images)
    if path.is_dir():
        return path
    if path.is_file():
        return path.parent
    root = Path()
    for part in path.parts[:-1]:
        if glob.has_magic(part) and not (root / part).is_dir():
            break
        root /= part
    return root


def refuse_collisions(selected: list[SelectedImage]) -> None:
    """Raise a GrainsegError if two pictures have the same name and would write the same outputs."""
    taken: dict[Path, Path] = {}
    for image in selected:
        target = image.relative.with_suffix("")
        if target in taken:
            raise GrainsegError(
                f"{taken[target]} and {image.path} would write the same outputs; "
                "rename one, or process them one by one with different output folders"
            )
        taken[target] = image.path


def find_mask(masks: Path, relative: Path) -> Path | None:
    """Find the mask of a picture: same relative path and stem, any supported suffix.

    Args:
        masks: Folder of masks, or the one mask itself.
        relative: The picture's relative path.

    Returns:
        Its mask, or None.

    Raises:
        GrainsegError: Several files could be the mask.
    """
    if masks.is_file():
        return masks
    folder = masks / relative.parent
    found = sorted(
        file
        for file in (folder.iterdir() if folder.is_dir() else ())
        if plain_name(file.stem) == plain_name(relative.stem) and file.suffix.lower() in IMAGE_SUFFIXES
    )
    if len(found) > 1:
        raise GrainsegError(f"{found[0]} and {found[1]} could both be the mask of {relative}; remove one")
    return found[0] if found else None


def require_masks(masks: Path, images: Sequence[SelectedImage]) -> None:
    """Check that at least one picture has a mask; none has one if the wrong folder was given.

    Args:
        masks: Folder of masks, or one mask, as typed.
        images: The pictures, at least one.

    Raises:
        GrainsegError: There are no masks, no picture has one, or one mask is given for several pictures.
    """
    if not masks.exists():
        raise GrainsegError(f"masks={masks}: there is no such folder or file")
    if masks.is_file() and len(images) > 1:
        raise GrainsegError(f"masks={masks}: is one mask for {len(images)} pictures; give a folder")
    if not any(_has_mask(masks, image.relative) for image in images):
        raise GrainsegError(
            f"masks={masks}: holds no mask of any picture, which would have the path of {images[0].relative} "
            "there, with any suffix; give another folder, or none to predict without scores"
        )


def _has_mask(masks: Path, relative: Path) -> bool:
    """Whether a picture has a mask, or several files that could be its mask."""
    try:
        return find_mask(masks, relative) is not None
    except (GrainsegError, OSError):  # reported later, for that picture alone
        return True
