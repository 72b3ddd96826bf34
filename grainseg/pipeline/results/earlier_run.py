"""What an earlier run left in the output folder: named where it stays, and not taken for other files."""

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
"""What a run that measures always writes."""


def require_replaceable(output: Path) -> None:
    """See before any work that no table or report of somebody else stands where this run writes its own.

    Args:
        output: Folder of the tables, which need not exist.

    Raises:
        GrainsegError: A folder has the name of a file that is written, a table or the report is none of
            `grainseg`, or the comparisons are of no run that measured.
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
    """See before any work that nothing of somebody else stands where a robustness card is written.

    Args:
        output: Folder of the card, which need not exist.

    Raises:
        GrainsegError: A folder has the name of a file that is written, or a file is none of `grainseg`.
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
    """See before any work that nothing of somebody else stands where suggestions are written.

    Args:
        output: Folder of the suggestions, which need not exist.

    Raises:
        GrainsegError: A folder has the name of a file that is written, or a file is none of `grainseg`.
    """
    for name in (REGIONS, RANKED):
        require_table(output / name)
    require_no_folder(output / SHEET)
    require_picture(output / SHEET)


def require_no_folder(path: Path) -> None:
    """Raise a GrainsegError where a folder stands in the place of a file that is to be written."""
    if path.is_dir():
        raise GrainsegError(
            f"{path}: is a folder, and a file of this name is written; choose another output folder"
        )


def require_table(path: Path) -> None:
    """Raise a GrainsegError where a table would overwrite a folder, or what `grainseg` did not write."""
    require_no_folder(path)
    if path.exists() and not is_table(path):
        raise GrainsegError(_overwritten(path, "is no table of grainseg"))


def require_page(path: Path) -> None:
    """Raise a GrainsegError where a page would overwrite a folder, or what `grainseg` did not write."""
    require_no_folder(path)
    if path.exists() and not is_page(path):
        raise GrainsegError(_overwritten(path, "is no report of grainseg"))


def require_picture(path: Path) -> None:
    """Raise a GrainsegError where a picture would overwrite what somebody drew or changed."""
    if is_file(path) and not is_picture(path):
        raise GrainsegError(
            f"{path}: was drawn or changed by another program (or by an earlier version of grainseg) and "
            "would be overwritten; move it, or choose another output folder"
        )


def require_own_pictures(output: Path, relative: Path) -> None:
    """Raise a GrainsegError where a prediction would overwrite what somebody drew or corrected.

    Args:
        output: Folder of all pictures' files.
        relative: The picture's relative path.
    """
    paths = prediction_paths(output, relative)
    for path in (paths.mask, paths.grains):
        require_picture(path)


def require_metrics(path: Path, key: str) -> None:
    """Raise a GrainsegError where scores would overwrite a folder, or a file that no such run wrote.

    Args:
        path: The file, which need not exist.
        key: What such a run always writes there.
    """
    require_no_folder(path)
    if path.exists() and not is_metrics(path, key):
        raise GrainsegError(_overwritten(path, "holds no scores of such a run"))


def _overwritten(path: Path, why: str) -> str:
    return f"{path}: {why} and would be overwritten; choose another output folder"


FileState = tuple[int, int]
"""Tells a file from one that took its place: its number in the file system, and when it was written."""


def files_before(output: Path, relative: Path) -> dict[str, FileState]:
    """Files of a picture that are there before it is done, by their names relative to the output folder.

    Args:
        output: Folder of all pictures' files.
        relative: The picture's relative path.
    """
    paths = vars(prediction_paths(output, relative)).values()
    states = {path.relative_to(output).as_posix(): _state(path) for path in paths}
    return {name: state for name, state in states.items() if state is not None}


def warn_of_unreplaced(output: Path, before: Mapping[str, FileState]) -> None:
    """Say which files of a picture that failed are still those of an earlier run.

    A picture may fail after some of its files were written, which are then of this run.

    Args:
        output: Folder of all pictures' files.
        before: What was there, see `files_before`.
    """
    warn_of_older(output, *(name for name, state in before.items() if _state(output / name) == state))


def maps_before(output: Path) -> dict[Path, FileState]:
    """All grain maps that are in a folder before a run writes its own.

    Args:
        output: Folder of all pictures' files, which need not exist.
    """
    states = {path: _state(path) for path in output.rglob(f"*{GRAINS_SUFFIX}.tif")}
    return {path: state for path, state in states.items() if state is not None}


def warn_of_older_maps(output: Path, before: Mapping[Path, FileState]) -> None:
    """Say where maps of an earlier run lie beside the new ones: `grainseg measure` would measure them, too.

    A map that this run wrote of a picture that failed later is none of these.

    Args:
        output: Folder of the new ones.
        before: What was there, see `maps_before`.
    """
    older = sorted(path for path, state in before.items() if _state(path) == state)
    if older:
        log.warning(
            "%s: has grains of %s of an earlier run, %s first, which are in no table of this one; "
            "'grainseg measure' would take them, too",
            output, counted(len(older), "picture"), older[0],
        )  # fmt: skip


def _state(path: Path) -> FileState | None:
    if not is_file(path):
        return None
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


def warn_of_older(output: Path, *names: str) -> None:
    """Say which files of an earlier run lie beside the new ones; they may be all there is of it.

    Args:
        output: Folder of the new ones.
        names: What this run would have written and has not, relative to it.
    """
    older = [name for name in names if is_file(output / name)]
    if older:
        log.warning("%s: left by an earlier run, and not of this one: %s", output, ", ".join(older))


@contextmanager
def tables_come_last(output: Path, *names: str) -> Iterator[None]:
    """Where this run is stopped, say which tables are still those of an earlier one, beside newer pictures.

    Args:
        output: Folder of the tables.
        names: What is written once all pictures are done, relative to it.
    """
    try:
        yield
    except BaseException:  # whatever stops it: a signal, or memory that does not suffice
        warn_of_older(output, *names)
        raise
