"""Report pictures that fail or are left out, while the run continues with the others."""

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


def log_failure(path: Path, error: BaseException) -> str:
    """Log why a picture is skipped, and return the line.

    Args:
        path: File of the picture.
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


def log_unlisted(selection: Selection) -> list[str]:
    """Log which folders could not be listed, and return the lines: the first failures of a run."""
    lines = [shown(line) for line in selection.unlisted]
    for line in lines:
        log.error("%s", line)
    return lines


def log_left_out(without_mask: Sequence[Path], without_image: Sequence[Path]) -> None:
    """Warn in one line of the images of a data folder without a mask, and of the masks without an image.

    A mask with a wrong name has no image, and its image then has no mask.
    """
    parts = [
        f"{', '.join(map(str, paths))} {'has' if len(paths) == 1 else 'have'} no {partner}"
        for paths, partner in ((without_mask, "mask"), (without_image, "image"))
        if paths
    ]
    if parts:
        rule = "; a mask has the name of its image" if without_image else ""
        log.warning("%s: left out%s", ", ".join(parts), rule)
