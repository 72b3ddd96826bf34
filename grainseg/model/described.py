"""Checks of single values in a checkpoint's description, which may be from an unknown source."""

from collections.abc import Mapping, Sequence
from typing import Any

from grainseg.config.checks import MAX_LABEL_OFFSET_PX

_MAX_SHOWN = 200


def shortened(text: str) -> str:
    """Shorten a text for an error message: a file may hold a text of any length."""
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def read_offset(values: Sequence[object]) -> tuple[float, float]:
    """Check an offset of labels, in px down and to the right.

    Raises:
        ValueError: The values are not two numbers within ±``MAX_LABEL_OFFSET_PX``.
    """
    numbers = [value for value in values if isinstance(value, float) and abs(value) <= MAX_LABEL_OFFSET_PX]
    if len(values) != 2 or len(numbers) != 2:
        raise ValueError("label_offset_px is no offset in its range")
    return numbers[0], numbers[1]


def read_numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Check that the values of a partition's settings are numbers from -10 to 10.

    Raises:
        ValueError: A value is out of range or not a number; booleans and texts are not accepted.
    """
    for name, value in values.items():
        if type(value) not in (int, float) or not -10 <= value <= 10:
            raise ValueError(f"{name} is no number in its range")
    return {name: float(value) for name, value in values.items()}
