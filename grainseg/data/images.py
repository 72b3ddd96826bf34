"""Labelled micrographs for training and validation, read once and held in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grainseg.config import LabelConfig, LabelledFolderConfig
from grainseg.errors import GrainsegError
from grainseg.grains.labels.label_files import read_label
from grainseg.micrograph.checks.colour import colour_warnings
from grainseg.micrograph.checks.data_bar import bar_warnings
from grainseg.micrograph.checks.exposure import exposure_warnings
from grainseg.micrograph.crop import crop_setting
from grainseg.micrograph.files import luminance, read_micrograph
from grainseg.micrograph.folders.folder import LabelledImage
from grainseg.micrograph.image import IGNORE, FloatImage, Label, Micrograph
from grainseg.micrograph.labels import LabelSpec, line_width_px, thin_line_warnings
from grainseg.micrograph.normalization import to_unit_range

MIN_SIDE_PX = 32
"""Shortest accepted side; a smaller picture shows no grain and is probably a wrong file."""


@dataclass(frozen=True)
class LabelledMicrograph:
    """Picture and label of one field of view.

    Attributes:
        stem: Name of the image.
        unit: (H, W, C) float32 in [0, 1], see ``to_unit_range``.
        label: (H, W) uint8 codes GRAIN, BOUNDARY, IGNORE.
        line_width_px: Mean width of the label's lines in px.
        regime: Name of the regime of a synthetic picture; empty for a picture from a file.
        pixel_size_um: µm per px, (row, column); None if unknown.
        label_offset_px: Offset of the label's lines from the boundaries in the picture, rows down and columns
            to the right.
        warnings: Possible problems of picture and label, one line each.
    """

    stem: str
    unit: FloatImage
    label: Label
    line_width_px: float
    regime: str = ""
    pixel_size_um: tuple[float, float] | None = None
    label_offset_px: tuple[float, float] = (0.0, 0.0)
    warnings: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in px."""
        return self.label.shape[0], self.label.shape[1]


def label_spec(config: LabelConfig) -> LabelSpec:
    """Return the part of the configuration that defines the meaning of a mask's values."""
    return LabelSpec(
        config.label_kind, config.boundary_value, config.ignore_value, config.label_width_px, config.zero
    )


def to_channels(pixels: FloatImage, channels: int) -> FloatImage:
    """Convert a picture to the network's number of channels.

    Args:
        pixels: (H, W), (H, W, 1) or (H, W, 3) float32.
        channels: 1 for grey (Rec. 601 luminance of colour pictures), 3 for RGB (grey is repeated).

    Returns:
        (H, W, channels) float32.
    """
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if channels == 1:
        return luminance(pixels)[:, :, None]
    return pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)


def network_unit(pixels: FloatImage, channels: int) -> FloatImage:
    """Convert a whole picture to the network's channels and to the unit range.

    Args:
        pixels: (H, W), (H, W, 1) or (H, W, 3) float32, finite, any scale.
        channels: 1 or 3, see ``to_channels``.

    Returns:
        (H, W, channels) float32 in [0, 1], see ``to_unit_range``.
    """
    return to_unit_range(to_channels(pixels, channels))


def require_side(picture: Micrograph, path: Path, crop_key: str, fix: str) -> None:
    """Check that a picture is large enough for training.

    Args:
        picture: The picture after cropping.
        path: Its file, for the error message.
        crop_key: Name of the setting that crops it.
        fix: Advice in the error message for a picture that was too small before cropping.

    Raises:
        GrainsegError: A side is shorter than ``MIN_SIDE_PX``.
    """
    if min(picture.shape) >= MIN_SIDE_PX:
        return
    if min(picture.crop.uncut(picture.shape)) >= MIN_SIDE_PX:
        height, width = picture.shape
        fix = f"{crop_key}={picture.crop} leaves {width} × {height} px: cut less"
    raise GrainsegError(f"{path}: a side is shorter than {MIN_SIDE_PX} px; {fix}")


def read_labelled(item: LabelledImage, config: LabelledFolderConfig, channels: int) -> LabelledMicrograph:
    """Read one image and its mask.

    Raises:
        GrainsegError: The image or the mask does not match the configuration.
    """
    spec = label_spec(config)
    micrograph = read_micrograph(item.image, config.max_megapixels, crop=crop_setting(config.crop))
    require_side(micrograph, item.image, "data.crop", "take it and its mask out of the folder")
    label = read_label(item.mask, micrograph.shape, spec, config.max_megapixels, micrograph.crop)
    unit = network_unit(micrograph.pixels, channels)
    width_px = line_width_px(label)
    ignored = np.asarray(label == IGNORE, np.bool_)
    warnings = (
        *exposure_warnings(unit, ignored),
        *bar_warnings(unit, ignored, micrograph.crop, "data.crop"),
        *colour_warnings(micrograph.pixels, channels, ignored),
        *thin_line_warnings(width_px, spec),
    )
    return LabelledMicrograph(
        item.stem,
        unit,
        label,
        width_px,
        pixel_size_um=micrograph.pixel_size_um,
        warnings=warnings,
    )


def warnings_of(images: Iterable[LabelledMicrograph]) -> tuple[str, ...]:
    """Collect the warnings of labelled pictures, one line for each, with the names of its pictures."""
    stems: dict[str, list[str]] = {}
    for image in images:
        for warning in image.warnings:
            stems.setdefault(warning, []).append(image.stem)
    return tuple(f"{', '.join(names)}: {warning}" for warning, names in stems.items())


def mean_line_width_px(images: Sequence[LabelledMicrograph]) -> float:
    """Compute the mean line width of several labels in px, the width that the network learns to draw."""
    return float(np.mean([image.line_width_px for image in images]))
