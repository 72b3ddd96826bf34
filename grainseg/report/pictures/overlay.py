"""Pictures of a predicted boundary and of its errors: arrays in, uint8 RGB out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from grainseg.micrograph.image import BOUNDARY, IGNORE, BoolMask, FloatImage, Label
from grainseg.micrograph.morphology import near, skeleton
from grainseg.micrograph.normalization import above_black

Picture = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]
Legend = tuple[tuple[str, Colour], ...]

LINE: Colour = (255, 70, 0)
"""The predicted boundary: a saturated colour, so that no grey resembles it."""

# Three of the eight colours of Okabe and Ito 2008 (https://jfly.uni-koeln.de/color/). They all stand out on
# dark grey, and differ most from each other (CIEDE2000 of 24 and more) under protanopia, deuteranopia and
# tritanopia as modelled by Machado et al. 2009.
CORRECT: Colour = (86, 180, 233)
MISSED: Colour = (240, 228, 66)
FALSE: Colour = (213, 94, 0)

_GLOW = 0.4
"""Share of the micrograph's brightness that shines through the boundary."""
_BACKGROUND = 0.45
"""Factor that darkens the micrograph in pictures where the lines' colours have a meaning."""
_HATCH: Colour = (150, 150, 150)
_GRAIN: Colour = (0, 0, 0)
_BOUNDARY: Colour = (255, 255, 255)
_INK: Colour = (235, 235, 235)
_PAPER: Colour = (24, 24, 24)
_GAP_PX = 4
"""Between the views of a panel."""
_MIN_VIEW_PX = 240
"""Least width of a view in a panel, which the legend needs; images that fit in twice or more are enlarged."""


@dataclass(frozen=True)
class _View:
    """One picture of a panel with its title and its legend of colours."""

    title: str
    legend: Legend
    picture: Picture


def to_display(pixels: FloatImage) -> Picture:
    """Stretch the grey values between the 0.5th and the 99.5th percentile to the screen's range.

    All colour channels are stretched alike, so that hues stay. If the percentiles coincide, the minimum and
    the maximum are used instead; a constant image becomes mid-grey.

    Args:
        pixels: (H, W) grey or (H, W, 3) RGB, any finite range.

    Returns:
        (H, W, 3) RGB.
    """
    stretched, span = above_black(pixels)
    if span == 0:
        return np.full((*pixels.shape[:2], 3), 128, np.uint8)
    stretched *= 255 / span
    shown = np.rint(np.clip(stretched, 0, 255, out=stretched), out=stretched).astype(np.uint8)
    return shown if shown.ndim == 3 else np.repeat(shown[..., None], 3, axis=2)


def boundary_overlay(pixels: FloatImage, boundary: BoolMask) -> Picture:
    """Draw a boundary over its micrograph, partly transparent and exactly as wide as the mask.

    Args:
        pixels: (H, W) grey or (H, W, 3) RGB, any finite range.
        boundary: (H, W), true on boundaries.

    Returns:
        (H, W, 3) RGB: the micrograph in grey, the boundary in LINE.
    """
    picture = to_grey(pixels)
    line = np.array(LINE)
    # Brightness is added, not mixed: over the dark lines of an etched metal a mixture would be dark too.
    picture[boundary] = np.rint(line + _GLOW * (255 - line) * (picture[boundary] / 255))
    return picture


def error_overlay(pixels: FloatImage, predicted: BoolMask, label: Label, tolerance_px: float) -> Picture:
    """Draw the correct, missed and false lines that `boundary_counts` counts over a darkened micrograph.

    Args:
        pixels: (H, W) grey or (H, W, 3) RGB, any finite range.
        predicted: (H, W), true on boundaries.
        label: (H, W) of GRAIN, BOUNDARY and IGNORE.
        tolerance_px: Largest distance at which two skeleton pixels match.

    Returns:
        (H, W, 3) RGB: predicted lines in CORRECT or, without a label within the tolerance, in FALSE; lines of
        the label without a prediction within it in MISSED. The ignored region is hatched, without lines in it
        and without predicted lines within the tolerance around it.
    """
    ignored = label == IGNORE
    predicted_line = skeleton(predicted)
    label_line = skeleton(label == BOUNDARY)
    judged = ~near(ignored, tolerance_px)
    right = predicted_line & near(label_line, tolerance_px)
    picture = _darkened(to_grey(pixels))
    width = shown_line_px(label.shape)  # errors are few but important, so their lines are wider
    for line, colour, line_px in (
        (right & judged, CORRECT, width),
        (predicted_line & ~right & judged, FALSE, width + 2),
        (label_line & ~near(predicted_line, tolerance_px), MISSED, width + 2),
    ):
        picture[thickened(line, line_px) & ~ignored] = colour
    return _hatched(picture, ignored)


def panel(
    pixels: FloatImage,
    label: Label,
    probability: FloatImage,
    predicted: BoolMask,
    tolerance_px: float,
    longest_px: int | None = None,
) -> Picture:
    """Put image, label, probability and errors side by side, each with a title and a legend.

    Args:
        pixels: (H, W) grey or (H, W, 3) RGB, any finite range.
        label: (H, W) of GRAIN, BOUNDARY and IGNORE.
        probability: (H, W) in [0, 1].
        predicted: (H, W), true on boundaries.
        tolerance_px: Largest distance at which two skeleton pixels match.
        longest_px: Longest side in px of the panel without its captions; None shrinks nothing. Each view is
            drawn in full and shrunk before the next one, which saves memory.

    Returns:
        (H', W', 3) RGB. The views have the image's size or are shrunk; an image that fits into 240 px twice
        or more is enlarged by that whole number.
    """
    views = _views(pixels, label, probability, predicted, tolerance_px)
    height, width = label.shape
    factor = 1.0 if longest_px is None else min(1.0, longest_px / height, (longest_px / 4 - _GAP_PX) / width)
    columns = [_captioned(_shrunk(view, factor)) for view in views]
    gap = np.full((columns[0].shape[0], _GAP_PX, 3), _PAPER, np.uint8)
    return np.hstack([part for column in columns for part in (column, gap)][:-1])


def _views(
    pixels: FloatImage, label: Label, probability: FloatImage, predicted: BoolMask, tolerance_px: float
) -> Iterator[_View]:
    yield _View("image", (), to_display(pixels))
    yield _View(
        "label, hatched: ignored" if np.any(label == IGNORE) else "label",
        (("grain", _GRAIN), ("boundary", _BOUNDARY)),
        _label_picture(label),
    )
    yield _View("probability", _probability_legend(), _in_colour(probability))
    yield _View(
        f"errors beyond {tolerance_px:g} px",
        (("correct", CORRECT), ("missed", MISSED), ("false", FALSE)),
        error_overlay(pixels, predicted, label, tolerance_px),
    )


def _shrunk(view: _View, factor: float) -> _View:
    if factor == 1:
        return view
    height, width = (max(1, round(factor * px)) for px in view.picture.shape[:2])
    picture = cv2.resize(view.picture, (width, height), interpolation=cv2.INTER_AREA)
    return replace(view, picture=np.asarray(picture, np.uint8))


def to_grey(pixels: FloatImage) -> Picture:
    """Stretch as `to_display` does, and convert to grey: (H, W, 3) RGB with equal channels."""
    shown = to_display(pixels)
    if pixels.ndim == 2:
        return shown
    return np.repeat(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.uint8)


def _darkened(picture: Picture) -> Picture:
    levels = np.arange(256, dtype=np.float32)  # a table, since a float copy takes four times the picture
    return np.asarray((levels * np.float32(_BACKGROUND) + 0.5).astype(np.uint8)[picture], np.uint8)


def _hatched(picture: Picture, region: BoolMask) -> Picture:
    """Darken a region and draw diagonal lines through it."""
    height, width = region.shape
    down, across = ((np.arange(length) % 12).astype(np.uint8) for length in (height, width))
    diagonals = (down[:, None] + across) % 12 < 2
    shaded = picture.copy()
    shaded[region] = _darkened(picture[region])
    shaded[region & diagonals] = _HATCH
    return shaded


def shown_line_px(shape: tuple[int, ...]) -> int:
    """Odd width of a line that can be seen: 3 px, and more in large images, which are shown reduced."""
    return 2 * max(1, round(max(shape) / 1600)) + 1


def thickened(line: BoolMask, width_px: int) -> BoolMask:
    """Dilate a line of 1 px, (H, W), to an odd width."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width_px, width_px))
    return np.asarray(cv2.dilate(line.astype(np.uint8), kernel), np.bool_)


def _label_picture(label: Label) -> Picture:
    """Black grains, white boundaries, the ignored region hatched."""
    colours = np.array([_GRAIN, _BOUNDARY], np.uint8)
    return _hatched(colours[(label == BOUNDARY).view(np.uint8)], label == IGNORE)


def _in_colour(probability: FloatImage) -> Picture:
    """(H, W, 3) RGB in magma, whose brightness rises evenly, so that it also reads as grey."""
    levels = np.rint(np.clip(probability, 0, 1) * 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(levels, cv2.COLORMAP_MAGMA)[..., ::-1], np.uint8)


def _probability_legend() -> Legend:
    colours = _in_colour(np.array([[0, 0.5, 1]], np.float32))[0].tolist()
    return tuple((text, (r, g, b)) for text, (r, g, b) in zip(("0", "0.5", "1"), colours, strict=True))


def _captioned(view: _View) -> Picture:
    """Write title and legend above a picture, which is enlarged if it is small."""
    zoom = max(1, _MIN_VIEW_PX // max(view.picture.shape[:2]))
    picture = view.picture.repeat(zoom, axis=0).repeat(zoom, axis=1)
    height, width = picture.shape[0], max(picture.shape[1], _MIN_VIEW_PX)
    font_px = max(15, width // 40)
    line_px = 3 * font_px // 2
    canvas = Image.new("RGB", (width, 2 * line_px + font_px // 2 + height), _PAPER)
    canvas.paste(Image.fromarray(picture), (0, canvas.height - height))
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(font_px)
    indent = font_px // 2
    draw.text((indent, line_px // 2 + indent // 2), view.title, _INK, font, anchor="lm")
    middle = line_px + line_px // 2
    across = indent
    for text, colour in view.legend:
        draw.rectangle((across, middle - indent, across + font_px, middle + indent), colour, _INK)
        draw.text((across + 3 * font_px // 2, middle), text, _INK, font, anchor="lm")
        across += 5 * font_px // 2 + round(draw.textlength(text, font))
    return np.asarray(canvas)
