"""Pixel sizes that a person wrote down: ``<stem>.json`` and ``pixel_sizes.csv``.

``<stem>.json`` holds ``{"pixel_size_um": 0.25}``, or [row, column] for pixels that are not square. One
``pixel_sizes.csv`` lies in the folder of the pictures, or up to two levels above it (there it names a picture
with its folder, A/field_1.png):

    image,pixel_size_um,pixel_size_row_um
    field_1.png,0.25,
    field_2.png,0.25,0.26

An image is named with or without its suffix. ``pixel_size_um`` is the spacing of columns, and of rows too
where ``pixel_size_row_um`` is absent or empty. Semicolons or tabs may separate the cells; then numbers may
have a decimal comma.

Nothing here is guessed: a value that is not plainly a pixel size raises ValueError.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from grainseg.micrograph.formats.text_tables import TextTable, parse_table
from grainseg.micrograph.names import plain_name
from grainseg.micrograph.scale.calibration_text import decode
from grainseg.micrograph.scale.evidence import Evidence
from grainseg.micrograph.scale.pixel_limits import MAX_PIXEL_UM, MIN_PIXEL_UM
from grainseg.micrograph.scale.pixel_size import Claim, Rank, is_possible

TABLE_NAME = "pixel_sizes.csv"

_KEY = "pixel_size_um"
_ROW_KEY = "pixel_size_row_um"
_MAX_BYTES = 4 << 20
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_MAX_RATIO = 4.0
"""Largest ratio of row to column spacing, either way.

A stage tilted by 70° makes it 2.9, a misread decimal comma mostly more.
"""

_Row = tuple[int, dict[str, str]]


def json_claim(side: Path, evidence: Evidence) -> Claim | None:
    """Read ``<stem>.json``; None where it gives no pixel size, as the files of annotation tools.

    Args:
        side: The file.
        evidence: Gets a hint if the file is too large, and a warning if it cannot be read or contains the
            key but is not JSON.

    Raises:
        ValueError: The file has the key at its top level, but its value is no pixel size.
    """
    if side.stat().st_size > _MAX_BYTES:
        evidence.hints.append(f"{side.name} is larger than {_MAX_BYTES >> 20} MiB and was not read")
        return None
    try:
        text = _whole(side)
        content = json.loads(text, object_pairs_hook=tuple, parse_int=float) if _KEY in text else None
    except (ValueError, OSError, RecursionError) as error:
        evidence.ignore(side.name, error)
        return None
    values = [value for key, value in content if key == _KEY] if isinstance(content, tuple) else []
    if len(values) > 1:
        raise ValueError(f"it has {_KEY} twice")
    value = values[0] if values else None
    if value is None:
        return None
    sizes = value if isinstance(value, list) else [value]
    if len(sizes) not in (1, 2) or not all(isinstance(size, float) for size in sizes):
        raise ValueError(f"{_KEY} is neither a number nor [row, column]")
    return _claim(side.name, sizes[0], sizes[-1])


def table_claim(source: str, side: Path, path: Path, evidence: Evidence) -> Claim | None:
    """Read a picture's row of ``pixel_sizes.csv``; None where the table gives no pixel size for it.

    A row with the full name is preferred to one with the stem, the exact spelling to one that differs in
    upper and lower case.

    Args:
        source: Name of the table for messages.
        side: Path of the table.
        path: The picture, absolute.
        evidence: Gets a hint if a table in the picture's folder gives no pixel size for it, and a warning if
            a table above that folder cannot be read.

    Raises:
        ValueError: The table gives the picture two different pixel sizes, or an invalid one; or a table in
            the picture's folder lacks a column.
        OSError: A table in the picture's folder cannot be opened.
        csv.Error: A table in the picture's folder is no valid table.
    """
    try:
        table = _table(side)
    except (ValueError, OSError, csv.Error) as error:
        if side.parent == path.parent:
            raise
        evidence.ignore(source, error)  # a table of another program may have that name
        return None
    relative = path.relative_to(side.parent)
    names = [plain_name(name.as_posix()) for name in (relative, relative.with_suffix(""))]
    found = _row_of(names, table, table.rows, str)
    found = found or _row_of(names, table, _of_no_other(table.rows, path, side), str.casefold)
    if found is None:
        if side.parent == path.parent:
            wrong = "".join(f"; {fault}" for fault in list(table.faults.values())[:1])
            evidence.hints.append(f"{side.name} says no pixel size of {path.name}{wrong}")
        return None
    line, row = found
    try:
        texts = row.get(_ROW_KEY) or row[_KEY], row[_KEY]
        down, across = (_decimal(text, table.delimiter) for text in texts)
        if table.delimiter == "," and down != across and all(text.isdecimal() for text in texts):
            raise ValueError(f"{texts[1]},{texts[0]} may be one number; give decimals a point")
        return _claim(source, down, across)
    except ValueError as error:
        raise ValueError(f"line {line}: {error}") from error


def _table(side: Path) -> TextTable:
    """Read the table and check that it has the required columns."""
    table = parse_table(_whole(side), ("image", _KEY, _ROW_KEY))
    if "image" not in table.columns or _KEY not in table.columns:
        raise ValueError(f"it needs the columns image and {_KEY}")
    return table


def _row_of(
    names: list[str], table: TextTable, rows: Iterable[_Row], alike: Callable[[str], str]
) -> _Row | None:
    """Return the row with a pixel size for one of these names, or None.

    Args:
        names: Names of a picture, the preferred one first.
        table: The table, which knows the rows that have a fault.
        rows: Rows of the table to choose from.
        alike: Maps a name to the form in which names are compared.

    Raises:
        ValueError: Two rows with the same one of these names differ in the pixel size, or a row with such a
            name has a fault.
    """
    rows = list(rows)
    for name in names:
        found = [(line, row) for line, row in rows if alike(_named(row)) == alike(name)]
        for fault in (table.faults[line] for line, _ in found if line in table.faults):
            raise ValueError(fault)
        if len({(row[_KEY], row.get(_ROW_KEY)) for _, row in found}) > 1:
            raise ValueError(f"it names {name} twice, in lines {found[0][0]} and {found[1][0]}")
        if found and found[0][1][_KEY]:
            return found[0]
    return None


def _named(row: dict[str, str]) -> str:
    name = plain_name(row["image"]).replace("\\", "/")
    while name.startswith("./"):
        name = name[2:]
    return name


def _of_no_other(rows: Iterable[_Row], path: Path, side: Path) -> Iterable[_Row]:
    """Leave out the rows whose name is, letter by letter, that of another file in the picture's folder."""
    folder = path.parent.relative_to(side.parent)
    beside = [each for each in path.parent.iterdir() if each.name != path.name]
    others = {plain_name((folder / name).as_posix()) for each in beside for name in (each.name, each.stem)}
    return (row for row in rows if _named(row[1]) not in others)


def _decimal(text: str, delimiter: str) -> float:
    plain = text if delimiter == "," else text.replace(",", ".")
    if not _DECIMAL.fullmatch(plain):
        raise ValueError(f"{text!r} is no plain decimal number")
    return float(plain)


def _claim(source: str, row_um: float, column_um: float) -> Claim:
    for size_um in (row_um, column_um):
        if not is_possible(size_um):
            raise ValueError(f"{size_um:g} µm/px is outside {MIN_PIXEL_UM:g} to {MAX_PIXEL_UM:g}")
    if max(row_um, column_um) > _MAX_RATIO * min(row_um, column_um):
        raise ValueError(
            f"{row_um:g} (rows) and {column_um:g} (columns) µm/px differ by more than {_MAX_RATIO:g} : 1"
        )
    return Claim(Rank.SIDECAR, source, row_um, column_um)


def _whole(side: Path) -> str:
    with side.open("rb") as handle:
        raw = handle.read(_MAX_BYTES + 1)
    if len(raw) > _MAX_BYTES:
        raise ValueError(f"it is larger than {_MAX_BYTES >> 20} MiB")
    return decode(raw)
