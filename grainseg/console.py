"""What the commands say on the screen; the streams and signals of ``grainseg``."""

import io
import logging
import os
import signal
import sys
from types import FrameType
from typing import TextIO

from grainseg.micrograph.names import shown

_LAST_WORDS = {
    signal.SIGTERM: b"terminated\n",
    signal.SIGINT: b"interrupted; files that were complete stay, and no others\n",
}


def say(text: str, stream: TextIO | None = None) -> None:
    """Print lines; what names and strangers' files bring into them cannot steer the terminal.

    Args:
        text: One line or more.
        stream: Where to; None stands for the standard output.
    """
    print("\n".join(map(shown, text.split("\n"))), file=stream, flush=True)


class _EscapedRecord(logging.LogRecord):
    """A record that stays one line where it is ours; those of libraries may have several."""

    def getMessage(self) -> str:  # noqa: N802 - logging's own name
        """The message as :func:`say` would print it."""
        message = super().getMessage()
        return shown(message) if self.name.startswith("grainseg.") else message


def escape_log_lines() -> None:
    """Have what names and strangers' files bring into log lines neither break them nor steer the terminal."""
    logging.setLogRecordFactory(_EscapedRecord)


def prepare_console() -> None:
    """Let file names be written that no terminal shows; end on SIGTERM and Ctrl-C without leftovers.

    Where SIGINT is ignored, as in the background of a shell, it stays so.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    escape_log_lines()
    signal.signal(signal.SIGTERM, _end)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def _end(number: int, frame: FrameType | None) -> None:
    """Leave as at an error, so that a file which is being written is taken away; with the usual status."""
    os.write(2, _LAST_WORDS[signal.Signals(number)])  # print may be at work itself
    raise SystemExit(128 + number)
