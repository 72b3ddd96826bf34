"""Labels: what the values of a mask mean, and whether they can be so."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.measure import perimeter_crofton

from grainseg.errors import GrainsegError
from grainseg.micrograph.crop import NO_CROP, Crop
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE, Label
from grainseg.micrograph.label_lines import redrawn_lines, within_reach

LABEL_KINDS: tuple[str, ...] = ("boundary", "lines", "instances")
"""What a mask may hold. 'boundary': one value for boundaries as wide as they are meant, one for all else.
'lines': the same with lines of about 1 px, which are drawn anew at a declared width. 'instances': a number
for each grain; lines of the declared width are drawn where two of them meet."""

ZERO_MEANINGS: tuple[str, ...] = ("boundary", "ignored")
"""What 0 may be in a map of grains: the lines between them, or nobody's judgement."""

MAX_BOUNDARY_FRACTION = 0.75
"""More boundary than this is no boundary network: the two values were taken for each other."""

MAX_DRAWING_PX = 2.5
"""Wider lines are no thin drawing: someone meant their width."""

THIN_BELOW_PX = 1.6
"""Lines drawn with a pen of 1 px measure 1.0 to 1.2 px, those of 2 px about 2."""

_LISTED_VALUES = 6
_MANY_VALUES = 16  # more are the numbers of grains, unless a mask was smoothed


@dataclass(frozen=True)
class LabelSpec:
    """What the values of a mask mean.

    Attributes:
        kind: One of ``LABEL_KINDS``.
        boundary_value: Stored value of boundary pixels; maps of grains have none.
        ignore_value: Stored value of pixels that nobody judged; None if there are none.
        width_px: Width in px at which lines are drawn, of kinds that have none of their own; else None.
        zero: What 0 is in a map of grains, one of ``ZERO_MEANINGS``; None refuses maps that hold it.

    Raises:
        GrainsegError: Unknown kind, or settings that contradict each other.
    """

    kind: str = "boundary"
    boundary_value: int = 255
    ignore_value: int | None = None
    width_px: int | None = None
    zero: str | None = None

    def __post_init__(self) -> None:
        """Check that the settings agree."""
        if self.kind not in LABEL_KINDS:
            raise GrainsegError(f"data.label_kind={self.kind}: must be one of {', '.join(LABEL_KINDS)}")
        if self.kind == "boundary" and self.width_px is not None:
            raise GrainsegError(
                f"data.label_width_px={self.width_px}: must be null for data.label_kind=boundary, whose "
                "lines stay as wide as they are drawn; thin drawings are data.label_kind=lines"
            )
        if self.kind != "boundary" and (self.width_px is None or self.width_px < 1):
            raise GrainsegError(
                f"data.label_width_px={_written(self.width_px)}: data.label_kind={self.kind} has no width of "
                "its own; say how wide in px the lines are to be, such as data.label_width_px=3"
            )
        self._check_values()

    def _check_values(self) -> None:
        if self.kind != "instances":
            if self.zero is not None:
                raise GrainsegError(
                    f"data.zero={self.zero}: must be null for data.label_kind={self.kind}; it says what 0 is "
                    "in a map of grains (data.label_kind=instances)"
                )
            if self.boundary_value == self.ignore_value:
                raise GrainsegError(
                    f"data.ignore_value={self.ignore_value}: is data.boundary_value too; set another or null"
                )
        elif self.zero not in (None, *ZERO_MEANINGS):
            raise GrainsegError(f"data.zero={self.zero}: must be null or one of {', '.join(ZERO_MEANINGS)}")
        elif self.zero == "boundary" and self.ignore_value == 0:
            raise GrainsegError("data.zero=boundary: 0 is data.ignore_value, too; set one of them to null")


def fit_to_image(
    values: npt.NDArray[np.integer[Any]], path: Path, image_shape: tuple[int, int], crop: Crop = NO_CROP
) -> npt.NDArray[np.integer[Any]]:
    """Bring a mask to the size of its cropped image.

    Args:
        values: (H, W) as stored.
        path: Its file, for the error.
        image_shape: Height and width in px of the image, cropped.
        crop: What was cut from the image; a mask of the whole image is cut alike, one that has the cropped
            size already is taken as it is.

    Raises:
        GrainsegError: It has neither size.
    """
    if crop != NO_CROP and values.shape == crop.uncut(image_shape):
        values = crop.apply(values, path)
    if values.shape != image_shape:
        (height, width), (image_height, image_width) = values.shape, image_shape
        fix = "export the mask at the image's size"
        times = image_height // height
        if times > 1 and image_shape == (times * height, times * width):
            fix += f", or enlarge it {times} × by repeating pixels (never interpolated; docs/labels.md)"
        raise GrainsegError(
            f"{path}: is {width} × {height} px but its image {image_width} × {image_height}; {fix}"
        )
    return values


def to_label(
    values: npt.NDArray[np.integer[Any]],
    path: Path,
    spec: LabelSpec,
    grains_key: str = "data.label_kind=instances",
    ignore_key: str | None = "data.ignore_value",
) -> Label:
    """Translate the values of a mask of two kinds of pixels, refusing what cannot be a boundary label.

    Args:
        values: (H, W) as stored.
        path: Its file, for the errors.
        spec: Meaning of the values, of the kind 'boundary' or 'lines'.
        grains_key: For the errors: what one says where a mask numbers the grains.
        ignore_key: For the errors: what takes the value of pixels that nobody judged; None if nothing does.

    Returns:
        (H, W) uint8 with the codes GRAIN, BOUNDARY and IGNORE.

    Raises:
        GrainsegError: More than two values beside the ignore value, no boundary, more than
            ``MAX_BOUNDARY_FRACTION`` of it, or, as 'lines', wider than ``MAX_DRAWING_PX``.
    """
    label = np.full(values.shape, GRAIN, dtype=np.uint8)
    label[values == spec.boundary_value] = BOUNDARY
    if spec.ignore_value is not None:
        label[values == spec.ignore_value] = IGNORE
    _check_values(path, np.unique(values[label != IGNORE]).tolist(), spec, grains_key, ignore_key)
    _check_polarity(path, label, values, spec)
    return label if spec.width_px is None else _drawn_anew(label, path, spec.width_px)


def line_width_px(label: Label) -> float:
    """Mean width of the drawn boundary lines, as twice their area over their perimeter.

    A line of width w and length L ≫ w has the area wL and the perimeter 2L. The perimeter is Crofton's in
    four directions (Rivollier 2010, ``skimage.measure.perimeter_crofton``). On drawn lines: networks that run
    in all directions come out within 2 % from 2 px on and up to 10 % too wide at 1 px, parallel lines within
    5 %, at 1 px within 20 %.

    Where ignored pixels cut lines off, the cuts are no part of the perimeter; only where most of it lies
    along ignored pixels (someone ignored what is beside the lines) they are taken for the lines' sides.

    Args:
        label: (H, W) uint8 codes with at least one BOUNDARY pixel; IGNORE counts as no line.

    Returns:
        Width in px.

    Raises:
        ValueError: No pixel is BOUNDARY.
    """
    boundary, ignored = label == BOUNDARY, label == IGNORE
    if not boundary.any():
        raise ValueError("a label without boundary pixels has no line width")
    whole = sides = _perimeter_px(boundary)
    if ignored.any():
        # Of lines, ignored pixels and both together every edge between two of the three codes counts twice.
        sides = (whole + _perimeter_px(boundary | ignored) - _perimeter_px(ignored)) / 2
    return 2 * np.count_nonzero(boundary) / (sides if sides > whole / 2 else whole)


def thin_line_warnings(width_px: float, spec: LabelSpec) -> tuple[str, ...]:
    """Say that lines which are taken as wide as they are drawn are too thin to be meant so.

    Args:
        width_px: Of the lines of a label, see `line_width_px`.
        spec: Of its file.

    Returns:
        One line; none where lines are wide enough, or drawn at a declared width.
    """
    if spec.kind != "boundary" or width_px >= THIN_BELOW_PX:
        return ()
    return (
        f"the lines of its mask are thinner than {THIN_BELOW_PX:g} px: thin drawings are "
        "data.label_kind=lines data.label_width_px=3; otherwise lines so thin are learnt and asked for",
    )


def _perimeter_px(mask: npt.NDArray[np.bool_]) -> float:
    return float(perimeter_crofton(mask, directions=4))


def _drawn_anew(drawing: Label, path: Path, width_px: int) -> Label:
    """The lines of a thin drawing at their declared width."""
    found = line_width_px(drawing)
    if found > MAX_DRAWING_PX:
        raise GrainsegError(
            f"{path}: its lines are {found:.1f} px wide, data.label_kind=lines expects about 1 px; draw them "
            "thinner, or take them as wide as they are: data.label_kind=boundary data.label_width_px=null"
        )
    ignored = drawing == IGNORE
    lines = redrawn_lines(drawing == BOUNDARY, width_px)
    label = np.where(lines, BOUNDARY, GRAIN).astype(np.uint8)
    if ignored.any():
        label[within_reach(ignored, width_px) & ~lines] = IGNORE
        label[ignored] = IGNORE
    require_grains_between(label, path, width_px)
    return label


def require_grains_between(label: Label, path: Path, width_px: int) -> None:
    """Refuse a drawn label of which more than ``MAX_BOUNDARY_FRACTION`` is line.

    Raises:
        GrainsegError: The lines are too wide for the grains.
    """
    boundary, grain = (np.count_nonzero(label == code) for code in (BOUNDARY, GRAIN))
    fraction = boundary / (boundary + grain)
    if fraction > MAX_BOUNDARY_FRACTION:
        raise GrainsegError(
            f"{path}: lines of data.label_width_px={width_px} cover {100 * fraction:.0f} % of its labelled "
            "pixels; lower it"
        )


def _written(value: object) -> str:
    return "null" if value is None else str(value)


def _check_values(
    path: Path, found: list[int], spec: LabelSpec, grains_key: str, ignore_key: str | None
) -> None:
    """Check the sorted distinct values, the ignore value left out."""
    if not found:
        raise GrainsegError(
            f"{path}: every pixel has data.ignore_value={spec.ignore_value}; label some or remove it"
        )
    if len(found) > 2:
        listed = ", ".join(map(str, found[:_LISTED_VALUES])) + (", …" if len(found) > _LISTED_VALUES else "")
        fix = "save it with data.boundary_value and one other value"
        if path.suffix.lower() in (".jpg", ".jpeg"):
            fix = "JPEG smears values, export the mask as PNG"
        elif len(found) > _MANY_VALUES:
            fix += f", without smoothing; if it numbers the grains, say {grains_key}"
        elif spec.boundary_value in found:
            fix += ", without smoothing" + (f", or name a third one as {ignore_key}" if ignore_key else "")
        raise GrainsegError(
            f"{path}: holds {len(found)} values ({listed}) where a boundary mask has two "
            f"(data.boundary_value={spec.boundary_value}); {fix}"
        )
    if len(found) == 1 and found[0] != spec.boundary_value:
        raise GrainsegError(
            f"{path}: is empty: no pixel has the boundary value {spec.boundary_value}, all have {found[0]}; "
            "draw the boundaries, remove the mask or correct data.boundary_value"
        )
    if spec.boundary_value not in found:
        raise GrainsegError(
            f"{path}: holds {found[0]} and {found[1]}, neither is data.boundary_value={spec.boundary_value}; "
            "set data.boundary_value to the one of the boundaries"
        )


def _check_polarity(path: Path, label: Label, values: npt.NDArray[np.integer], spec: LabelSpec) -> None:
    boundary = np.count_nonzero(label == BOUNDARY)
    fraction = boundary / (boundary + np.count_nonzero(label == GRAIN))
    if fraction <= MAX_BOUNDARY_FRACTION:
        return
    setting = f"data.boundary_value={spec.boundary_value}"
    share = f"{path}: {100 * fraction:.0f} % of the labelled pixels have {setting}"
    others = values[label == GRAIN]
    if others.size == 0:
        raise GrainsegError(f"{share}, there is no grain; draw the mask again or correct data.boundary_value")
    raise GrainsegError(
        f"{share}, too many for boundaries; if they are the grains, set data.boundary_value={others[0]}"
    )
