"""What fails or misses one picture and not the run: it is reported, and the others are done."""

import errno
import logging
from collections.abc import Sequence
from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.micrograph.folders.selection import Selection
from grainseg.micrograph.names import shown

log = logging.getLogger(__name__)

SKIPPED = (GrainsegError, OSError, MemoryError)
"""A picture that raises one of these is skipped; anything else is a bug."""


def tell_failure(path: Path, error: BaseException) -> str:
    """Say why a picture is skipped; returns the line.

    Args:
        path: Its file.
        error: One of ``SKIPPED``.
    """
    line = shown(_reason(path, error))
    log.error("%s", line)
    return line


def _reason(path: Path, error: BaseException) -> str:
    if isinstance(error, GrainsegError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"{path}: needs more memory than there is; cut or shrink it, or use a larger machine"
    assert isinstance(error, OSError)
    if error.errno == errno.ENAMETOOLONG:
        return f"{path}: its name is too long for the file system; shorten it"
    return f"{path}: cannot be processed ({error.strerror or error}); check the disk and the permissions"


def tell_unlisted(selection: Selection) -> list[str]:
    """Say which folders nobody could look into: the first failures of a run."""
    lines = [shown(line) for line in selection.unlisted]
    for line in lines:
        log.error("%s", line)
    return lines


def tell_left_out(without_mask: Sequence[Path], without_image: Sequence[Path]) -> None:
    """Say in one line which images of a data folder have no mask, and which masks no image.

    A mask under a wrong name is one of the latter, and its image one of the former.
    """
    parts = [
        f"{', '.join(map(str, paths))} {'has' if len(paths) == 1 else 'have'} no {partner}"
        for paths, partner in ((without_mask, "mask"), (without_image, "image"))
        if paths
    ]
    if parts:
        rule = "; a mask has the name of its image" if without_image else ""
        log.warning("%s: left out%s", ", ".join(parts), rule)
