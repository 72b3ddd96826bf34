"""Write files so that they appear whole or not at all."""

import errno
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from grainseg.errors import GrainsegError


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside ``path`` that replaces it once it is complete; missing folders are created.

    Args:
        path: The file to write or to replace.

    Yields:
        The handle to write to. An exception within the block leaves ``path`` as it was.

    Raises:
        GrainsegError: The file cannot be written.
    """
    partial = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("xb") as handle:
                yield handle
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise _not_written(path, error) from error


def removing(path: Path) -> None:
    """Remove a file that an earlier run wrote, if it exists.

    Raises:
        GrainsegError: The path cannot be removed; it may be a folder.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError) -> GrainsegError:
    if error.errno == errno.ENAMETOOLONG:
        return GrainsegError(f"{path}: its name is too long for the file system; shorten that of the picture")
    reason = error.strerror or type(error).__name__
    return GrainsegError(f"{path}: cannot be written ({reason}); choose another output folder")
