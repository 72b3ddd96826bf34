"""Contact sheet of a recipe: many pictures, each beside a copy with its label, above its drawn values."""

import cv2
import numpy as np
import numpy.typing as npt

from grainseg.micrograph.image import BOUNDARY
from grainseg.micrograph.wide.generator import WideMicrograph, generate_wide
from grainseg.micrograph.wide.recipe import WIDE, WideRecipe

_Rgb = npt.NDArray[np.uint8]

_LINE_PX = 10
_FONT = cv2.FONT_HERSHEY_PLAIN
_SIZE = 0.6
_DESCENT_PX = 2
"""Room in px below the last line of a caption, for letters that reach below it."""
_GAP_PX = 6
_RED = (230, 40, 40)


def contact_sheet(seed: int, rows: int, columns: int, side: int = 256, recipe: WideRecipe = WIDE) -> _Rgb:
    """Draw a sheet of example pictures of a recipe.

    Args:
        seed: Seed of the first picture; the others have the following seeds, row by row.
        rows: Number of pairs of pictures from top to bottom.
        columns: Number of pairs of picture and picture with label side by side.
        side: Height and width of a picture in px.
        recipe: The recipe to show.

    Returns:
        (height, width, 3) uint8 RGB; below each picture there is room for the longest caption.
    """
    pairs, captions = [], []
    for number in range(seed, seed + rows * columns):
        micrograph = generate_wide(number, (side, side), recipe)
        pairs.append(_pair(micrograph))
        captions.append(_broken(f"{number}: {_caption(micrograph.knobs)}", 2 * side))
    below = _LINE_PX * max(len(lines) for lines in captions) + _DESCENT_PX
    cell = (side + below + _GAP_PX, 2 * side + 2 * _GAP_PX)
    sheet = np.full((rows * cell[0], columns * cell[1], 3), 255, np.uint8)
    for number, (pair, lines) in enumerate(zip(pairs, captions, strict=True)):
        row, column = divmod(number, columns)
        top, left = row * cell[0], column * cell[1]
        sheet[top : top + side, left : left + 2 * side] = pair
        _write(sheet[top + side : top + side + below, left : left + 2 * side], lines)
    return sheet


def _pair(micrograph: WideMicrograph) -> _Rgb:
    """Put the picture beside a copy with its label in red."""
    grey = np.rint(255 * micrograph.pixels).astype(np.uint8)
    plain = np.repeat(grey[..., None], 3, axis=2)
    labelled = plain.copy()
    labelled[micrograph.label == BOUNDARY] = _RED
    return np.concatenate([plain, labelled], axis=1)


def _caption(knobs: dict[str, float | str]) -> str:
    """List the drawn values, without properties that this picture lacks."""
    words = [str(value) for value in knobs.values() if isinstance(value, str)]
    numbers = [
        f"{name} {value:.2g}" for name, value in knobs.items() if not isinstance(value, str) and value != 0
    ]
    return ", ".join(words + numbers)


def _broken(text: str, width: int) -> list[str]:
    """Break a text at commas into lines within a width in px; a longer item between commas stays whole."""
    line, lines = "", []
    for word in text.split(", "):
        longer = f"{line}, {word}" if line else word
        if line and _text_width(longer) > width - 4:
            lines.append(line + ",")
            longer = word
        line = longer
    return [*lines, line]


def _write(strip: _Rgb, lines: list[str]) -> None:
    """Write lines into a white strip in small letters."""
    for number, line in enumerate(lines):
        cv2.putText(strip, line, (2, _LINE_PX * (number + 1) - 3), _FONT, _SIZE, (0, 0, 0), 1, cv2.LINE_AA)


def _text_width(text: str) -> int:
    return int(cv2.getTextSize(text, _FONT, _SIZE, 1)[0][0])
