"""Files that appear whole or not at all."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from grainseg.errors import GrainsegError


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside ``path`` that takes its place once it is complete; missing folders are made.

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
        reason = error.strerror or type(error).__name__
        raise GrainsegError(f"{path}: cannot be written ({reason}); choose another output folder") from error
