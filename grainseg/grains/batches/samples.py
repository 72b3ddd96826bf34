"""Data that a field contributes to a batch, and weighted percentiles.

This module and those that build on it work on numbers alone, in µm or in px, and need no image.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from grainseg.micrograph.arrays import Floats

UNITS = ("µm", "px")
FIELD = "field"
SPECIMEN = "specimen"
"""Units of replication of intervals and tests: fields or specimens, taken to scatter independently."""
CONFIDENCE = 0.95
"""Level of all sampling intervals."""


@dataclass(frozen=True, eq=False)
class FieldSample:
    """Contribution of one field of view to its batch; lengths in µm or px, the same for all fields.

    Attributes:
        name: Name of the field, unique within a batch.
        line_length: Total length of the test lines of the four directions, not negative.
        crossings: Boundaries that these lines cross, not negative; the mean intercept is
            `line_length / crossings`.
        crossings_without_closed: Crossings less those of boundaries that only the partition closed; None
            where the grains were given and the closed boundaries are unknown.
        diameters: (n,) equivalent circular diameters of the grains that have a weight, above 0.
        weights: (n,) their sampling weights, above 0 (Miles-Lantuéjoul: the inverse probability that a grain
            of this size lies wholly inside the field).
        specimen: Specimen of the batch on which the field lies; empty if not given.
        line_width: Mean width of the lines between the grains, not negative; 0 where there were none.
        doubted: Whether the field's boundaries are not to be trusted, judged without a label.
        predicted: Whether a network predicted the boundaries and scored their doubt.

    Raises:
        ValueError: If a number is not finite or out of its range, or the arrays do not match.
    """

    name: str
    line_length: float
    crossings: float
    crossings_without_closed: float | None
    diameters: Floats
    weights: Floats
    specimen: str = ""
    line_width: float = 0.0
    doubted: bool = False
    predicted: bool = False

    def __post_init__(self) -> None:
        kept = self.crossings if self.crossings_without_closed is None else self.crossings_without_closed
        sizes = (self.line_length, self.crossings, kept, self.line_width)
        if not all(math.isfinite(value) and value >= 0 for value in sizes):
            raise ValueError(f"field {self.name!r}: lengths and crossings must be finite and not negative")
        if kept > self.crossings * (1 + 1e-9):
            raise ValueError(f"field {self.name!r}: more crossings without closed boundary than with it")
        if self.diameters.ndim != 1 or self.diameters.shape != self.weights.shape:
            raise ValueError(f"field {self.name!r}: diameters and weights must be lists of one length")
        for values in (self.diameters, self.weights):
            if not np.all(np.isfinite(values) & (values > 0)):
                raise ValueError(f"field {self.name!r}: diameters and weights must be finite and above 0")

    @property
    def has_intercept(self) -> bool:
        """Whether the field has a mean intercept: test lines that cross at least one boundary."""
        return self.line_length > 0 and self.crossings > 0


def line_share(samples: Sequence[FieldSample]) -> float:
    """Line width over mean intercept, averaged over the fields with a mean intercept; 0 without lines."""
    crossed = [sample for sample in samples if sample.has_intercept]
    shares = [sample.line_width * sample.crossings / sample.line_length for sample in crossed]
    return float(np.mean(shares)) if shares else 0.0


def by_specimen(samples: Sequence[FieldSample]) -> tuple[FieldSample, ...]:
    """Merge the fields of each specimen to one sample, so that functions for fields work for specimens.

    Fields of one specimen share its peculiarities: they are no replicates of the batch.

    Args:
        samples: Fields of a batch.

    Returns:
        One sample per specimen, named after it; empty unless all fields name their specimen and there are two
        specimens or more.
    """
    of: dict[str, list[FieldSample]] = {}
    for sample in samples:
        of.setdefault(sample.specimen, []).append(sample)
    if len(of) < 2 or "" in of:
        return ()
    return tuple(_together(name, fields) for name, fields in of.items())


def _together(name: str, fields: Sequence[FieldSample]) -> FieldSample:
    kept = [field.crossings_without_closed for field in fields]
    line_length = sum(field.line_length for field in fields)
    widths = sum(field.line_width * field.line_length for field in fields)
    return FieldSample(
        name=name,
        line_length=line_length,
        crossings=sum(field.crossings for field in fields),
        crossings_without_closed=None if None in kept else sum(crossings or 0.0 for crossings in kept),
        diameters=np.concatenate([field.diameters for field in fields]),
        weights=np.concatenate([field.weights for field in fields]),
        specimen=name,
        line_width=widths / line_length if line_length else 0.0,
    )


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % sampling interval.

    Attributes:
        value: The estimate in the unit of its quantity; nan where undefined.
        low: Lower end of the interval; nan where the fields give none.
        high: Upper end, likewise.
        se_ln: Standard error of the natural logarithm of the length (or ratio of lengths) behind the number;
            nan where there is none, and for differences, whose intervals are on the linear scale.
        df: Degrees of freedom of the standard error; 0 where there is none.
    """

    value: float
    low: float
    high: float
    se_ln: float
    df: float


UNDEFINED = Estimate(math.nan, math.nan, math.nan, math.nan, 0.0)


def t_quantile(df: float, share: float = (1 + CONFIDENCE) / 2) -> float:
    """Quantile of Student's t distribution; by default that of the two-sided 95 % interval.

    Args:
        df: Degrees of freedom, above 0, or infinite for the normal distribution.
        share: Cumulated probability.
    """
    return float(special.ndtri(share) if math.isinf(df) else special.stdtrit(df, share))


def weighted_percentiles(values: Floats, weights: Floats, shares: Sequence[float]) -> Floats:
    """Percentiles of weighted values.

    Each value is placed at the cumulated weight below it plus half its own weight (with equal weights Hazen's
    plotting position, as in `numpy.quantile(method="hazen")`). In between, the logarithm is interpolated, so
    that the percentiles scale with the unit.

    Args:
        values: (n,) above 0.
        weights: (n,) above 0.
        shares: Cumulated shares in (0, 1).

    Returns:
        One value per share; nan where the share lies outside the positions of the smallest and largest value.
    """
    order = np.argsort(values)
    return np.exp(interpolated(np.log(values[order]), cumulated_shares(weights[order]), shares))


def weighted_moments(values: Floats, weights: Floats) -> tuple[float, float]:
    """Mean and standard deviation of weighted values.

    Args:
        values: (n,) at least one.
        weights: (n,) not negative, some above 0.
    """
    mean = float(np.average(values, weights=weights))
    return mean, math.sqrt(float(np.average((values - mean) ** 2, weights=weights)))


def cumulated_shares(weights: Floats) -> Floats:
    """Share of the weight below each of the sorted values, plus half its own weight: (n,) in (0, 1)."""
    total = np.cumsum(weights)
    return np.asarray((total - weights / 2) / total[-1], np.float64) if weights.size else total


def interpolated(ln_values: Floats, cumulated: Floats, shares: Sequence[float] | Floats) -> Floats:
    """Look up the ln values at given shares by linear interpolation: (shares,), nan outside the range.

    Args:
        ln_values: (n,) ascending.
        cumulated: (n,) their cumulated shares, see `cumulated_shares`.
        shares: Cumulated shares wanted.
    """
    if ln_values.size == 0:
        return np.full(len(shares), np.nan)
    return np.asarray(np.interp(shares, cumulated, ln_values, left=np.nan, right=np.nan), np.float64)


def require_samples(samples: Sequence[FieldSample], unit: str) -> None:
    """Check the unit and the names of a batch's fields, which only a bug can make wrong.

    Raises:
        ValueError: If the unit is neither µm nor px, or two fields have the same name.
    """
    if unit not in UNITS:
        raise ValueError(f"unit {unit!r} is not one of {', '.join(UNITS)}")
    names = [sample.name for sample in samples]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"fields named twice: {', '.join(twice)}")
