"""The streams and signals of the ``grainseg`` command."""

import io
import os
import signal
import sys
from types import FrameType


def prepare_console() -> None:
    """Let file names be written that the terminal cannot show, and end on SIGTERM without leftovers."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(number: int, frame: FrameType | None) -> None:
    """Leave as at an error, so that a file which is being written is taken away; with the usual status."""
    os.write(2, b"terminated\n")  # print may be at work itself
    raise SystemExit(128 + number)
