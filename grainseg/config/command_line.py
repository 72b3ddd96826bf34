"""Texts of the command line as the values of a configuration."""

from pathlib import Path
from typing import Any

from grainseg.errors import GrainsegError


def text_of(path: Path | None) -> str | None:
    """A path as typed; None stays None."""
    return None if path is None else str(path)


def crop_of(text: str) -> Any:
    """What ``--crop`` says: auto, None for "none", or whole numbers.

    Raises:
        GrainsegError: It is none of these.
    """
    return {"auto": "auto", "none": None}[text] if text in ("auto", "none") else numbers("--crop", text, int)


def numbers(option: str, text: str | None, kind: type[int] | type[float]) -> Any:
    """A number or several with commas between them; None stays None.

    Raises:
        GrainsegError: It is something else; the text names the option.
    """
    if text is None:
        return None
    try:
        values = [kind(part) for part in text.split(",")]
    except ValueError as error:
        raise GrainsegError(f"{option}={text}: must be numbers with commas between them") from error
    return values[0] if len(values) == 1 else values
