"""Numbers of a checkpoint's description, which may be a stranger's: each is checked before it is used."""

from collections.abc import Mapping, Sequence
from typing import Any

from grainseg.config.checks import MAX_LABEL_OFFSET_PX


def read_offset(values: Sequence[object]) -> tuple[float, float]:
    """Check an offset of labels, in px down and to the right.

    Raises:
        ValueError: It is not two numbers in the range.
    """
    numbers = [value for value in values if isinstance(value, float) and abs(value) <= MAX_LABEL_OFFSET_PX]
    if len(values) != 2 or len(numbers) != 2:
        raise ValueError("label_offset_px is no offset in its range")
    return numbers[0], numbers[1]


def read_numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Check the values of a partition's settings, none of which is as large as 10.

    Raises:
        ValueError: One is no number, or a truth value or text that could pass for one.
    """
    for name, value in values.items():
        if type(value) not in (int, float) or not -10 <= value <= 10:
            raise ValueError(f"{name} is no number in its range")
    return {name: float(value) for name, value in values.items()}
