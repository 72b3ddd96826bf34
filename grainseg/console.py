"""The streams and signals of the ``grainseg`` command."""

import io
import os
import signal
import sys
from types import FrameType

_LAST_WORDS = {
    signal.SIGTERM: b"terminated\n",
    signal.SIGINT: b"interrupted; files that were complete stay, and no others\n",
}


def prepare_console() -> None:
    """Let file names be written that no terminal shows; end on SIGTERM and Ctrl-C without leftovers.

    Where SIGINT is ignored, as in the background of a shell, it stays so.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _end)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def _end(number: int, frame: FrameType | None) -> None:
    """Leave as at an error, so that a file which is being written is taken away; with the usual status."""
    os.write(2, _LAST_WORDS[signal.Signals(number)])  # print may be at work itself
    raise SystemExit(128 + number)
