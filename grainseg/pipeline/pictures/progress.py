"""A progress bar over pictures, for people: none where nobody watches, none for a single picture."""

import sys
from collections.abc import Iterable, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


def progress(items: Sequence[Item], description: str) -> Iterable[Item]:
    """The items one after the other, with a bar on the error stream, which results do not go to."""
    unwatched = len(items) == 1 or not sys.stderr.isatty()
    return track(items, description, console=Console(stderr=True), disable=unwatched)
