"""Read label files of all kinds as boundary labels, the form that training and scores use."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from grainseg.errors import GrainsegError
from grainseg.grains.labels.label_maps import read_label_map
from grainseg.micrograph.crop import NO_CROP, Crop
from grainseg.micrograph.files import read_mask_values
from grainseg.micrograph.image import BOUNDARY, Label
from grainseg.micrograph.label_lines import crack_lines
from grainseg.micrograph.labels import LabelSpec, fit_to_image, require_grains_between, to_label


def read_label(
    path: Path,
    image_shape: tuple[int, int],
    spec: LabelSpec,
    max_megapixels: float = 500.0,
    crop: Crop = NO_CROP,
) -> Label:
    """Read a mask and translate its values; refuse files that cannot be a label.

    Args:
        path: Mask file.
        image_shape: Height and width in px of the image that it labels.
        spec: Meaning of the stored values.
        max_megapixels: Largest accepted mask in 10⁶ px.
        crop: Crop of the image; a mask of the whole image is cropped in the same way, one that already has
            the cropped size is taken as it is.

    Returns:
        (H, W) uint8 with the codes GRAIN, BOUNDARY and IGNORE.

    Raises:
        GrainsegError: Unreadable, of another size than the image, or with values that contradict ``spec``:
            see `to_label` and `boundaries_of_grains`.
    """
    values = fit_to_image(read_mask_values(path, max_megapixels), path, image_shape, crop)
    return (
        boundaries_of_grains(values, path, spec) if spec.kind == "instances" else to_label(values, path, spec)
    )


def boundaries_of_grains(values: npt.NDArray[np.integer[Any]], path: Path, spec: LabelSpec) -> Label:
    """Draw the boundaries of a map of grains, see `crack_lines`.

    Lines of zeros are first divided between the grains beside them, up to the middle, as in `read_label_map`.

    Args:
        values: (H, W) as stored, a number for each grain.
        path: File of the map, for error messages.
        spec: Meaning of the values, of the kind 'instances'.

    Returns:
        (H, W) uint8 with the codes GRAIN, BOUNDARY and IGNORE.

    Raises:
        GrainsegError: Zeros without a declared meaning, every pixel ignored, a map that `read_label_map`
            refuses, no two grains that meet, or lines too wide for these grains.
    """
    assert spec.width_px is not None  # checked by LabelSpec
    ignored = np.zeros(values.shape, np.bool_) if spec.ignore_value is None else values == spec.ignore_value
    zeros = (values == 0) & ~ignored
    if spec.zero is None and zeros.any():
        raise GrainsegError(
            f"{path}: holds 0; say data.zero=boundary if that is the lines between grains, "
            "or data.zero=ignored if nobody judged what is there"
        )
    if spec.zero == "ignored":
        ignored |= zeros
    if ignored.all():
        raise GrainsegError(f"{path}: every pixel is ignored; number some grains or remove it")
    labels = read_label_map(np.where(ignored, 0, values), str(path), "excluded").grains
    depth = np.zeros(values.shape, np.float32)
    if spec.zero == "boundary" and zeros.any():
        # Ignored pixels get a number, too, so that lines beside them are filled up to their middle only.
        aside = int(labels.max()) + 1
        drawn = np.where(ignored, aside, labels.astype(np.int64))
        labels = read_label_map(drawn, str(path), "boundary").grains
        ignored |= labels == aside
        depth = np.asarray(distance_transform_edt(zeros), np.float32)
    grains = np.unique(labels, return_inverse=True)[1].reshape(values.shape).astype(np.int32) + 1
    label = crack_lines(grains, spec.width_px, ignored, depth)
    if not np.any(label == BOUNDARY):
        raise GrainsegError(
            f"{path}: no two grains meet in it, so it has no boundary; give each grain a number of its own"
        )
    require_grains_between(label, path, spec.width_px)
    return label
