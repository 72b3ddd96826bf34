"""One batch as it stands in a comparison: its units of replication, which are fields or whole specimens."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grainseg.grains.batches.budget import hidden_by_lines
from grainseg.grains.batches.intervals import (
    field_intercepts,
    mean_intercept,
    percentile_estimate,
    size_distribution,
)
from grainseg.grains.batches.samples import Estimate, FieldSample, line_share
from grainseg.grains.batches.welch import NO_SCATTER
from grainseg.micrograph.arrays import Floats

MIN_REPLICATES = 3
"""Units of a batch below which its scatter is too badly known for a test: against many of another batch, two
units find a difference between equal batches in 12 %, three in 7 % (docs/metrology.md)."""

_RESOLVED = 0.01


@dataclass(frozen=True, eq=False)
class ComparedBatch:
    """A batch's units and what is pooled over them.

    Attributes:
        name: Of the batch.
        replicate: FIELD or SPECIMEN, what its units are.
        ln_intercepts: (units,) logarithms of the mean intercepts of those that have one.
        left_out: How many units have none.
        intercept: Pooled.
        d50: Number-weighted median diameter.
        diameters: (n,) of all grains with a weight.
        weights: (n,) theirs.
        line_share: Width of the lines over the mean intercept, see `samples.line_share`.
    """

    name: str
    replicate: str
    ln_intercepts: Floats
    left_out: int
    intercept: Estimate
    d50: Estimate
    diameters: Floats
    weights: Floats
    line_share: float

    @property
    def count(self) -> int:
        """Units with a mean intercept."""
        return self.ln_intercepts.size

    @property
    def sd(self) -> float | None:
        """Standard deviation of their logarithms; None below MIN_REPLICATES."""
        return float(self.ln_intercepts.std(ddof=1)) if self.count >= MIN_REPLICATES else None

    @property
    def all_alike(self) -> bool:
        """Whether the units do not differ at all, as copies do not."""
        return self.sd is not None and self.sd < NO_SCATTER

    @property
    def hidden(self) -> float:
        """By how much its lines can have made the mean intercept longer at most, relative to it."""
        return hidden_by_lines(self.line_share)


def unequal_lines(a: ComparedBatch, b: ComparedBatch) -> float:
    """What lines can add to the ratio of two batches at most; 0 up to 1 %, which no comparison resolves."""
    difference = abs(a.hidden - b.hidden)
    return difference if difference > _RESOLVED else 0.0


def compared_batch(name: str, replicate: str, samples: Sequence[FieldSample]) -> ComparedBatch:
    """Pool a batch for its comparisons.

    Args:
        name: Of the batch.
        replicate: FIELD or SPECIMEN, what the samples are.
        samples: Fields, or specimens as `by_specimen` gives them.
    """
    sizes = size_distribution(samples, by_area=False)
    ln_intercepts = np.log(field_intercepts(samples))
    return ComparedBatch(
        name=name,
        replicate=replicate,
        ln_intercepts=ln_intercepts,
        left_out=len(samples) - ln_intercepts.size,
        intercept=mean_intercept(samples),
        d50=percentile_estimate(sizes, 0.5),
        diameters=np.exp(sizes.ln_diameter),
        weights=sizes.weight,
        line_share=line_share(samples),
    )
