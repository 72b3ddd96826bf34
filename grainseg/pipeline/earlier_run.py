"""What an earlier run left in the output folder: named where it stays, and not taken for other files."""

import logging
from collections.abc import Collection, Iterable
from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.grains.wording import counted
from grainseg.micrograph.names import is_file
from grainseg.report.own_files import is_metrics, is_page, is_picture
from grainseg.report.prediction_files import GRAINS_SUFFIX, prediction_paths
from grainseg.report.tables import BATCHES, BUDGET, COMPARISONS, FIELDS, GRAINS, is_table

log = logging.getLogger(__name__)

REPORT = "report.html"
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
    for name in (*TABLES, COMPARISONS):
        require_no_folder(output / name)
        if name != REPORT:
            require_table(output / name)
        elif (output / name).exists() and not is_page(output / name):
            raise GrainsegError(_overwritten(output / name, "is no report of grainseg"))
    if (output / COMPARISONS).exists() and not (output / BATCHES).exists():
        raise GrainsegError(
            f"{output / COMPARISONS}: was written by grainseg compare and would be overwritten; choose "
            "another output folder"
        )


def require_no_folder(path: Path) -> None:
    """Raise a GrainsegError where a folder stands in the place of a file that is to be written."""
    if path.is_dir():
        raise GrainsegError(
            f"{path}: is a folder, and a file of this name is written; choose another output folder"
        )


def require_table(path: Path) -> None:
    """Raise a GrainsegError where a table would overwrite a file that `grainseg` did not write."""
    if path.exists() and not is_table(path):
        raise GrainsegError(_overwritten(path, "is no table of grainseg"))


def require_own_pictures(output: Path, relative: Path) -> None:
    """Raise a GrainsegError where a prediction would overwrite what somebody drew or corrected.

    Args:
        output: Folder of all pictures' files.
        relative: The picture's relative path.
    """
    paths = prediction_paths(output, relative)
    for path in (paths.mask, paths.grains):
        if is_file(path) and not is_picture(path):
            raise GrainsegError(
                f"{path}: was drawn or changed by another program (or by an earlier version of grainseg) and "
                "would be overwritten; move it, or choose another output folder"
            )


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


def warn_of_older_maps(output: Path, written: Collection[Path]) -> None:
    """Say where maps of an earlier run lie beside the new ones: `grainseg measure` would measure them, too.

    Args:
        output: Folder of the new ones.
        written: All maps that this run has written, with or without its other files.
    """
    older = sorted(path for path in output.rglob(f"*{GRAINS_SUFFIX}.tif") if path not in written)
    if older:
        log.warning(
            "%s: has grains of %s of an earlier run, %s first, which are in no table of this one; "
            "'grainseg measure' would take them, too",
            output, counted(len(older), "picture"), older[0],
        )  # fmt: skip


def existing(output: Path, names: Iterable[str]) -> list[str]:
    """Which of these files are there.

    Args:
        output: Their folder.
        names: Relative to it.
    """
    return [name for name in names if is_file(output / name)]


def existing_of(output: Path, relative: Path) -> list[str]:
    """Which files of a picture are there, relative to the output folder.

    Args:
        output: Folder of all pictures' files.
        relative: The picture's relative path.
    """
    paths = vars(prediction_paths(output, relative)).values()
    return existing(output, [path.relative_to(output).as_posix() for path in paths])


def warn_of_older(output: Path, *names: str) -> None:
    """Say which files of an earlier run lie beside the new ones; they may be all there is of it.

    Args:
        output: Folder of the new ones.
        names: What this run would have written and has not, relative to it.
    """
    older = existing(output, names)
    if older:
        log.warning("%s: left by an earlier run, and not of this one: %s", output, ", ".join(older))
