"""Numbers and words in sentences for readers: plurals, lists, and a true minus sign."""

import math
from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """A number and its noun, such as "1 field" and "3 fields"."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural(noun)}"


def plural(noun: str) -> str:
    """Plural of a noun of this project."""
    return f"{noun}es" if noun.endswith("ch") else f"{noun}s"


def listed(words: Sequence[str]) -> str:
    """One or more words as a list: "a", "a and b", "a, b and c"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def signed(value: float, places: int) -> str:
    """A number with its sign, the minus as U+2212 (tables keep the hyphen that programs read)."""
    return minus(f"{value:+.{places}f}")


def minus(text: str) -> str:
    """The text of a number with minus signs (U+2212) in place of hyphens."""
    return text.replace("-", "−")


def percent(ln: float) -> float:
    """Convert a difference or uncertainty u of a logarithm to percent of the number: 100 · (exp(u) - 1).

    For an uncertainty that is its reach upwards; downwards it reaches less far, 100 · (1 - exp(-u)).
    """
    return 100 * math.expm1(ln)
