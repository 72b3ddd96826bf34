"""Fields that are the same picture: as several fields it would narrow intervals, and hide what differs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grainseg.grains.batches.samples import FieldSample

_MIN_GRAINS = 2
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Copy:
    """Two fields that have the very same grains.

    Attributes:
        batch: Batch of the later field.
        field: The later field.
        first_batch: Batch of the field before, which may be the same.
        first_field: The field before.
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
    """Find fields that are earlier ones, whatever their scale: no two places are alike.

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
                if _same(sample, first):
                    yield Copy(batch, sample.name, first_batch, first.name)
            alike.append((batch, sample))


def distinct(samples: Sequence[FieldSample]) -> tuple[tuple[FieldSample, ...], tuple[str, ...]]:
    """The fields of a batch without those that are earlier ones of it, and the names of these.

    Args:
        samples: Of one batch, in any unit.

    Returns:
        Fields that stand for a place each, and the names of the others; both in their order.
    """
    later = {copy.field: None for copy in copies({"": samples})}
    return tuple(sample for sample in samples if sample.name not in later), tuple(later)


def _same(one: FieldSample, other: FieldSample) -> bool:
    """Whether two fields of as many grains and crossings are the same but for their scale."""
    share, other_share = (np.sort(each.diameters) / each.line_length for each in (one, other))
    return bool(np.allclose(share, other_share, rtol=_TOLERANCE, atol=0))
