"""The scale of a picture: choose among several sources, and report where the others differ.

A scale that is 5 % off shifts the ASTM grain size number by 0.14, so nothing here is a default or a guess.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from grainseg.errors import GrainsegError
from grainseg.micrograph.image import PixelSize
from grainseg.micrograph.scale.pixel_limits import MAX_PIXEL_UM, MIN_PIXEL_UM

DISAGREEMENT = 0.02
"""Two pixel sizes that differ by more than this share of the smaller one contradict each other."""

GIVEN_BY_USER = "given by the user"


class Rank(IntEnum):
    """Kinds of source, the most credible first; the user's own value takes precedence over all of them."""

    VENDOR = 1
    OME = 2
    IMAGEJ = 3
    SIDECAR = 4
    TIFF = 5


@dataclass(frozen=True)
class Claim:
    """Pixel size that one source gives, not yet checked.

    Attributes:
        rank: Kind of source.
        source: Name of the source for messages.
        row_um: µm per pixel from row to row; any float, NaN included.
        column_um: µm per pixel from column to column; likewise.
        width_px: Width of the picture that the pixel size was written for; None where the source gives none.
        data_bar_px: Rows at the bottom of the file's picture that are a data bar according to the source; 0
            where it reports none.
    """

    rank: Rank
    source: str
    row_um: float
    column_um: float
    width_px: int | None = None
    data_bar_px: int = 0


def given_by_user(pixel_size_um: float | Sequence[float] | None) -> PixelSize | None:
    """Check the pixel size that the user sets.

    Args:
        pixel_size_um: µm per pixel, one number or (row, column); None if the user sets none.

    Raises:
        GrainsegError: The value is not one or two numbers, or one is outside ``MIN_PIXEL_UM`` to
            ``MAX_PIXEL_UM``.
    """
    if pixel_size_um is None:
        return None
    try:
        sizes = np.ravel(np.asarray(pixel_size_um))
    except ValueError:  # lists of unequal lengths
        sizes = np.zeros(0)
    if sizes.size not in (1, 2) or sizes.dtype.kind not in "iuf":
        raise GrainsegError(
            f"pixel_size_um={pixel_size_um}: must be a number of µm per px, or two for rows and columns"
        )
    row_um, column_um = float(sizes[0]), float(sizes[-1])
    if not (is_possible(row_um) and is_possible(column_um)):
        raise GrainsegError(
            f"pixel_size_um={pixel_size_um}: must be {MIN_PIXEL_UM:g} to {MAX_PIXEL_UM:g} µm per px; "
            "check the unit"
        )
    return PixelSize(row_um, column_um, GIVEN_BY_USER)


def choose_pixel_size(
    said: PixelSize | None, claims: Iterable[Claim], width_px: int
) -> tuple[PixelSize | None, tuple[str, ...]]:
    """Choose the most credible source, and report where the others contradict it.

    Args:
        said: Pixel size set by the user, if any.
        claims: Pixel sizes from files. Among those of one rank the first is chosen.
        width_px: Width of the file's picture.

    Returns:
        The scale, None where there is no credible one, and notes in plain words: on impossible values, on
        sources that differ by more than ``DISAGREEMENT``, on a scale written for another width, and on one
        that only a TIFF resolution gives.
    """
    ranked = sorted(claims, key=lambda claim: claim.rank)
    credible = [claim for claim in ranked if is_possible(claim.row_um) and is_possible(claim.column_um)]
    notes = [
        f"{claim.source}: says {_in_words(claim)}, which is outside {MIN_PIXEL_UM:g} to {MAX_PIXEL_UM:g}, "
        "and was ignored"
        for claim in ranked
        if claim not in credible
    ]
    if said is not None:
        chosen = said
    elif credible:
        first = credible[0]
        chosen = PixelSize(first.row_um, first.column_um, first.source)
        if first.rank == Rank.TIFF:
            notes.append(
                f"the pixel size is {_in_words(chosen)} by the {first.source} alone, which any program "
                "that saves pictures writes; confirm it with pixel_size_um"
            )
        if first.width_px not in (None, width_px):
            notes.append(
                f"{first.source}: is for a picture {first.width_px} px wide, this one has {width_px}; "
                "if it was resized, say the right one with pixel_size_um"
            )
    else:
        return None, tuple(notes)
    fix = "check pixel_size_um" if said is not None else "say the right one with pixel_size_um"
    notes += [
        f"the pixel size is {_in_words(chosen)}, {_by(chosen.source)}, but {other.source} says "
        f"{_in_words(other)}; {fix}"
        for other in credible
        if _contradict(chosen, other)
    ]
    return chosen, tuple(notes)


def contradiction(chosen: PixelSize, other: PixelSize, whose: str) -> str | None:
    """Describe how the scale of another file of the same field contradicts the chosen one.

    Args:
        chosen: The scale that is used.
        other: The scale of the other file.
        whose: Name of the other file for messages.

    Returns:
        One line; None where they differ by no more than ``DISAGREEMENT``.
    """
    if not _contradict(chosen, other):
        return None
    return (
        f"the pixel size is {_in_words(chosen)}, {_by(chosen.source)}, but {whose} says {_in_words(other)}, "
        f"{_by(other.source)}; say the right one with pixel_size_um"
    )


def is_possible(size_um: float) -> bool:
    """Whether a micrograph of grains can have pixels of this size."""
    return math.isfinite(size_um) and MIN_PIXEL_UM <= size_um <= MAX_PIXEL_UM


def _contradict(one: PixelSize, other: PixelSize | Claim) -> bool:
    pairs = (one.row_um, other.row_um), (one.column_um, other.column_um)
    return any(abs(a - b) > DISAGREEMENT * min(a, b) for a, b in pairs)


def _by(source: str) -> str:
    return source if source == GIVEN_BY_USER else f"by {source}"


def _in_words(size: PixelSize | Claim) -> str:
    if size.row_um == size.column_um:
        return f"{size.column_um:.6g} µm/px"
    return f"{size.row_um:.6g} (rows) × {size.column_um:.6g} (columns) µm/px"
