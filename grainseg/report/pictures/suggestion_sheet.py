"""The suggested regions drawn on their pictures, all pictures on one sheet."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from grainseg.grains.trust.suggestion import Region
from grainseg.report.pictures.overlay import Colour, Picture

CELL_PX = 420
"""Longer side of a picture on the sheet; smaller ones are not enlarged."""
COLUMNS = 4
_GAP_PX, _CAPTION_PX, _FONT_PX = 10, 22, 15
_PAPER: Colour = (255, 255, 255)
_INK: Colour = (0, 0, 0)
_FRAME: Colour = (230, 159, 0)
"""Orange of Okabe and Ito 2008; no grey resembles it."""


@dataclass(frozen=True)
class SheetPicture:
    """A picture with its regions.

    Attributes:
        name: Name of the picture.
        picture: (h, w, 3) uint8 RGB, both sides at most `CELL_PX`.
        zoom: px of `picture` per px of the original picture, whose px the regions are given in.
        regions: Pairs of rank, from 1, and suggested region.
    """

    name: str
    picture: Picture
    zoom: float
    regions: tuple[tuple[int, Region], ...]


def small_picture(picture: Picture) -> tuple[Picture, float]:
    """Shrink a picture to a cell of the sheet.

    Args:
        picture: (H, W, 3) uint8 RGB.

    Returns:
        The small picture, and its px per px of the large one, at most 1.
    """
    height, width = picture.shape[:2]
    zoom = min(1.0, CELL_PX / max(height, width))
    size = (max(1, round(zoom * width)), max(1, round(zoom * height)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX)), zoom


def suggestion_sheet(pictures: Sequence[SheetPicture]) -> Picture:
    """Draw all pictures on a sheet, each with its regions framed and numbered by rank.

    Args:
        pictures: At least one.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    columns = min(COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    across = max(CELL_PX // 2, *(shown.picture.shape[1] for shown in pictures)) + _GAP_PX
    down = max(shown.picture.shape[0] for shown in pictures) + _CAPTION_PX + _GAP_PX
    sheet = Image.new("RGB", (columns * across + _GAP_PX, rows * down + _GAP_PX), _PAPER)
    for number, shown in enumerate(pictures):
        row, column = divmod(number, columns)
        _draw(sheet, shown, (_GAP_PX + column * across, _GAP_PX + row * down), across - _GAP_PX)
    return np.asarray(sheet)


def _draw(sheet: Image.Image, shown: SheetPicture, corner: tuple[int, int], width: int) -> None:
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_FONT_PX)
    left, top = corner
    draw.text(corner, _shortened(draw, shown.name, font, width), _INK, font)
    top += _CAPTION_PX
    sheet.paste(Image.fromarray(shown.picture), (left, top))
    for rank, region in shown.regions:
        x, y = left + shown.zoom * region.column, top + shown.zoom * region.row
        box = (x, y, x + shown.zoom * region.width - 1, y + shown.zoom * region.height - 1)
        draw.rectangle(box, outline=_FRAME, width=2)
        draw.rectangle((x, y, x + draw.textlength(str(rank), font) + 7, y + _FONT_PX + 4), _FRAME)
        draw.text((x + 4, y + 1), str(rank), _INK, font)


def _shortened(
    draw: ImageDraw.ImageDraw, name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int
) -> str:
    """Cut a name at its start until it fits, as names differ at the end; letters not in the font become ?."""
    text = "".join(letter if letter.isprintable() and ord(letter) < 0x250 else "?" for letter in name)
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength(f"…{text}", font) > width:
        text = text[1:]
    return f"…{text}"
