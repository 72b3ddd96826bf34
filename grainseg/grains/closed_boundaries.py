"""Whether a field's mean intercept rests on boundaries that nobody saw: an absolute sign, unlike the doubt.

The doubt compares a prediction with the validation of its own network. A network that was bad there, too,
is not doubted; how much of its boundaries only the partition closed shows it all the same.
"""

from collections.abc import Iterator

from grainseg.grains.measurement import FieldMeasurement

MANY_CLOSED = 0.15
"""Share of the crossings. Predictions with a boundary F1 above 0.85 had up to 0.14, of one trained too
short 0.21; open ends per grain told no more (docs/robustness.md)."""


def closed_flags(field: FieldMeasurement) -> Iterator[str]:
    """A line where too much of the mean intercept is the partition's.

    Args:
        field: Measured, from a partition or from a map, of which nothing is known.
    """
    share = field.closed_share
    if share is not None and share > MANY_CLOSED:  # nan without a crossing
        yield (
            f"{100 * share:.0f} % of the boundaries that the test lines cross were only closed by the "
            f"partition (a flag above {100 * MANY_CLOSED:.0f} %): the mean intercept rests on boundaries "
            "that no line shows; compare the overlay with the picture"
        )
