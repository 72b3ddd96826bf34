"""Labels: what the values of a mask mean, and checks that the values agree with it."""

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
"""Kinds of mask. 'boundary': one value for boundaries at their intended width, another for everything else.
'lines': the same with lines of about 1 px, which are redrawn at a set width. 'instances': a number for each
grain; lines of the set width are drawn where two grains meet."""

ZERO_MEANINGS: tuple[str, ...] = ("boundary", "ignored")
"""Meanings of 0 in a map of grains: the lines between grains, or pixels that were not judged."""

MAX_BOUNDARY_FRACTION = 0.75
"""Largest share of boundary in a boundary network; with a larger share, the two values were swapped."""

MAX_DRAWING_PX = 2.5
"""Largest line width of a thin drawing; wider lines were drawn at their intended width."""

THIN_BELOW_PX = 1.6
"""Lines below this width are thin: those of a 1 px pen measure 1.0 to 1.2 px, those of a 2 px pen about 2."""

_LISTED_VALUES = 6
_MANY_VALUES = 16  # more values are grain numbers, unless a mask was smoothed


@dataclass(frozen=True)
class LabelSpec:
    """What the values of a mask mean.

    Attributes:
        kind: One of ``LABEL_KINDS``.
        boundary_value: Stored value of boundary pixels; maps of grains have none.
        ignore_value: Stored value of pixels that were not judged; None if there are none.
        width_px: Width in px at which lines are drawn, for kinds without a width of their own; else None.
        zero: Meaning of 0 in a map of grains, one of ``ZERO_MEANINGS``; None refuses maps that hold 0.

    Raises:
        GrainsegError: The kind is unknown, or the settings contradict each other.
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
    """Crop a mask to the size of its cropped image.

    Args:
        values: (H, W) as stored.
        path: File of the mask, for the error message.
        image_shape: Height and width in px of the cropped image.
        crop: What was cut from the image. A mask of the whole image is cut alike; a mask that already has the
            cropped size is taken as it is.

    Raises:
        GrainsegError: The mask has neither size.
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
    """Translate the values of a boundary mask into label codes, and refuse masks that cannot be one.

    Args:
        values: (H, W) as stored.
        path: File of the mask, for the error messages.
        spec: Meaning of the values, of the kind 'boundary' or 'lines'.
        grains_key: For the error messages: the setting for a mask that numbers the grains.
        ignore_key: For the error messages: the setting that takes the value of pixels that were not judged;
            None if there is none.

    Returns:
        (H, W) uint8 with the codes GRAIN, BOUNDARY and IGNORE.

    Raises:
        GrainsegError: The mask has more than two values besides the ignore value, no boundary, more boundary
            than ``MAX_BOUNDARY_FRACTION``, or, for 'lines', lines wider than ``MAX_DRAWING_PX``.
    """
    label = np.full(values.shape, GRAIN, dtype=np.uint8)
    label[values == spec.boundary_value] = BOUNDARY
    if spec.ignore_value is not None:
        label[values == spec.ignore_value] = IGNORE
    _check_values(path, np.unique(values[label != IGNORE]).tolist(), spec, grains_key, ignore_key)
    _check_polarity(path, label, values, spec)
    return label if spec.width_px is None else _drawn_anew(label, path, spec.width_px)


def line_width_px(label: Label) -> float:
    """Measure the mean width of the drawn boundary lines, as twice their area over their perimeter.

    A line of width w and length L ≫ w has the area wL and the perimeter 2L. The perimeter is Crofton's in
    four directions (Rivollier 2010, ``skimage.measure.perimeter_crofton``). On drawn lines, networks that run
    in all directions come out within 2 % from 2 px on and up to 10 % too wide at 1 px; parallel lines come
    out within 5 %, at 1 px within 20 %.

    Edges between lines and ignored pixels are taken for cuts through the lines and are left out of the
    perimeter. Only if they make up most of the perimeter (the pixels beside the lines were ignored), they are
    taken for sides of the lines.

    Args:
        label: (H, W) uint8 codes with at least one BOUNDARY pixel; IGNORE does not count as line.

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
        # Edges between lines and ignored pixels, and between ignored pixels and grains, cancel in this sum.
        sides = (whole + _perimeter_px(boundary | ignored) - _perimeter_px(ignored)) / 2
    return 2 * np.count_nonzero(boundary) / (sides if sides > whole / 2 else whole)


def thin_line_warnings(width_px: float, spec: LabelSpec) -> tuple[str, ...]:
    """Warn of lines that are used at their drawn width although they are too thin to be meant so.

    Args:
        width_px: Width of the lines of a label, see `line_width_px`.
        spec: Meaning of the mask's values.

    Returns:
        One line; none if the lines are wide enough, or are drawn at a set width.
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
    """Redraw the lines of a thin drawing at their set width."""
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
    """Refuse a drawn label if lines cover more than ``MAX_BOUNDARY_FRACTION`` of its judged pixels.

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
    """Check the sorted distinct values of a mask, without the ignore value."""
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
