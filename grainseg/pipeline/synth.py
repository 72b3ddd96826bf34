"""A sheet of synthetic pictures, to see what a network is pretrained on."""

from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.micrograph.files import write_png
from grainseg.micrograph.names import is_file
from grainseg.micrograph.wide.contact_sheet import contact_sheet
from grainseg.report.files.own_files import is_picture

MAX_SHEET_PX = 100_000_000
MIN_SIDE_PX = 32


def synth(sheet: Path, rows: int, columns: int, side: int, seed: int) -> str:
    """Draw pictures of the wide generator beside their labels into one PNG.

    Args:
        sheet: The file, ``*.png``.
        rows: Pictures one below the other.
        columns: Pairs of picture and picture with label side by side.
        side: Height and width of a picture in px.
        seed: That of the first picture; the others have the seeds after it, row by row.

    Returns:
        What was written where, in one line.

    Raises:
        GrainsegError: An option cannot be, or the file is of another program or cannot be written.
    """
    for option, value, least in (("rows", rows, 1), ("columns", columns, 1), ("side", side, MIN_SIDE_PX)):
        if value < least:
            raise GrainsegError(f"--{option}={value}: must be {least} or more")
    if seed < 0:
        raise GrainsegError(f"--seed={seed}: must be 0 or more")
    if 2 * rows * columns * side**2 > MAX_SHEET_PX:
        raise GrainsegError(
            f"--sheet={sheet}: {rows} × {columns} pictures of {side} px make more than "
            f"{MAX_SHEET_PX // 10**6} megapixels; lower --rows, --columns or --side"
        )
    if sheet.suffix.lower() != ".png":
        raise GrainsegError(f"--sheet={sheet}: is written as PNG; give a name that ends in .png")
    if is_file(sheet) and not is_picture(sheet):
        raise GrainsegError(f"--sheet={sheet}: was not written by grainseg; remove it, or give another name")
    write_png(sheet, contact_sheet(seed, rows, columns, side))
    return f"{sheet}: seeds {seed} to {seed + rows * columns - 1}, {side} px"
