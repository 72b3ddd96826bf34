"""Warnings in batches and comparisons about boundaries: doubted ones, and ones of different origin."""

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
    """Add a warning to comparisons with doubted fields, or with boundaries that were not found in one way.

    Such batches may differ by their pictures or by the bias of their segmentations alone.

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
        predicted = {name: {sample.predicted for sample in batches[name]} for name in (pair.a, pair.b)}
        if sorted(predicted.values(), key=str) == [{False}, {True}]:
            first, second = sorted(predicted, key=lambda name: False in predicted[name])
            said = (
                f"Boundaries of {first} were predicted by a network, those of {second} were given as masks "
                "or maps: unless they are the same network's, the bias of the segmentation does not cancel "
                "between them and is in no interval."
            )
            pair = replace(pair, sentence=f"{pair.sentence} {said}")
        found.append(pair)
    return tuple(found)
