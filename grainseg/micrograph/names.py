"""Names of files, which systems encode in more than one way, and not at any length."""

import re
from pathlib import Path
from unicodedata import normalize

_CONTROLS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def shown(text: object) -> str:
    """A name, or a line with names, as it is logged: escaped where it would break the line or is no text.

    Args:
        text: A path or a text.
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text))


def without_controls(text: str) -> str:
    """A text as it is written into a file for people: as `shown`, but tabs and line ends are its own.

    Args:
        text: Perhaps with names in it.
    """
    return _CONTROLS.sub(lambda match: repr(match[0])[1:-1], text)


def plain_name(name: str) -> str:
    """A name as it compares: macOS writes ü as two characters in the names of files, others as one."""
    return normalize("NFC", name)


def natural_key(name: str) -> tuple[tuple[int | str, ...], str]:
    """What names are sorted by so that numbers in them count as such: A2 before A10, whatever the case."""
    parts = re.split(r"([0-9]+)", name.casefold())
    # Texts and numbers take turns, so that only like is compared with like; the name itself settles ties.
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts)), name


def is_file(path: Path) -> bool:
    """Whether there is such a file; a name that is longer than the file system allows is none."""
    try:
        return path.is_file()
    except OSError:
        return False
