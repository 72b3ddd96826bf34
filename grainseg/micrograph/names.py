"""Show, compare and sort file names, which systems encode in different ways and limit in length."""

import re
from pathlib import Path
from unicodedata import normalize

_CONTROLS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def shown(text: object) -> str:
    """Escape what cannot be printed in one line of a log, in a name or in a line with names.

    Args:
        text: A path or a text.
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text))


def without_controls(text: str) -> str:
    """Escape the control characters of a text for a file for people, except tabs and line ends.

    Args:
        text: A text that may contain names.
    """
    return _CONTROLS.sub(lambda match: repr(match[0])[1:-1], text)


def plain_name(name: str) -> str:
    """Normalise a name for comparison: macOS writes ü in file names as two characters, others as one."""
    return normalize("NFC", name)


def natural_key(name: str) -> tuple[tuple[int | str, ...], str]:
    """Sort key that orders names by the values of the numbers in them: A2 before A10, whatever the case."""
    parts = re.split(r"([0-9]+)", name.casefold())
    # Texts and numbers alternate, so each is compared only with its like; the name itself breaks ties.
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts)), name


def is_file(path: Path) -> bool:
    """Whether the file exists; a name that is longer than the file system allows counts as missing."""
    try:
        return path.is_file()
    except OSError:
        return False
