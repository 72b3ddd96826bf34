"""What fails or misses one picture and not the run: it is reported, and the others are done."""

import errno
import logging
from collections.abc import Iterable
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


def tell_left_out(without_mask: Iterable[Path]) -> None:
    """Say which images of a data folder nobody labelled."""
    for path in without_mask:
        log.warning("%s has no mask and is left out", path)
