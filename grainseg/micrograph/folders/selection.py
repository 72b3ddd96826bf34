"""Which pictures a prediction is asked for: a file, a folder or a glob."""

import glob
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.micrograph.files import IMAGE_SUFFIXES
from grainseg.micrograph.names import is_file, plain_name

log = logging.getLogger(__name__)

_OF_THE_SYSTEM = frozenset({"lost+found", "system volume information", "$recycle.bin"})
"""Folders, in small letters, that a volume has and that its users cannot look into."""

OUTPUT_ENDS = {
    "mask": "_mask.png",
    "probability": "_probability.tif",
    "overlay": "_overlay.png",
    "grains": "_grains.tif",
    "panel": "_panel.png",
    "uncertainty": "_uncertainty.tif",
}
"""How the names of the files end that a prediction leaves of a picture: the first three always."""

RECORDS = {"suggestions.png": "suggested_images.csv", "robustness.png": "robustness.json"}
"""Pictures of a name of their own, which `grainseg suggest` and `grainseg robustness` leave, each with what
they leave beside it."""

SYNTHETIC = "synthetic.json"
"""What lies beside ``images/`` of the synthetic fields, and beside their masks and grain maps."""


@dataclass(frozen=True)
class SelectedImage:
    """One picture, and its path relative to the folder that the selection starts from."""

    path: Path
    relative: Path


@dataclass(frozen=True)
class Selection:
    """What a file name, a folder or a glob stands for.

    Attributes:
        images: The pictures, sorted by path, at least one. Also what has a picture's name and is no file,
            such as a link to nothing: reading it fails, and says so.
        unlisted: One line for each folder that nobody could look into.
    """

    images: list[SelectedImage]
    unlisted: tuple[str, ...] = ()


def list_images(images: str, output: Path, key: str = "images") -> Selection:
    """List the pictures that a file name, a folder (with all its subfolders) or a glob stands for.

    What exists under that very name is taken as it is, brackets and stars included; only else is it a glob.
    In a folder that is asked for pictures, what an earlier run drew there is none. Links to folders are not
    followed, which is said. Hidden folders in it, whose names begin with a point, are passed over, and so are
    those of the system that cannot be looked into.

    Args:
        images: As typed.
        output: Folder of the predictions. What lies in there is no input, so that a second run over the same
            folder does not predict on the first one's masks.
        key: Name of the setting, for the error.

    Raises:
        GrainsegError: Nothing is found, the output is a file or would lie among the pictures, or two pictures
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
    """What lies in a folder and its subfolders but the output, and a line for each that cannot be listed."""
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
    """A line for each folder that a glob passes over, since it cannot be listed."""
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


def _without_outputs(found: list[Path]) -> list[Path]:
    """Leave out what earlier runs drew: it lies together under names that it shares, or beside a record."""
    present = {str(path) for path in found}
    first, *others = list(OUTPUT_ENDS.values())[:3]
    bases = [text.removesuffix(first) for text in present if text.endswith(first)]
    predicted = {base for base in bases if all(base + other in present for other in others)}
    written = {base + end for base in predicted for end in OUTPUT_ENDS.values()}
    if predicted:
        log.warning("%d earlier predictions are left out", len(predicted))
    drawn = [path for path in found if path.name in RECORDS and path.with_name(RECORDS[path.name]) in found]
    labels = {path.parent / part for path in found if path.name == SYNTHETIC for part in ("masks", "grains")}
    for path in sorted([*drawn, *labels]):
        log.warning("%s: was drawn by grainseg, and is left out", path)
    return [path for path in found if not (str(path) in written or path in drawn or path.parent in labels)]


def selection_root(images: str) -> Path:
    """Where relative paths start: the folder given, a file's, or the one above the first wildcard.

    A folder that exists is no wildcard, whatever its name.
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
    """Raise a GrainsegError where two pictures have one name, and would write the same outputs."""
    taken: dict[Path, Path] = {}
    for image in selected:
        target = image.relative.with_suffix("")
        if target in taken:
            raise GrainsegError(
                f"{taken[target]} and {image.path} would write the same outputs; "
                "rename one, or predict them into different output folders"
            )
        taken[target] = image.path


def find_mask(masks: Path, relative: Path) -> Path | None:
    """The mask of a picture: same relative path and stem, any supported suffix.

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
    """See that a picture has a mask: none has one where the folder is another.

    Args:
        masks: As typed.
        images: The pictures, at least one.

    Raises:
        GrainsegError: There are no masks, or none of any picture.
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
    """Whether there is a mask of a picture, or several that could be."""
    try:
        return find_mask(masks, relative) is not None
    except (GrainsegError, OSError):  # said of that picture alone, later
        return True
