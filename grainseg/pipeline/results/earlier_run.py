"""Check the output folder: overwrite no file of another program, and name what an earlier run left."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.grains.wording import counted
from grainseg.micrograph.names import is_file
from grainseg.report.files.own_files import is_metrics, is_page, is_picture
from grainseg.report.files.prediction_files import GRAINS_SUFFIX, prediction_paths
from grainseg.report.files.robustness_note import NOTE, NOTE_KEY, PLOT
from grainseg.report.files.tables import (
    BATCHES,
    BUDGET,
    CARD,
    CARD_IMAGES,
    COMPARISONS,
    FIELDS,
    GRAINS,
    RANKED,
    REGIONS,
    is_table,
)

log = logging.getLogger(__name__)

REPORT = "report.html"
CARD_PAGE = "robustness.html"
SHEET = "suggestions.png"
TABLES = (GRAINS, FIELDS, BATCHES, BUDGET, REPORT)
"""Files that every measuring run writes."""


def require_replaceable(output: Path) -> None:
    """Check, before any work, that the tables and the report overwrite no file that grainseg did not write.

    Args:
        output: Folder of the tables, which need not exist.

    Raises:
        GrainsegError: A file to be written has the name of a folder, an existing table or report was not
            written by `grainseg`, or existing comparisons were written by `grainseg compare`.
    """
    require_page(output / REPORT)
    for name in (GRAINS, FIELDS, BATCHES, BUDGET, COMPARISONS):
        require_table(output / name)
    if (output / COMPARISONS).exists() and not (output / BATCHES).exists():
        raise GrainsegError(
            f"{output / COMPARISONS}: was written by grainseg compare and would be overwritten; choose "
            "another output folder"
        )


def require_replaceable_card(output: Path) -> None:
    """Check, before any work, that a robustness card overwrites no file that grainseg did not write.

    Args:
        output: Folder of the card, which need not exist.

    Raises:
        GrainsegError: A file to be written has the name of a folder, or would overwrite a file that
            `grainseg` did not write.
    """
    for name in (CARD, CARD_IMAGES):
        require_table(output / name)
    require_page(output / CARD_PAGE)
    require_metrics(output / NOTE, NOTE_KEY)
    require_no_folder(output / PLOT)
    if (output / PLOT).exists() and not (output / NOTE).exists():
        raise GrainsegError(
            _overwritten(output / PLOT, f"is no plot of grainseg, which has a {NOTE} beside it,")
        )


def require_replaceable_suggestions(output: Path) -> None:
    """Check, before any work, that suggestions overwrite no file that grainseg did not write.

    Args:
        output: Folder of the suggestions, which need not exist.

    Raises:
        GrainsegError: A file to be written has the name of a folder, or would overwrite a file that
            `grainseg` did not write.
    """
    for name in (REGIONS, RANKED):
        require_table(output / name)
    require_no_folder(output / SHEET)
    require_picture(output / SHEET)


def require_no_folder(path: Path) -> None:
    """Raise a GrainsegError if a file to be written has the name of a folder."""
    if path.is_dir():
        raise GrainsegError(
            f"{path}: is a folder, and a file of this name is written; choose another output folder"
        )


def require_table(path: Path) -> None:
    """Raise a GrainsegError if a table would overwrite a folder or a file that `grainseg` did not write."""
    require_no_folder(path)
    if path.exists() and not is_table(path):
        raise GrainsegError(_overwritten(path, "is no table of grainseg"))


def require_page(path: Path) -> None:
    """Raise a GrainsegError if a page would overwrite a folder or a file that `grainseg` did not write."""
    require_no_folder(path)
    if path.exists() and not is_page(path):
        raise GrainsegError(_overwritten(path, "is no report of grainseg"))


def require_picture(path: Path) -> None:
    """Raise a GrainsegError if a picture would overwrite one that somebody drew or changed."""
    if is_file(path) and not is_picture(path):
        raise GrainsegError(
            f"{path}: was drawn or changed by another program (or by an earlier version of grainseg) and "
            "would be overwritten; move it, or choose another output folder"
        )


def require_own_pictures(output: Path, relative: Path) -> None:
    """Raise a GrainsegError if a prediction would overwrite a mask or grain map that somebody changed.

    Args:
        output: Folder of all pictures' files.
        relative: The picture's relative path.
    """
    paths = prediction_paths(output, relative)
    for path in (paths.mask, paths.grains):
        require_picture(path)


def require_metrics(path: Path, key: str) -> None:
    """Raise a GrainsegError if scores would overwrite a folder or a file without scores of this kind.

    Args:
        path: The file, which need not exist.
        key: Key that every file of such scores has.
    """
    require_no_folder(path)
    if path.exists() and not is_metrics(path, key):
        raise GrainsegError(_overwritten(path, "holds no scores of such a run"))


def _overwritten(path: Path, why: str) -> str:
    return f"{path}: {why} and would be overwritten; choose another output folder"


FileState = tuple[int, int]
"""Inode number and modification time in ns of a file, to see whether another file has replaced it."""


def files_before(output: Path, relative: Path) -> dict[str, FileState]:
    """Return the existing output files of a picture, by their paths relative to the output folder.

    Args:
        output: Folder of all pictures' files.
        relative: The picture's relative path.
    """
    paths = vars(prediction_paths(output, relative)).values()
    states = {path.relative_to(output).as_posix(): _state(path) for path in paths}
    return {name: state for name, state in states.items() if state is not None}


def warn_of_unreplaced(output: Path, before: Mapping[str, FileState]) -> None:
    """Warn of the files of a failed picture that are still those of an earlier run.

    A picture may fail after some of its files were written; these belong to this run.

    Args:
        output: Folder of all pictures' files.
        before: Files that existed before, see `files_before`.
    """
    warn_of_older(output, *(name for name, state in before.items() if _state(output / name) == state))


def maps_before(output: Path) -> dict[Path, FileState]:
    """Return all grain maps in a folder before a run writes its own.

    Args:
        output: Folder of all pictures' files, which need not exist.
    """
    states = {path: _state(path) for path in output.rglob(f"*{GRAINS_SUFFIX}.tif")}
    return {path: state for path, state in states.items() if state is not None}


def warn_of_older_maps(output: Path, before: Mapping[Path, FileState]) -> None:
    """Warn of grain maps of an earlier run beside the new ones, which `grainseg measure` would measure, too.

    A map that this run wrote for a picture that failed later is not one of them.

    Args:
        output: Folder of the new maps.
        before: Maps that existed before, see `maps_before`.
    """
    older = sorted(path for path, state in before.items() if _state(path) == state)
    if older:
        log.warning(
            "%s: has grains of %s of an earlier run, %s first, which are in no table of this one; "
            "'grainseg measure' may take them, too",
            output, counted(len(older), "picture"), older[0],
        )  # fmt: skip


def _state(path: Path) -> FileState | None:
    if not is_file(path):
        return None
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


def warn_of_older(output: Path, *names: str) -> None:
    """Warn of files that an earlier run left; they are kept, since nothing else may be left of that run.

    Args:
        output: Folder of the results.
        names: Files that this run could have written but did not, relative to that folder.
    """
    older = [name for name in names if is_file(output / name)]
    if older:
        log.warning("%s: left by an earlier run, and not of this one: %s", output, ", ".join(older))


@contextmanager
def tables_come_last(output: Path, *names: str) -> Iterator[None]:
    """Warn, if this run is stopped, of the tables of an earlier run that now lie beside newer pictures.

    Args:
        output: Folder of the tables.
        names: Files that are written once all pictures are done, relative to that folder.
    """
    try:
        yield
    except BaseException:  # anything that stops the run, such as a signal or a lack of memory
        warn_of_older(output, *names)
        raise
