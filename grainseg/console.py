"""Printing and logging of the commands; the streams and signals of ``grainseg``."""

import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import TextIO

from grainseg.micrograph.names import shown

_LAST_WORDS = {
    signal.SIGTERM: b"terminated\n",
    signal.SIGINT: b"interrupted; files that were complete stay, and no others\n",
}


def say(text: str, stream: TextIO | None = None) -> None:
    """Print lines, escaped so that names and contents of files from strangers cannot control the terminal.

    Args:
        text: One line or more.
        stream: Stream to print to; None for the standard output.
    """
    print("\n".join(map(shown, text.split("\n"))), file=stream, flush=True)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows of a table as lines with aligned columns.

    Args:
        rows: One row or more, all of one length.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


class _EscapedRecord(logging.LogRecord):
    """A log record that is kept to one line if it is grainseg's; those of libraries may have several."""

    def getMessage(self) -> str:  # noqa: N802 - logging's own name
        """The message as :func:`say` would print it."""
        message = super().getMessage()
        return shown(message) if self.name.startswith("grainseg.") else message


def escape_log_lines() -> None:
    """Escape log lines, so that names and strangers' files neither break them nor control the terminal."""
    logging.setLogRecordFactory(_EscapedRecord)


def prepare_console() -> None:
    """Escape file names that the terminal cannot show; end on SIGTERM and Ctrl-C without unfinished files.

    If SIGINT is ignored, as in the background of a shell, it stays ignored.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    escape_log_lines()
    signal.signal(signal.SIGTERM, _end)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def _end(number: int, frame: FrameType | None) -> None:
    """Exit as after an error, so that a file being written is removed; the status is 128 plus the signal."""
    os.write(2, _LAST_WORDS[signal.Signals(number)])  # not print, which the signal may have interrupted
    raise SystemExit(128 + number)
