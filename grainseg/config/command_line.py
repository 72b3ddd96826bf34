"""Turn texts of the command line into configuration values, and configuration keys into options."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grainseg.errors import GrainsegError

_GROUPS = "data|structure"
"""Groups of the commands' configurations, as a regular expression."""


def text_of(path: Path | None) -> str | None:
    """A path as typed; None stays None."""
    return None if path is None else str(path)


def crop_of(text: str) -> Any:
    """Read ``--crop``: auto, None for "none", or four whole numbers.

    Raises:
        GrainsegError: The text is none of these.
    """
    if text in ("auto", "none"):
        return {"auto": "auto", "none": None}[text]
    # With or without the brackets that predict.py asks for.
    inner = re.fullmatch(r"\[?(\d+(?:,\d+){3})\]?", text.replace(" ", ""))
    if inner is None:
        raise GrainsegError(f"--crop={text}: must be auto, none, or TOP,BOTTOM,LEFT,RIGHT in px, as 0,60,0,0")
    return numbers("--crop", inner[1], int)


def pixel_size_of(text: str | None) -> Any:
    """Read ``--pixel-size-um``: a number, or two in brackets; None stays None.

    Raises:
        GrainsegError: The text is none of these; a comma without brackets may be a decimal comma.
    """
    if text is None:
        return None
    inner = re.fullmatch(r"\[(.*)\]", text)
    if inner is None and "," in text:
        decimal = re.fullmatch(r"\d+,\d+", text)
        point = f" or, for a decimal, {text.replace(',', '.')}" if decimal else ""
        raise GrainsegError(f"--pixel-size-um={text}: say [{text}] for rows and columns{point}")
    return numbers("--pixel-size-um", text if inner is None else inner.group(1), float)


def numbers(option: str, text: str | None, kind: type[int] | type[float]) -> Any:
    """Read a number, or several with commas between them; None stays None.

    Raises:
        GrainsegError: The text is something else; the message names the option.
    """
    if text is None:
        return None
    try:
        values = [kind(part) for part in text.split(",")]
    except ValueError as error:
        raise GrainsegError(f"{option}={text}: must be numbers with commas between them") from error
    return values[0] if len(values) == 1 else values


def as_options(message: str, names: Mapping[str, str]) -> str:
    """Replace the configuration keys in a message by the options of the command.

    Args:
        message: A text such as ``data.boundary_value=7: must be …``.
        names: Option for a key, such as ``--boundary-value`` for ``boundary_value`` in any group, or
            ``--data`` for ``data.root``; other keys stay.
    """

    def option(match: re.Match[str]) -> str:
        key = match.group(1)
        return names.get(key) or names.get(key.rpartition(".")[2], key)

    # A word without a group is a key only if =VALUE follows; after any other prefix, it is a file.
    return re.sub(rf"(?<![\w/.-])((?:{_GROUPS})\.[a-z_]+(?![\w.])|[a-z_]+(?==))", option, message)


class OptionFormatter(logging.Formatter):
    """Formatter of log messages that shows options in place of configuration keys.

    Args:
        layout: Layout of a line, as ``logging.Formatter`` takes it.
        names: Option for a key, see ``as_options``.
    """

    def __init__(self, layout: str, names: Mapping[str, str]) -> None:
        super().__init__(layout)
        self._names = names

    def format(self, record: logging.LogRecord) -> str:
        """Format the message, in one line or more."""
        return as_options(super().format(record), self._names)
