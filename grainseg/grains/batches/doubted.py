"""Warnings in batches and comparisons about doubted fields, whose boundaries are not to be trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from grainseg.grains.batches.compare import Comparison
from grainseg.grains.batches.samples import FieldSample
from grainseg.grains.wording import counted


def doubted_fields(samples: Sequence[FieldSample]) -> str | None:
    """Number of doubted fields of a batch in words, such as "2 of 5 fields"; None if none is doubted."""
    doubted = sum(sample.doubted for sample in samples)
    return f"{doubted} of {counted(len(samples), 'field')}" if doubted else None


def cautioned(
    comparisons: Sequence[Comparison], batches: Mapping[str, Sequence[FieldSample]]
) -> tuple[Comparison, ...]:
    """Add a warning to comparisons with doubted fields: the batches may differ by their pictures alone.

    Args:
        comparisons: Comparisons of these batches.
        batches: Fields by batch.
    """
    found = []
    for pair in comparisons:
        for name in (pair.a, pair.b):
            doubted = doubted_fields(batches[name])
            if doubted is not None:
                said = f"{doubted} of {name}: do not trust the boundaries before you have seen the overlays."
                pair = replace(pair, sentence=f"{pair.sentence} {said}")
        found.append(pair)
    return tuple(found)
