r"""The measurements as CSV: grains.csv, fields.csv, batches.csv, budget.csv and comparisons.csv.

``rows`` and ``batch_rows`` define the columns; this module writes them.

UTF-8 without a byte order mark, RFC 4180 (commas, CR LF, quotes where needed), a point as decimal sign,
floats with all their digits, an empty cell for a missing number. Units stand in the names of the columns.

A text that a spreadsheet would run as a formula gets an apostrophe, as the Open Worldwide Application
Security Project advises (https://owasp.org/www-community/attacks/CSV_Injection): a file named
``=HYPERLINK(…).png`` stands in every table as ``'=HYPERLINK(…)``. Such a text starts with = + - @ (or their
full-width forms), a tab or a line end. The same holds for each part of it after a comma, semicolon, tab or
line end, where a cell may begin for a spreadsheet of another locale; blanks and quotes in front change
nothing. Numbers, negative ones too, are left alone. `plain_text` removes the apostrophes again. Bytes of a
file name that are not UTF-8, and control characters, are written as escapes such as ``\udcff`` and ``\x1b``,
and are not converted back.
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

_CELL_START = r"(?<![^,;\t\r\n])"  # start of the text, or behind a separator
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
    """Whether an existing file was written by grainseg, judged by its first columns.

    Args:
        path: The file, with the name of one of these tables; the answer is False if it cannot be read.
    """
    columns = _FIRST_COLUMNS[path.name]
    try:
        with path.open(encoding="utf-8") as handle:
            heading = handle.readline(_HEADING_CHARACTERS).rstrip("\r\n").split(",")
    except (OSError, UnicodeDecodeError):
        return False
    return heading[: len(columns)] == columns


def write_csv(path: Path, rows: Iterable[Mapping[str, Value]], columns: Sequence[str] | None = None) -> None:
    """Write a table, completely or not at all.

    Args:
        path: File to write; missing folders are made.
        rows: Values by column; None, NaN and columns that a row lacks give an empty cell.
        columns: Names, in order; the rows then need not be in memory together, and a table without rows has
            its heading. None takes the columns of all rows, as they come: rows in µm and in px have different
            ones.

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
    """A value as the tables write it: for a float the shortest text that gives it back, empty if missing."""
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
    """The text before `cell_text` marked it: one apostrophe is removed in front of each formula."""
    return _MARKED.sub(lambda match: match[0][:-1], text)
