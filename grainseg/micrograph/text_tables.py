"""Tables that people type or save from a spreadsheet."""

import csv
from dataclasses import dataclass

_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class TextTable:
    """A table with a heading.

    Attributes:
        delimiter: What separates its cells: a comma, a semicolon or a tab, whichever its heading has most of.
        columns: Its headings in small letters.
        rows: Of each row its line and its cells by heading, without blanks around them.
    """

    delimiter: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]


def parse_table(text: str) -> TextTable:
    """Read a table; lines without anything are passed over, cells that a row lacks are empty.

    Raises:
        csv.Error: A quote is not closed, or something follows one.
    """
    lines = text.splitlines()
    heading = next((line for line in lines if line.strip()), "")
    delimiter = max(_DELIMITERS, key=heading.count)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    filled = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    columns = tuple(name.lower() for name in filled[0][1]) if filled else ()
    rows = tuple(
        (line, dict.fromkeys(columns, "") | dict(zip(columns, cells, strict=False)))
        for line, cells in filled[1:]
    )
    return TextTable(delimiter, columns, rows)
