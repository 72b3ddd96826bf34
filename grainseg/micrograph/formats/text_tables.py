"""Tables that people type or save from a spreadsheet."""

import csv
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

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
        faults: What is wrong with a row, by its line; its cells are then not to be relied on. A quote is not
            closed, or something follows one; or the row has more cells than there are headings, as one with
            a decimal comma between commas has.
    """

    delimiter: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]
    faults: dict[int, str] = field(default_factory=dict)

    def refuse_faults(self) -> None:
        """Raise a csv.Error where something is wrong with any row."""
        for fault in self.faults.values():
            raise csv.Error(fault)


def parse_table(text: str, used: Collection[str]) -> TextTable:
    """Read a table; lines without anything are passed over, cells that a row lacks are empty.

    Args:
        text: The table.
        used: Headings that it may have once only.

    Raises:
        csv.Error: The heading has a quote that is not closed, or one of ``used`` twice.
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
    # No decimal comma makes a cell too many where something else separates them: it is in an unnamed column.
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
    """Line, cells and fault of each row; after one with a fault the reading goes on with the next line."""
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
    """What separates the cells; a line that says so is blanked, so that the others keep their numbers."""
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return _DELIMITERS[0]
    said = _SAID.fullmatch(lines[first].strip(" "))
    if said is None:
        return max(_DELIMITERS, key=lines[first].count)
    lines[first] = ""
    return said[1]


def _columns(cells: list[str], used: Collection[str]) -> tuple[str, ...]:
    """The headings, without empty ones at the end, which spreadsheets leave."""
    names = [cell.lower() for cell in cells]
    while names and not names[-1]:
        names.pop()
    twice = next((name for name in names if name in used and names.count(name) > 1), None)
    if twice is not None:
        raise csv.Error(f"its heading has {twice!r} twice; keep one")
    return tuple(names)
