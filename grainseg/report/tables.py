r"""The measurements as CSV: grains.csv, fields.csv, batches.csv, budget.csv and comparisons.csv.

UTF-8 without a byte order mark, RFC 4180 (commas, CR LF, quotes where needed), a point as decimal sign,
floats with all their digits, nothing where a number is missing. Units stand in the names of the columns.

A text that a spreadsheet would run as a formula (it starts with = + - @, a tab or a line end) gets an
apostrophe in front, as the Open Worldwide Application Security Project advises against CSV injection: a file
named ``=HYPERLINK(…).png`` stands in every table as ``'=HYPERLINK(…)``. Numbers, negative ones too, are left
alone. Bytes of a file name that are no UTF-8 are written as escapes such as ``\udcff``.
"""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from grainseg.grains.batch import BatchStatistics
from grainseg.grains.batch_rows import Value, batch_row, budget_rows, comparison_row
from grainseg.grains.compare import Comparison
from grainseg.micrograph.replacing import replacing
from grainseg.report.rows import GRAIN_COLUMNS, BatchedFields, field_row, grain_rows

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Value]]) -> None:
    """Write a table that is complete or absent.

    Args:
        path: File to write; missing folders are made.
        columns: Names, in order.
        rows: Values by column; None, NaN and what a row does not have are missing.

    Raises:
        GrainsegError: The file cannot be written.
    """
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
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    return "" if math.isnan(value) else repr(float(value))


def write_grains(path: Path, batches: BatchedFields) -> None:
    """One row per grain, see `GrainTable`; lengths and areas in px and, where the pixel size is known, in µm.

    Args:
        path: File to write.
        batches: The fields of each batch.

    Raises:
        GrainsegError: The file cannot be written.
    """
    write_csv(path, GRAIN_COLUMNS, grain_rows(batches))


def write_fields(path: Path, batches: BatchedFields) -> None:
    """One row per field, see `field_row`.

    Args:
        path: File to write.
        batches: The fields of each batch, at least one.

    Raises:
        GrainsegError: The file cannot be written.
    """
    rows = [field_row(batch, field) for batch, fields in batches.items() for field in fields]
    write_csv(path, _columns(rows), rows)


def write_batches(path: Path, batches: Sequence[BatchStatistics]) -> None:
    """One row per batch, see `batch_row`.

    Args:
        path: File to write.
        batches: At least one.

    Raises:
        GrainsegError: The file cannot be written.
    """
    rows = [batch_row(batch) for batch in batches]
    write_csv(path, _columns(rows), rows)


def write_budgets(path: Path, batches: Sequence[BatchStatistics]) -> None:
    """One row per part of each batch's uncertainty budget, see `budget_rows`.

    Args:
        path: File to write.
        batches: At least one.

    Raises:
        GrainsegError: The file cannot be written.
    """
    rows = [row for batch in batches for row in budget_rows(batch)]
    write_csv(path, list(rows[0]), rows)


def write_comparisons(path: Path, comparisons: Sequence[Comparison]) -> None:
    """One row per pair of batches, see `comparison_row`.

    Args:
        path: File to write.
        comparisons: At least one.

    Raises:
        GrainsegError: The file cannot be written.
    """
    rows = [comparison_row(comparison) for comparison in comparisons]
    write_csv(path, _columns(rows), rows)


def _columns(rows: Sequence[Mapping[str, Value]]) -> list[str]:
    """Of all rows, as they come: one in µm has others than one in px."""
    return list(dict.fromkeys(column for row in rows for column in row))
