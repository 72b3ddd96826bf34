"""A progress bar over pictures: only in a terminal, and not for a single picture."""

import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


def progress(items: Sequence[Item], description: str) -> Iterable[Item]:
    """Iterate over the items with a bar on the error stream, to which no results are written."""
    unwatched = len(items) == 1 or not sys.stderr.isatty()
    return track(items, description, console=Console(stderr=True), disable=unwatched)
