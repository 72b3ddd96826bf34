r"""Write tables as CSV: grains.csv, fields.csv, batches.csv, budget.csv, comparisons.csv and others.

``rows`` and ``batch_rows`` define the columns of the measurements; this module writes them.

The format is UTF-8 without a byte order mark, RFC 4180 (commas, CR LF, quotes where needed), with a decimal
point, floats with all their digits, and an empty cell for a missing number. Column names contain the units.

A text that a spreadsheet would run as a formula gets an apostrophe, as the Open Worldwide Application
Security Project advises (https://owasp.org/www-community/attacks/CSV_Injection): a file named
``=HYPERLINK(…).png`` appears in every table as ``'=HYPERLINK(…)``. Such a text starts with = + - @ (or their
full-width forms), a tab or a line end. The same applies to each part of it after a comma, semicolon, tab or
line end, where a spreadsheet of another locale may begin a cell; blanks and quotes in front make no
difference. Numbers, including negative ones, are not changed. `plain_text` removes the apostrophes again.
Bytes of a file name that are not UTF-8, and control characters, are written as escapes such as ``\udcff`` and
``\x1b``, and are not converted back.
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

_CELL_START = r"(?<![^,;\t\r\n])"  # start of the text, or after a separator
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
SWEEP = "sweep.csv"

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
    SWEEP: ["job", "folder"],
}
_HEADING_CHARACTERS = 4096


def is_table(path: Path) -> bool:
    """Check whether an existing file was written by grainseg, by the names of its first columns.

    Args:
        path: The file, named like one of these tables; the answer is False if it cannot be read.
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
        path: File to write; missing folders are created.
        rows: Values by column; None, NaN and columns that a row lacks give an empty cell.
        columns: Names in order; the rows are then not held in memory together, and a table without rows still
            has its heading. None takes the columns of all rows in order of appearance, since rows in µm and
            in px have different columns.

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
    """Return the text of a cell: for a float the shortest text with the same value; empty if missing."""
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
    """Undo the marks of `cell_text`: remove one apostrophe in front of each formula."""
    return _MARKED.sub(lambda match: match[0][:-1], text)
