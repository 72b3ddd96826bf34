r"""The measurements as CSV: grains.csv, fields.csv, batches.csv, budget.csv and comparisons.csv.

What the columns are is said by ``rows`` and ``batch_rows``; this module writes them.

UTF-8 without a byte order mark, RFC 4180 (commas, CR LF, quotes where needed), a point as decimal sign,
floats with all their digits, nothing where a number is missing. Units stand in the names of the columns.

A text that a spreadsheet would run as a formula gets an apostrophe, as the Open Worldwide Application
Security Project advises (https://owasp.org/www-community/attacks/CSV_Injection): a file named
``=HYPERLINK(…).png`` stands in every table as ``'=HYPERLINK(…)``. Such a text starts with = + - @ (or their
full-width forms), a tab or a line end. So may any piece of it behind a comma, semicolon, tab or line end,
where a cell begins for a spreadsheet of another locale; blanks and quotes in front change nothing. Numbers,
negative ones too, are left alone. `plain_text` takes the apostrophes away again. Bytes of a file name that
are no UTF-8, and control characters, are written as escapes such as ``\udcff`` and ``\x1b``, and stay so.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from grainseg.micrograph.folders.selection import RECORDS
from grainseg.micrograph.formats.replacing import replacing
from grainseg.micrograph.names import without_controls
from grainseg.report.files.batch_rows import Value

_CELL_START = r"(?<![^,;\t\r\n])"  # the text's, or behind a separator
_BLANKS = r"""(?:[^\S\t\r\n]|")*"""
_FORMULA = r"(?=[=+\-@＝＋－＠])"
_CONTROL = r"(?=[\t\r\n\0])"  # starts a formula only at the start of the whole text
_TO_MARK = re.compile(rf"{_CELL_START}{_BLANKS}'*{_FORMULA}|\A{_BLANKS}'*{_CONTROL}")
_MARKED = re.compile(rf"{_CELL_START}{_BLANKS}'+{_FORMULA}|\A{_BLANKS}'+{_CONTROL}")

GRAINS = "grains.csv"
FIELDS = "fields.csv"
BATCHES = "batches.csv"
BUDGET = "budget.csv"
COMPARISONS = "comparisons.csv"
CARD = "robustness.csv"
CARD_IMAGES = "robustness_images.csv"
REGIONS = "suggestions.csv"
RANKED = RECORDS["suggestions.png"]

_FIRST_COLUMNS = {
    GRAINS: ["batch", "image", "id"],
    FIELDS: ["batch", "image"],
    BATCHES: ["batch", "fields", "grains"],
    BUDGET: ["batch", "part", "known"],
    COMPARISONS: ["a", "b", "fields_a", "fields_b"],
    CARD: ["method", "kind", "variant", "level"],
    CARD_IMAGES: ["method", "kind", "variant", "level"],
    REGIONS: ["rank", "image", "row"],
    RANKED: ["rank", "image", "score"],
}
_HEADING_CHARACTERS = 4096


def is_table(path: Path) -> bool:
    """Whether an existing file of one of these tables' names was written here, by its first columns.

    Args:
        path: The file; one that cannot be read is none.
    """
    columns = _FIRST_COLUMNS[path.name]
    try:
        with path.open(encoding="utf-8") as handle:
            heading = handle.readline(_HEADING_CHARACTERS).rstrip("\r\n").split(",")
    except (OSError, UnicodeDecodeError):
        return False
    return heading[: len(columns)] == columns


def write_csv(path: Path, rows: Iterable[Mapping[str, Value]], columns: Sequence[str] | None = None) -> None:
    """Write a table that is complete or absent.

    Args:
        path: File to write; missing folders are made.
        rows: Values by column; None, NaN and what a row does not have are missing.
        columns: Names, in order; rows then need not be held in memory together, and a table without rows has
            its heading. None takes those of all rows, as they come: a row in µm has others than one in px.

    Raises:
        GrainsegError: The file cannot be written.
    """
    if columns is None:
        rows = list(rows)
        columns = list(dict.fromkeys(column for row in rows for column in row))
    with replacing(path) as handle:
        text = io.TextIOWrapper(handle, encoding="utf-8", errors="backslashreplace", newline="")
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows([cell_text(row.get(column)) for column in columns] for row in rows)
        text.detach()  # flushes, and leaves the handle open


def cell_text(value: Value) -> str:
    """A value as the tables write it: the shortest text that gives the same float back, or nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _TO_MARK.sub(lambda match: f"{match[0]}'", without_controls(value))
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    return "" if math.isnan(value) else repr(float(value))


def plain_text(text: str) -> str:
    """The text that `cell_text` wrote so: one more apostrophe stands before each formula than before."""
    return _MARKED.sub(lambda match: match[0][:-1], text)
