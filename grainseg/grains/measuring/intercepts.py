"""Mean lineal intercept of a label map: dense test lines in four directions, and three concentric circles.

**Test lines** are chains of pixel centres. A step of length s from one centre to the next crosses a boundary
where the two grains differ. The chain begins and ends at centres, so its length is the number of its *steps*:
taking the number of pixels instead makes the mean intercept too long by 1/W of itself in a field W px wide.

**Chords that a raster does not see.** Steps of length s see a chord of length ℓ < s with probability ℓ/s
only. Let f(ℓ) be the density of chord lengths with mean m. The share of steps whose ends lie in different
grains is the variogram of the map,

    T(s) = s/m - (1/m) ∫_0^s (s - ℓ) f(ℓ) dℓ  ≈  s/m - f(0)·s²/(2m),

whose slope at the origin is the number of crossings per length (Matheron 1965, Les variables régionalisées
et leur estimation). f(0) is not zero: lines that cut the corner of a grain at a triple point make chords of
any shortness. Counting label changes therefore makes the mean intercept too long by f(0)·s/2, 0.1-0.2 px on
isotropic structures whatever the grain size. The same density tells how many chords are missing: of all
chords, f(0)·s show as a run of *one* pixel between two different grains, and f(0)·s/2 are missed. So every
run of one pixel between two different grains adds half a crossing. Runs of one pixel between parts of the
*same* grain add nothing: they come from a ragged boundary, not from a corner.

**Where grains end without a neighbour** (label 0: pores, second phase, outside) the line stops on a boundary.
This counts as half a crossing, as in the published counting rules, and half a step of length. That makes
length / crossings the mean intercept of the grains alone, 2·L / (2·P_grain-grain + P_grain-phase)
(Underwood 1970, Quantitative Stereology, ch. 4). An `ignored` pixel is different: it is not judged, the grain
continues behind it, and the line is cut there with neither length nor crossing.

**Weights.** Each set of lines is scaled to lines one px apart, times its share of a mean over all directions
(`direction_weights`), so that the sum over the sets is that mean whatever the spacing of their lines.

The mean intercept ℓ, averaged over directions, follows from the boundary length L in the area A:
ℓ = π·A / (2·L), since P_L = (2/π)·L_A (Smith and Guttman 1953, J. Metals 5:81; Underwood 1970).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from grainseg.micrograph.image import BoolMask

GrainIds = npt.NDArray[np.integer]
"""(H, W), not negative: 0 = no grain, else the id of the pixel's grain; the ids may have gaps."""


Step = tuple[float, float]
"""Height and width of a pixel (from row to row, from column to column), in the unit of the results."""

_Scalar = TypeVar("_Scalar", bound=np.generic)
_Cut = tuple[slice, slice] | tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
_Counts = npt.NDArray[np.float64]

SQUARE: Step = (1.0, 1.0)

_LEAST_SHARE = 0.05
"""Least share of a direction in the mean over directions; with none it would have no intercept of its own."""

DIRECTIONS: dict[str, tuple[int, int]] = {"0": (0, 1), "45": (-1, 1), "90": (1, 0), "135": (1, 1)}
"""Rows and columns of one step, by its angle in degrees, anticlockwise from the row as displayed."""


@dataclass(frozen=True)
class Intercepts:
    """Length and crossings of one set of test lines.

    Attributes:
        name: "0", "45", "90", "135", "circles" or "pooled".
        length: Length of the lines inside the counted area, in px (for the directions weighted, see above).
        crossings: Boundaries crossed, with the chords that the raster cannot see; weighted like the length.
        closed_crossings: Crossings among these at boundaries that only the partition closed.
    """

    name: str
    length: float
    crossings: float
    closed_crossings: float

    @property
    def mean(self) -> float:
        """Mean lineal intercept in px; nan where no boundary is crossed."""
        return self.length / self.crossings if self.crossings > 0 else math.nan

    @property
    def mean_without_closed(self) -> float:
        """The same without the closed boundaries; nan where no other boundary is crossed."""
        found = self.crossings - self.closed_crossings
        return self.length / found if found > 0 else math.nan


def line_intercepts(
    grains: GrainIds,
    closed: BoolMask | None = None,
    ignored: BoolMask | None = None,
    step: Step = SQUARE,
) -> tuple[Intercepts, ...]:
    """Count along every row, column and diagonal of the field.

    Args:
        grains: (H, W) grain ids.
        closed: (H, W), true beside cracks that only the partition closed. A crossing between two pixels is
            closed if either is marked.
        ignored: (H, W), true where the map is not judged.
        step: Height and width of a pixel. Where they differ, "45" and "135" are the pixel's diagonals.

    Returns:
        The sets "0", "45", "90", "135".

    Raises:
        ValueError: If shapes differ.
    """
    _require_same_shape(grains, closed, ignored)
    return tuple(_direction(name, grains, closed, ignored, step) for name in DIRECTIONS)


def circle_intercepts(
    grains: GrainIds,
    closed: BoolMask | None = None,
    ignored: BoolMask | None = None,
    step: Step = SQUARE,
) -> Intercepts:
    """Count on three concentric circles in the middle of the field: diameters 1:2:3, the largest just fits.

    The pattern is Abrams' (ASTM E112, as summarised in public literature). Each circle is a closed chain of
    the pixels next to it, and its length is that of the chain's steps (5 % more than the circle's in square
    pixels). Sampling the raster at points on the true circle instead would count a boundary several times
    where the circle meets it at a grazing angle.

    Args:
        grains: (H, W) grain ids.
        closed: As for `line_intercepts`.
        ignored: As for `line_intercepts`.
        step: Height and width of a pixel.

    Returns:
        Sum over the three circles; empty (0, nan mean) in a field less than 3 px wide.

    Raises:
        ValueError: If shapes differ.
    """
    _require_same_shape(grains, closed, ignored)
    counts = np.zeros(3)
    for first in circle_chains((grains.shape[0], grains.shape[1]), step):
        second = np.roll(first, -1, axis=0)
        ends = [(first[:, 0], first[:, 1]), (second[:, 0], second[:, 1])]
        lengths = np.hypot(*((second - first) * step).T)
        counts += _crossed(_views(grains, ends), _views(closed, ends), _views(ignored, ends), lengths)
        # The chain bends, so runs of one pixel are looked up straight ahead and straight back, half of each.
        for begin, end in ((first, second), (second, first)):
            beyond = np.clip(2 * end - begin, 0, np.array(grains.shape) - 1)
            runs = [(at[:, 0], at[:, 1]) for at in (begin, end, beyond)]
            unseen = _unseen(_views(grains, runs), _views(closed, runs), _views(ignored, runs))
            counts[1:] += unseen / 2
    return Intercepts("circles", *counts.tolist())


def pooled(sets: Sequence[Intercepts]) -> Intercepts:
    """Sum several sets: the mean is then total length over total crossings, never the mean of means."""
    return Intercepts(
        "pooled",
        sum(each.length for each in sets),
        sum(each.crossings for each in sets),
        sum(each.closed_crossings for each in sets),
    )


def mean_intercept_px(grains: GrainIds, ignored: BoolMask | None = None) -> float:
    """Mean lineal intercept pooled over the four directions; nan where no boundary is crossed.

    Args:
        grains: (H, W) grain ids.
        ignored: As for `line_intercepts`.

    Returns:
        In px.
    """
    return pooled(line_intercepts(grains, ignored=ignored)).mean


def circle_chains(shape: tuple[int, int], step: Step = SQUARE) -> list[npt.NDArray[np.int64]]:
    """Pixels of three concentric circles in order of the angle, symmetric under the flips of the field.

    Where a circle runs flatter than the pixel's diagonal, its chain takes the nearest pixel of every column,
    elsewhere that of every row.

    Args:
        shape: Height and width of the field in px; the largest circle reaches the nearer pair of its sides.
        step: Height and width of a pixel.

    Returns:
        Three (N, 2) arrays of rows and columns; fewer where a circle would have less than four pixels.
    """
    middle = (np.array(shape) - 1) / 2
    largest = float(np.min(middle * step))
    chains = []
    for radius in (largest / 3, 2 * largest / 3, largest):
        offsets = np.unique(_circle_offsets(radius, shape, step), axis=0)
        angle = np.arctan2(offsets[:, 0] * step[0], offsets[:, 1] * step[1])
        if len(offsets) >= 4:
            chains.append(np.rint(offsets[np.argsort(angle)] + middle).astype(np.int64))
    return chains


def _circle_offsets(radius: float, shape: tuple[int, int], step: Step) -> npt.NDArray[np.float64]:
    """(N, 2) rows and columns from the middle of the field: whole numbers, or half ones along even sides."""
    parts = []
    for axis in (0, 1):
        middle, across = (shape[1 - axis] - 1) / 2, (shape[axis] - 1) / 2
        along = np.arange(shape[1 - axis]) - middle
        squared = radius**2 - (along * step[1 - axis]) ** 2
        along, squared = along[squared >= 0], squared[squared >= 0]
        reach = np.sqrt(squared) / step[axis]
        flat = reach * step[axis] ** 2 >= np.abs(along) * step[1 - axis] ** 2
        along, reach = along[flat], reach[flat]
        whole = shape[axis] % 2 == 1
        nearest = np.minimum(np.floor(reach + 0.5) if whole else np.floor(reach) + 0.5, across)
        for side in (nearest, -nearest):
            parts.append(np.stack([side, along] if axis == 0 else [along, side], axis=1))
    return np.concatenate(parts) + 0.0  # + 0.0: no negative zeros


def _direction(
    name: str, grains: GrainIds, closed: BoolMask | None, ignored: BoolMask | None, step: Step
) -> Intercepts:
    down, right = DIRECTIONS[name]
    length = math.hypot(down * step[0], right * step[1])
    pairs, runs = (shifts(grains.shape, down, right, count) for count in (2, 3))
    counts = _crossed(_views(grains, pairs), _views(closed, pairs), _views(ignored, pairs), length)
    counts[1:] += _unseen(_views(grains, runs), _views(closed, runs), _views(ignored, runs))
    return Intercepts(name, *(counts * direction_weights(step)[name]).tolist())


def direction_weights(step: Step) -> dict[str, float]:
    """Spacing of the lines of each direction, times four times its share of a mean over all directions.

    In square pixels each direction has a share of a quarter. Otherwise the shares are chosen so that
    a + b·cos 2φ has the right mean, and also cos 4φ, unless a share would fall below ``_LEAST_SHARE``. The
    crossings per length of elongated grains are about a + b·cos 2φ, so their direction hardly matters.

    Args:
        step: Height and width of a pixel.

    Returns:
        Weights by name of the direction; 1, √½, 1, √½ for square pixels of size 1.
    """
    height, width = step
    double = math.cos(2 * math.atan2(height, width))
    # diagonal + diagonal + row + column = 1; times their cos 2φ, double, double, 1 and -1, they add up to 0.
    diagonal = min(1 / (4 * (1 - double**2)), (1 - 2 * _LEAST_SHARE) / (2 * (1 + abs(double))))
    row, column = ((1 - 2 * diagonal * (1 + sign * double)) / 2 for sign in (1, -1))
    spacing = height * width / math.hypot(height, width)
    return {
        "0": height * 4 * row,
        "45": spacing * 4 * diagonal,
        "90": width * 4 * column,
        "135": spacing * 4 * diagonal,
    }


def shifts(shape: tuple[int, ...], down: int, right: int, count: int) -> list[_Cut]:
    """Index pairs whose views hold the first, second, … pixel of all chains of `count` pixels in a field."""
    axes = [_axis_shifts(side, by, count) for side, by in zip(shape, (down, right), strict=True)]
    return list(zip(axes[0], axes[1], strict=True))


def _axis_shifts(side: int, by: int, count: int) -> list[slice]:
    reach = by * (count - 1)
    start, length = max(0, -reach), max(0, side - abs(reach))
    return [slice(start + by * k, start + by * k + length) if length else slice(0, 0) for k in range(count)]


def _views(array: npt.NDArray[_Scalar] | None, cuts: Sequence[_Cut]) -> list[npt.NDArray[_Scalar]]:
    """Views of an array, one per cut; an empty list without an array."""
    return [] if array is None else [array[cut] for cut in cuts]


def _crossed(
    ids: list[GrainIds],
    closed: list[BoolMask],
    ignored: list[BoolMask],
    step_length: float | npt.NDArray[np.float64],
) -> _Counts:
    """(3,) length, crossings and closed crossings of the steps from first to second pixels."""
    inside = [each > 0 for each in ids]
    if ignored:
        judged = ~(ignored[0] | ignored[1])
        inside = [each & judged for each in inside]
    within = inside[0] & inside[1]
    ending = inside[0] ^ inside[1]
    crossing = within & (ids[0] != ids[1])
    return np.array(
        [
            _total(within, step_length) + _total(ending, step_length) / 2,
            _total(crossing) + _total(ending) / 2,
            _total(crossing & (closed[0] | closed[1])) if closed else 0,
        ]
    )


def _unseen(ids: list[GrainIds], closed: list[BoolMask], ignored: list[BoolMask]) -> _Counts:
    """(2,) crossings and closed crossings that the raster missed, estimated from runs of one pixel.

    A missed chord of grain Y between X and Z turns the two crossings X|Y and Y|Z into one, X|Z. Where X or Z
    is no grain, one and a half crossings become half a crossing, which is also one less. Where Y is no grain,
    two halves become one, and nothing is lost.
    """
    x, y, z = ids
    run = (x != y) & (y != z) & (x != z) & (y > 0)
    if ignored:
        run &= ~(ignored[0] | ignored[1] | ignored[2])
    shut = 0.0
    if closed:
        shut += _total(run & (x > 0) & (closed[0] | closed[1])) + _total(
            run & (z > 0) & (closed[1] | closed[2])
        )
    return np.array([_total(run) / 2, shut / 4])


def _total(mask: BoolMask, step_length: float | npt.NDArray[np.float64] = 1.0) -> float:
    if isinstance(step_length, np.ndarray):
        return float(step_length[mask].sum())
    return step_length * int(np.count_nonzero(mask))


def _require_same_shape(grains: GrainIds, *masks: BoolMask | None) -> None:
    for mask in masks:
        if mask is not None and mask.shape != grains.shape:
            raise ValueError(f"mask of shape {mask.shape} for a grain map of shape {grains.shape}")
