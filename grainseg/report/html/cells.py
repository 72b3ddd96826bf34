"""Tables of a page: rounded numbers, each with the unrounded text that the CSV has for it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grainseg.grains.wording import minus
from grainseg.report.files.batch_rows import Row, Value
from grainseg.report.files.tables import cell_text

MISSING = "–"


@dataclass(frozen=True)
class Number:
    """A rounded number of a page.

    Attributes:
        key: Its column in the CSV.
        value: Its text in the CSV.
        text: The rounded text that the page shows.
    """

    key: str
    value: str
    text: str


@dataclass(frozen=True)
class TableCell:
    """One cell of a table.

    Attributes:
        parts: Numbers and the words between them.
        sort: Value by which the column is sorted; empty values come last.
        css: CSS classes.
        link: Anchor on the page; empty for none.
    """

    parts: tuple[Number | str, ...]
    sort: str = ""
    css: str = ""
    link: str = ""


@dataclass(frozen=True)
class Column:
    """Heading of a column; with the class ``num``, the default, the column is set flush right."""

    title: str
    unit: str = ""
    css: str = "num"


@dataclass(frozen=True)
class Line:
    """A row of a table, and the keys of its row in the CSV: batch and image, or the pair of batches."""

    cells: tuple[TableCell, ...]
    source: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """A table; every line has one cell per column."""

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


def number_text(value: Value, half: float = math.nan, places: int | None = None) -> str:
    """Round to ``places`` decimals or three digits, and to more where two digits of ``half`` need them."""
    if value is None or isinstance(value, str) or math.isnan(value):
        return MISSING
    if isinstance(value, int):
        return f"{value}"
    if math.isinf(value):
        return "∞"
    if places is None:
        places = 2 - math.floor(math.log10(abs(value))) if value else 0
    if 0 < half < math.inf:
        places = max(places, 1 - math.floor(math.log10(half)))
    if not -6 <= places <= 6:
        return minus(f"{value:.3e}")
    return minus(f"{value:z.{max(places, 0)}f}")  # z: no negative zero


def half_text(half: float) -> str:
    """An uncertainty, rounded to two digits."""
    return number_text(half, places=1 - math.floor(math.log10(half)) if 0 < half < math.inf else None)


def number(row: Row, key: str, half: float = math.nan) -> Number:
    """A number of a row, rounded as the half width of its interval asks."""
    places = 2 if key.startswith(("astm_g", "delta_g")) else None
    return Number(key, cell_text(row[key]), number_text(row[key], half, places))


def plain(
    row: Row, key: str, half: float = math.nan, places: int | None = None, factor: float = 1.0
) -> TableCell:
    """A cell of one number, shown times a factor and rounded as `number_text` does."""
    value = row[key]
    shown = value if factor == 1.0 or not isinstance(value, float) else value * factor
    made = Number(key, cell_text(value), number_text(shown, half, places))
    return TableCell((made,), made.value, "num")


def half_width(row: Row, name: str, unit: str = "") -> float:
    """Half of an interval; nan where there is none.

    Args:
        row: A row with the keys `name_low` and `name_high`, each followed by the unit if there is one.
        name: Name of the estimate and kind of the interval, such as "d50_sampling".
        unit: "um", "px" or nothing.
    """
    low, high = row[_key(name, "low", unit)], row[_key(name, "high", unit)]
    if not isinstance(low, float) or not isinstance(high, float):
        return math.nan
    return (high - low) / 2


def best(row: Row, name: str, unit: str = "", css: str = "num") -> TableCell:
    """A cell of an estimate, rounded by the half width of its sampling interval."""
    shown = number(row, _key(name, unit), half_width(row, f"{name}_sampling", unit))
    return TableCell((shown,), shown.value, css)


def interval(row: Row, name: str, unit: str = "") -> TableCell:
    """A cell of an interval; the arguments are those of `half_width`."""
    half = half_width(row, name, unit)
    low, high = (number(row, _key(name, end, unit), half) for end in ("low", "high"))
    if not low.value and not high.value:
        return TableCell((MISSING,), "", "num missing")
    if not high.value:
        return TableCell(("from ", low), low.value, "num")
    return TableCell((low, " to ", high) if low.value else ("up to ", high), low.value, "num")


def _key(*parts: str) -> str:
    return "_".join(filter(None, parts))


def words(text: str, css: str = "", link: str = "") -> TableCell:
    """A cell of text."""
    return TableCell((text,), text, css, link)


def line(cells: Sequence[TableCell], **source: str) -> Line:
    """A row of a table; ``source`` holds the keys of its row in the CSV."""
    return Line(tuple(cells), source)
