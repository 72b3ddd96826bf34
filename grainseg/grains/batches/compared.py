"""One batch prepared for comparisons: its units of replication (fields or specimens) and pooled values."""

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
"""Fewest units per batch for a test; the scatter of fewer is too badly known: in comparisons of equal batches
two units against many find a difference in 12 % of the cases, three in 7 % (docs/metrology.md)."""

_RESOLVED = 0.01
"""Relative difference of mean intercepts that no comparison resolves."""


@dataclass(frozen=True, eq=False)
class ComparedBatch:
    """A batch's units and the values pooled over them.

    Attributes:
        name: Name of the batch.
        replicate: FIELD or SPECIMEN, the kind of its units.
        ln_intercepts: (units,) ln mean intercept of the units that have one.
        left_out: Number of units without a mean intercept.
        intercept: Pooled mean intercept.
        d50: Number-weighted median diameter.
        diameters: (n,) equivalent circular diameters of all grains with a weight.
        weights: (n,) sampling weights of these grains.
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
        """Number of units with a mean intercept."""
        return self.ln_intercepts.size

    @property
    def sd(self) -> float | None:
        """Standard deviation of ln mean intercept over the units; None below MIN_REPLICATES."""
        return float(self.ln_intercepts.std(ddof=1)) if self.count >= MIN_REPLICATES else None

    @property
    def all_alike(self) -> bool:
        """Whether the units do not differ at all, as if they were copies."""
        return self.sd is not None and self.sd < NO_SCATTER

    @property
    def hidden(self) -> float:
        """Largest relative error by which the lines can have made the mean intercept too long."""
        return hidden_by_lines(self.line_share)


def unequal_lines(a: ComparedBatch, b: ComparedBatch) -> float:
    """Largest error that lines can add to the ratio of two batches; 0 up to 1 %, which nothing resolves."""
    difference = abs(a.hidden - b.hidden)
    return difference if difference > _RESOLVED else 0.0


def compared_batch(name: str, replicate: str, samples: Sequence[FieldSample]) -> ComparedBatch:
    """Pool a batch for its comparisons.

    Args:
        name: Name of the batch.
        replicate: FIELD or SPECIMEN, the kind of the samples.
        samples: Fields, or specimens as returned by `by_specimen`.
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
