"""Checks that an existing file was written by grainseg before it is overwritten."""

import json
from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.micrograph.files import software_tag
from grainseg.micrograph.formats.decoding import read_stored, software_of

_PAGE = Path(__file__).parent.parent / "html" / "templates" / "page.html"


def is_page(path: Path) -> bool:
    """Check whether an existing file is a page of grainseg, by the beginning that all its pages share.

    Args:
        path: The file; the answer is False if it cannot be read.
    """
    head = _PAGE.read_text(encoding="utf-8").partition("{{")[0]
    try:
        with path.open(encoding="utf-8") as handle:
            return handle.read(len(head)) == head
    except (OSError, UnicodeDecodeError):
        return False


def is_picture(path: Path) -> bool:
    """Check whether an existing PNG or TIFF file was written by grainseg and not changed since.

    Args:
        path: The file; the answer is False if it cannot be read.
    """
    software = software_of(path)
    if not software.startswith("grainseg"):
        return False  # saves decoding the file
    try:
        return software == software_tag(read_stored(path, float("inf")).samples)
    except GrainsegError:
        return False


def is_metrics(path: Path, key: str) -> bool:
    """Check whether an existing file holds the scores of one kind of run.

    Args:
        path: The file; the answer is False if it cannot be read.
        key: Name of a score that such a run always writes.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(values, dict) and key in values
