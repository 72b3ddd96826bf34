"""Fields that stand in two batches: compared, a batch and its copy would be equivalent without any doubt."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grainseg.grains.batches.samples import FieldSample

_MIN_GRAINS = 2
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Copy:
    """Two fields of different batches that have the very same grains.

    Attributes:
        batch: The later batch.
        field: Its field.
        first_batch: The batch before.
        first_field: Its field.
    """

    batch: str
    field: str
    first_batch: str
    first_field: str

    @property
    def sentence(self) -> str:
        """In words, with what to do."""
        return (
            f"{self.field} in {self.batch} has the very grains of {self.first_field} in {self.first_batch}: "
            "one picture counts as two fields; measure again without one of them"
        )


def copies(batches: Mapping[str, Sequence[FieldSample]]) -> Iterator[Copy]:
    """Find fields that are those of an earlier batch, whatever their scale: no two places are alike.

    Args:
        batches: Fields of each batch, in any unit.

    Yields:
        Each such pair.
    """
    seen: dict[tuple[float, int], list[tuple[str, FieldSample]]] = {}
    for batch, samples in batches.items():
        for sample in samples:
            if not sample.has_intercept or sample.diameters.size < _MIN_GRAINS:
                continue
            alike = seen.setdefault((round(sample.crossings, 6), sample.diameters.size), [])
            for first_batch, first in alike:
                if first_batch != batch and _same(sample, first):
                    yield Copy(batch, sample.name, first_batch, first.name)
            alike.append((batch, sample))


def _same(one: FieldSample, other: FieldSample) -> bool:
    """Whether two fields of as many grains and crossings are the same but for their scale."""
    share, other_share = (np.sort(each.diameters) / each.line_length for each in (one, other))
    return bool(np.allclose(share, other_share, rtol=_TOLERANCE, atol=0))
