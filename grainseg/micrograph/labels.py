"""Labels: what the values of a mask mean, and whether they can be so."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.measure import perimeter_crofton

from grainseg.errors import GrainsegError
from grainseg.micrograph.crop import NO_CROP, Crop
from grainseg.micrograph.files import read_mask_values
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE, Label

LABEL_KINDS: tuple[str, ...] = ("boundary",)
"""What a mask may hold: 'boundary' has one value for boundaries and one for all else."""

MAX_BOUNDARY_FRACTION = 0.75
"""More boundary than this is no boundary network: the two values were taken for each other."""

_LISTED_VALUES = 6


@dataclass(frozen=True)
class LabelSpec:
    """What the values of a mask mean.

    Attributes:
        kind: One of ``LABEL_KINDS``.
        boundary_value: Stored value of boundary pixels.
        ignore_value: Stored value of pixels that nobody judged; None if there are none.

    Raises:
        GrainsegError: Unknown kind, or boundaries and ignored pixels with one value.
    """

    kind: str = "boundary"
    boundary_value: int = 255
    ignore_value: int | None = None

    def __post_init__(self) -> None:
        """Check that the settings agree."""
        if self.kind not in LABEL_KINDS:
            raise GrainsegError(f"data.label_kind={self.kind}: must be one of {', '.join(LABEL_KINDS)}")
        if self.boundary_value == self.ignore_value:
            raise GrainsegError(
                f"data.ignore_value={self.ignore_value}: is data.boundary_value too; set another or null"
            )


def read_label(
    path: Path,
    image_shape: tuple[int, int],
    spec: LabelSpec,
    max_megapixels: float = 500.0,
    crop: Crop = NO_CROP,
) -> Label:
    """Read a mask and translate its values, refusing what cannot be a boundary label.

    Args:
        path: Mask file.
        image_shape: Height and width in px of the image that it labels.
        spec: Meaning of the stored values.
        max_megapixels: Largest accepted mask in 10⁶ px.
        crop: What was cut from the image; a mask of the whole image is cut alike, one that has the cropped
            size already is taken as it is.

    Returns:
        (H, W) uint8 with the codes GRAIN, BOUNDARY and IGNORE.

    Raises:
        GrainsegError: Unreadable, of another size than the image, more than two values beside the ignore
            value, no boundary, or more than ``MAX_BOUNDARY_FRACTION`` of it.
    """
    values = fit_to_image(read_mask_values(path, max_megapixels), path, image_shape, crop)
    return to_label(values, path, spec)


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
        raise GrainsegError(
            f"{path}: is {width} × {height} px but its image {image_width} × {image_height}; "
            "export the mask at the image's size"
        )
    return values


def to_label(values: npt.NDArray[np.integer[Any]], path: Path, spec: LabelSpec) -> Label:
    """Translate the values of a mask, refusing what cannot be a boundary label.

    Args:
        values: (H, W) as stored.
        path: Its file, for the errors.
        spec: Meaning of the values.

    Returns:
        (H, W) uint8 with the codes GRAIN, BOUNDARY and IGNORE.

    Raises:
        GrainsegError: As `read_label`, the size excepted.
    """
    label = np.full(values.shape, GRAIN, dtype=np.uint8)
    label[values == spec.boundary_value] = BOUNDARY
    if spec.ignore_value is not None:
        label[values == spec.ignore_value] = IGNORE
    _check_values(path, np.unique(values[label != IGNORE]).tolist(), spec)
    _check_polarity(path, label, values, spec)
    return label


def line_width_px(label: Label) -> float:
    """Mean width of the drawn boundary lines, as twice their area over their perimeter.

    A line of width w and length L ≫ w has the area wL and the perimeter 2L. The perimeter is Crofton's in
    four directions (Rivollier 2010, ``skimage.measure.perimeter_crofton``). On drawn lines: networks that run
    in all directions come out within 2 % from 2 px on and up to 10 % too wide at 1 px, parallel lines within
    5 %, at 1 px within 20 %.

    Args:
        label: (H, W) uint8 codes with at least one BOUNDARY pixel; IGNORE counts as no line.

    Returns:
        Width in px.

    Raises:
        ValueError: No pixel is BOUNDARY.
    """
    boundary = label == BOUNDARY
    if not boundary.any():
        raise ValueError("a label without boundary pixels has no line width")
    perimeter = float(perimeter_crofton(boundary, directions=4))  # type: ignore[no-untyped-call]
    return 2 * np.count_nonzero(boundary) / perimeter


def _check_values(path: Path, found: list[int], spec: LabelSpec) -> None:
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
        elif spec.boundary_value in found:
            fix += ", without smoothing, or name a third one as data.ignore_value"
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
