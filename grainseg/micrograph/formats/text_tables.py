"""Read tables that people type or save from a spreadsheet."""

import csv
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

_DELIMITERS = ",;\t"
_SAID = re.compile(r'"?sep=([^\w\s"]|\t)"?', re.IGNORECASE)
"""First line that Excel understands and other programs write: the character that separates the cells."""


@dataclass(frozen=True)
class TextTable:
    """A table with a heading.

    Attributes:
        delimiter: Character that separates the cells, as given in a first line ``sep=;``; else the comma,
            semicolon or tab, whichever occurs most often in the heading.
        columns: Headings in lower case.
        rows: For each row, its line number and its cells by heading, without surrounding blanks.
        faults: What is wrong with a row, by line number; the cells of such a row are not reliable. A quote is
            not closed, or something follows one; or the row has more cells than there are headings, as with
            a decimal comma in a table that is separated by commas.
    """

    delimiter: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]
    faults: dict[int, str] = field(default_factory=dict)

    def refuse_faults(self) -> None:
        """Raise a csv.Error if any row has a fault."""
        for fault in self.faults.values():
            raise csv.Error(fault)


def parse_table(text: str, used: Collection[str]) -> TextTable:
    """Read a table; empty lines are skipped, and cells that a row lacks are empty.

    Args:
        text: The table.
        used: Headings that may occur only once.

    Raises:
        csv.Error: The heading has a quote that is not closed, or has one of ``used`` twice.
    """
    lines = text.splitlines()
    delimiter = _delimiter(lines)
    filled = [record for record in _records(lines, delimiter) if any(record[1])]
    if not filled:
        return TextTable(delimiter, (), ())
    (_, heading, wrong), *others = filled
    if wrong:
        raise csv.Error(wrong)
    columns = _columns(heading, used)
    # Only between commas can a decimal comma add a cell; otherwise unnamed columns may hold cells.
    most = len(columns) if delimiter == "," else len(heading)
    faults = {}
    for line, cells, wrong in others:
        if wrong:
            faults[line] = wrong
        elif any(cells[most:]):
            faults[line] = (
                f"line {line} has more cells than the heading; quote a cell that holds {delimiter!r}"
                f"{', and give decimals a point' if delimiter == ',' else ''}"
            )
    rows = tuple(
        (line, dict.fromkeys(columns, "") | dict(zip(columns, cells, strict=False)))
        for line, cells, _ in others
    )
    return TextTable(delimiter, columns, rows, faults)


def _records(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Yield line number, cells and fault of each row; after a fault, reading goes on with the next line."""
    start = 0
    while start < len(lines):
        first = start
        rest = (lines[number] for number in range(first, len(lines)))
        reader = csv.reader(rest, delimiter=delimiter, strict=True)
        try:
            for row in reader:
                yield first + reader.line_num, [cell.strip() for cell in row], ""
                start = first + reader.line_num
        except csv.Error as error:
            cells = [cell.strip() for cell in lines[start].replace('"', "").split(delimiter)]
            start += 1
            yield start, cells, f"line {start}: {error}"


def _delimiter(lines: list[str]) -> str:
    """Find the delimiter; a line that declares it is blanked, so that the others keep their numbers."""
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return _DELIMITERS[0]
    said = _SAID.fullmatch(lines[first].strip(" "))
    if said is None:
        return max(_DELIMITERS, key=lines[first].count)
    lines[first] = ""
    return said[1]


def _columns(cells: list[str], used: Collection[str]) -> tuple[str, ...]:
    """The headings in lower case, without the empty ones that spreadsheets leave at the end."""
    names = [cell.lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    twice = next((name for name in names if name in used and names.count(name) > 1), None)
    if twice is not None:
        raise csv.Error(f"its heading has {twice!r} twice; keep one")
    return tuple(names)
