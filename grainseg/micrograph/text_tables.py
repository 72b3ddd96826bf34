"""Tables that people type or save from a spreadsheet."""

import csv
import re
from dataclasses import dataclass

_DELIMITERS = ",;\t"
_SAID = re.compile(r'"?sep=([^\w\s"]|\t)"?', re.IGNORECASE)
"""What Excel takes for, and other programs write as, the first line: which character separates the cells."""


@dataclass(frozen=True)
class TextTable:
    """A table with a heading.

    Attributes:
        delimiter: What separates its cells, as a first line ``sep=;`` says; else a comma, a semicolon or a
            tab, whichever its heading has most of.
        columns: Its headings in small letters.
        rows: Of each row its line and its cells by heading, without blanks around them.
    """

    delimiter: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]


def parse_table(text: str) -> TextTable:
    """Read a table; lines without anything are passed over, cells that a row lacks are empty.

    Raises:
        csv.Error: A quote is not closed, or something follows one; two headings are the same; a row has more
            cells than there are headings, as one with a decimal comma between commas has.
    """
    lines = text.splitlines()
    delimiter = _delimiter(lines)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    filled = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    columns = _columns(filled[0][1]) if filled else ()
    for line, cells in filled[1:]:
        if any(cells[len(columns) :]):
            raise csv.Error(
                f"line {line} has more cells than the heading; quote a cell that holds {delimiter!r}, and "
                "give decimals a point"
            )
    rows = tuple(
        (line, dict.fromkeys(columns, "") | dict(zip(columns, cells, strict=False)))
        for line, cells in filled[1:]
    )
    return TextTable(delimiter, columns, rows)


def _delimiter(lines: list[str]) -> str:
    """What separates the cells; a line that says so is blanked, so that the others keep their numbers."""
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return _DELIMITERS[0]
    said = _SAID.fullmatch(lines[first].strip(" "))
    if said is None:
        return max(_DELIMITERS, key=lines[first].count)
    lines[first] = ""
    return said[1]


def _columns(cells: list[str]) -> tuple[str, ...]:
    """The headings, without empty ones at the end, which spreadsheets leave."""
    names = [cell.lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise csv.Error(f"its heading has {twice!r} twice; keep one")
    return tuple(names)
