"""What a field contributes to a batch, and weighted percentiles.

Everything here and in the modules that build on it takes numbers, in µm or in px, and needs no image.
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
"""What intervals and tests take for the unit of replication: what scatters independently of the others."""
CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class FieldSample:
    """What one field of view says about its batch; lengths in µm or px, the same for all fields.

    Attributes:
        name: Distinct within a batch.
        line_length: Total length of the test lines of the four directions, not negative.
        crossings: Boundaries crossed on it, not negative; the mean intercept is `line_length / crossings`.
        crossings_without_closed: Of these, the ones that the partition did not close; None where the grains
            were given and nobody knows.
        diameters: (n,) equivalent circular diameters of the grains that have a weight, above 0.
        weights: (n,) their sampling weights, above 0 (Miles-Lantuéjoul: the inverse chance that a grain of
            this size lies wholly inside the field).
        specimen: Which specimen of the batch it lies on; empty if nobody said.
        line_width: Of the lines that the grains were found between, not negative; 0 where there were none.
        doubted: Whether the field's boundaries are not to be trusted, by their own signs.

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
        """Whether the field has a mean intercept: some line, and something that it crosses."""
        return self.line_length > 0 and self.crossings > 0


def line_share(samples: Sequence[FieldSample]) -> float:
    """Width of the lines over the mean intercept, the mean of the fields that have one; 0 without lines."""
    crossed = [sample for sample in samples if sample.has_intercept]
    shares = [sample.line_width * sample.crossings / sample.line_length for sample in crossed]
    return float(np.mean(shares)) if shares else 0.0


def by_specimen(samples: Sequence[FieldSample]) -> tuple[FieldSample, ...]:
    """The fields of each specimen as one sample, so that everything that takes fields takes specimens.

    Fields of one specimen share what is peculiar to it: they are no replicates of the batch.

    Args:
        samples: Fields of a batch.

    Returns:
        One sample per specimen, named after it; none unless all fields name theirs and there are two or more.
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
        value: In the unit of what is estimated; nan where undefined.
        low: Lower end of the interval; nan where the fields give none.
        high: Upper end.
        se_ln: Standard error of the natural logarithm of the length behind the number; nan where there is
            none, and for differences, whose intervals are on the plain scale.
        df: Degrees of freedom of the standard error; 0 where there is none.
    """

    value: float
    low: float
    high: float
    se_ln: float
    df: float


UNDEFINED = Estimate(math.nan, math.nan, math.nan, math.nan, 0.0)


def t_quantile(df: float, share: float = (1 + CONFIDENCE) / 2) -> float:
    """Quantile of Student's t distribution; by default the two-sided 95 % one.

    Args:
        df: Degrees of freedom, above 0, or infinite for the normal distribution.
        share: Cumulated probability.
    """
    return float(special.ndtri(share) if math.isinf(df) else special.stdtrit(df, share))


def weighted_percentiles(values: Floats, weights: Floats, shares: Sequence[float]) -> Floats:
    """Percentiles of weighted values.

    A value stands at the cumulated weight below it plus half its own (with equal weights Hazen's plotting
    position, as in `numpy.quantile(method="hazen")`); in between, the logarithm is interpolated, so that
    the percentiles scale with the unit.

    Args:
        values: (n,) above 0.
        weights: (n,) above 0.
        shares: Cumulated shares in (0, 1).

    Returns:
        One value per share; nan where the share lies below the smallest value's or above the largest's.
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
    """Share of the weight below each of the sorted values, plus half its own: (n,) in (0, 1)."""
    total = np.cumsum(weights)
    return np.asarray((total - weights / 2) / total[-1], np.float64) if weights.size else total


def interpolated(ln_values: Floats, cumulated: Floats, shares: Sequence[float] | Floats) -> Floats:
    """Look shares up among sorted values and their cumulated shares; nan outside."""
    if ln_values.size == 0:
        return np.full(len(shares), np.nan)
    return np.asarray(np.interp(shares, cumulated, ln_values, left=np.nan, right=np.nan), np.float64)


def require_samples(samples: Sequence[FieldSample], unit: str) -> None:
    """Refuse what only a bug can produce.

    Raises:
        ValueError: If the unit is neither µm nor px, or two fields have the same name.
    """
    if unit not in UNITS:
        raise ValueError(f"unit {unit!r} is not one of {', '.join(UNITS)}")
    names = [sample.name for sample in samples]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"fields named twice: {', '.join(twice)}")
