"""Find fields that show the same picture: counted twice, it narrows intervals and hides differences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grainseg.grains.batches.samples import FieldSample

_MIN_GRAINS = 2
"""Fewest weighted grains of a field that is compared with others."""
_TOLERANCE = 1e-9
"""Relative difference of diameters that only rounding makes."""


@dataclass(frozen=True)
class Copy:
    """Two fields that have exactly the same grains.

    Attributes:
        batch: Batch of the later field.
        field: Name of the later field.
        first_batch: Batch of the earlier field, which may be the same batch.
        first_field: Name of the earlier field.
    """

    batch: str
    field: str
    first_batch: str
    first_field: str

    @property
    def sentence(self) -> str:
        """The finding in words, with what to do about it."""
        return (
            f"{self.field} in {self.batch} has the very grains of {self.first_field} in {self.first_batch}: "
            "one picture counts as two fields; measure again without one of them"
        )


def copies(batches: Mapping[str, Sequence[FieldSample]]) -> Iterator[Copy]:
    """Find fields that repeat an earlier field, possibly at another scale.

    No two places of a material have exactly the same grains.

    Args:
        batches: Fields of each batch, in any unit.

    Yields:
        Each pair of such fields.
    """
    seen: dict[tuple[float, int], list[tuple[str, FieldSample]]] = {}
    for batch, samples in batches.items():
        for sample in samples:
            if not sample.has_intercept or sample.diameters.size < _MIN_GRAINS:
                continue
            alike = seen.setdefault((round(sample.crossings, 6), sample.diameters.size), [])
            for first_batch, first in alike:
                if _same(sample, first):
                    yield Copy(batch, sample.name, first_batch, first.name)
            alike.append((batch, sample))


def distinct(samples: Sequence[FieldSample]) -> tuple[tuple[FieldSample, ...], tuple[str, ...]]:
    """The fields of a batch without those that repeat an earlier one, and the names of the repeated ones.

    Args:
        samples: Fields of one batch, in any unit.

    Returns:
        The fields that show a place of their own, and the names of the others; both in their order.
    """
    later = {copy.field: None for copy in copies({"": samples})}
    return tuple(sample for sample in samples if sample.name not in later), tuple(later)


def _same(one: FieldSample, other: FieldSample) -> bool:
    """Whether two fields with equal numbers of grains and crossings are the same apart from their scale."""
    share, other_share = (np.sort(each.diameters) / each.line_length for each in (one, other))
    return bool(np.allclose(share, other_share, rtol=_TOLERANCE, atol=0))
