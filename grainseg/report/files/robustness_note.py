"""The summary of a robustness card in a few sentences, saved for the reports of predictions."""

import json
from dataclasses import dataclass
from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.micrograph.folders.selection import RECORDS
from grainseg.micrograph.formats.replacing import replacing

PLOT = "robustness.png"
NOTE = RECORDS[PLOT]
NOTE_KEY = "checkpoint_sha256"
"""Key that every note has."""
_MOST_BYTES = 2**16
_MOST_PLOT_BYTES = 2**23
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class RobustnessNote:
    """The network's results in a robustness card.

    Attributes:
        checkpoint_sha256: SHA-256 of the network's file.
        images: Sentence about the pictures that were corrupted.
        sentences: Results.
        adapt: Share of a picture's own statistics in the batch normalisation.
    """

    checkpoint_sha256: str
    images: str
    sentences: tuple[str, ...]
    adapt: float


def write_note(folder: Path, note: RobustnessNote) -> None:
    """Write a note to the folder of the card's plot.

    Raises:
        GrainsegError: The file cannot be written.
    """
    values = {
        NOTE_KEY: note.checkpoint_sha256,
        "images": note.images,
        "sentences": list(note.sentences),
        "adapt": note.adapt,
    }
    with replacing(folder / NOTE) as handle:
        handle.write((json.dumps(values, indent=2) + "\n").encode())


def read_note(folder: Path, checkpoint_sha256: str, adapt: float) -> tuple[RobustnessNote, bytes]:
    """Read the note and the plot of a card.

    Args:
        folder: ``--output`` of ``grainseg robustness``.
        checkpoint_sha256: SHA-256 of the network for which the note is read.
        adapt: Share of a picture's own statistics in this network's batch normalisation.

    Returns:
        The note, and the plot as the bytes of a PNG file.

    Raises:
        GrainsegError: There is no card, it is damaged, or it is for another checkpoint or ``adapt``.
    """
    card = f"robustness={folder}"
    try:
        found, plot = (
            _at_most(folder / name, most) for name, most in ((NOTE, _MOST_BYTES), (PLOT, _MOST_PLOT_BYTES))
        )
    except OSError as error:
        raise GrainsegError(
            f"{card}: holds no {NOTE} and {PLOT}; give the output folder of grainseg robustness"
        ) from error
    try:
        values = json.loads(found)
        sentences = values["sentences"]
        note = RobustnessNote(values[NOTE_KEY], values["images"], tuple(sentences), values["adapt"])
        texts = all(type(each) is str for each in (note.checkpoint_sha256, note.images, *note.sentences))
        # tuple() would split a text into its characters.
        whole = texts and type(sentences) is list and type(note.adapt) is float
    except (ValueError, TypeError, KeyError, RecursionError):
        whole = False
    if not whole or not plot.startswith(_PNG):
        raise GrainsegError(f"{card}: is damaged; run grainseg robustness again")
    if note.checkpoint_sha256 != checkpoint_sha256:
        raise GrainsegError(
            f"{card}: is the card of another checkpoint; run grainseg robustness with this one, or leave "
            "robustness=null"
        )
    if note.adapt != adapt:
        raise GrainsegError(
            f"{card}: its network adapts to each picture by {note.adapt:g}, this prediction's by {adapt:g}; "
            f"run grainseg robustness with --adapt {adapt:g}, or leave robustness=null"
        )
    return note, plot


def _at_most(path: Path, count: int) -> bytes:
    """Read at most the first ``count`` bytes of a file; a longer file is damaged."""
    with path.open("rb") as handle:
        return handle.read(count)
