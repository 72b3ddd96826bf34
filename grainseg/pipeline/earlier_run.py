"""What an earlier run left in the output folder: named where it stays, and not taken for other files."""

import logging
from collections.abc import Collection, Iterable
from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.grains.wording import counted
from grainseg.micrograph.names import is_file
from grainseg.report.prediction_files import GRAINS_SUFFIX
from grainseg.report.tables import BATCHES, BUDGET, COMPARISONS, FIELDS, GRAINS, is_table

log = logging.getLogger(__name__)

REPORT = "report.html"
TABLES = (GRAINS, FIELDS, BATCHES, BUDGET, REPORT)
"""What a run that measures always writes."""


def require_replaceable(output: Path) -> None:
    """See before any work that no table of somebody else stands where this run writes its own.

    Args:
        output: Folder of the tables, which need not exist.

    Raises:
        GrainsegError: A folder has the name of a file that is written, a table is none of `grainseg`, or
            the comparisons are of no run that measured.
    """
    for name in (*TABLES, COMPARISONS):
        require_no_folder(output / name)
        if name != REPORT:
            require_table(output / name)
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
        raise GrainsegError(
            f"{path}: is no table of grainseg and would be overwritten; choose another output folder"
        )


def warn_of_older_maps(output: Path, written: Collection[Path]) -> None:
    """Say where maps of an earlier run lie beside the new ones: `grainseg measure` would measure them, too.

    Args:
        output: Folder of the new ones.
        written: All files that this run has written.
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


def warn_of_older(output: Path, *names: str) -> None:
    """Say which files of an earlier run lie beside the new ones; they may be all there is of it.

    Args:
        output: Folder of the new ones.
        names: What this run would have written and has not, relative to it.
    """
    older = existing(output, names)
    if older:
        log.warning("%s: left by an earlier run, and not of this one: %s", output, ", ".join(older))
