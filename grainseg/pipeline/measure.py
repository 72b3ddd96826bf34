"""Measure masks or grain maps made by another program or by hand. Needs no network and no torch."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from grainseg.config import MeasureConfig
from grainseg.errors import GrainsegError
from grainseg.grains.closing.partition import Partition, partition_mask
from grainseg.grains.fields.field_flags import BLANK_EDGE
from grainseg.grains.labels.label_maps import LabelMap, ZeroMeaning, read_label_map, zeros_are_lines
from grainseg.grains.measuring.left_out import LeftOut
from grainseg.micrograph.crop import NO_CROP, Crop, crop_setting
from grainseg.micrograph.files import read_mask_values, read_micrograph, write_grain_map
from grainseg.micrograph.folders.selection import SelectedImage, find_mask, list_images, selection_root
from grainseg.micrograph.image import BOUNDARY, FloatImage, Micrograph, PixelSize
from grainseg.micrograph.labels import LabelSpec, fit_to_image, to_label
from grainseg.micrograph.scale.calibration import Calibration, read_calibration
from grainseg.micrograph.scale.pixel_size import contradiction, given_by_user
from grainseg.pipeline.pictures.failures import SKIPPED, log_failure, log_unlisted
from grainseg.pipeline.pictures.given_maps import is_of_prediction, maps_to_measure
from grainseg.pipeline.pictures.picture import MappedField, make_output, read_left_out, require_folders
from grainseg.pipeline.pictures.progress import progress
from grainseg.pipeline.results.batch_results import BatchResults, Measurements, summary, title_of
from grainseg.pipeline.results.earlier_run import (
    TABLES,
    FileState,
    files_before,
    maps_before,
    require_picture,
    tables_come_last,
    warn_of_older_maps,
    warn_of_unreplaced,
)
from grainseg.pipeline.results.provenance import provenance_of
from grainseg.report.files.prediction_files import prediction_paths

log = logging.getLogger(__name__)

MaskValues = npt.NDArray[np.integer[Any]]
"""(H, W) values of a mask (grey levels) or of a grain map (grain ids)."""


@dataclass
class Measured:
    """Results and failures of a measurement.

    Attributes:
        results: Results of the measurement; None if no file could be measured.
        failures: One line for each file that could not be measured, and each folder that could not be listed.
    """

    results: BatchResults | None = None
    failures: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return the closing lines."""
        return "\n".join(summary(self.results)) if self.results is not None else "nothing was measured"


def measure(
    config: MeasureConfig, command: str = "", options: Mapping[str, str] = MappingProxyType({})
) -> Measured:
    """Measure all maps that ``config.masks`` selects; one that cannot be read is reported and skipped.

    The grains of each map are written as a grain map that holds the ids of the table of grains.

    Args:
        config: The measurement.
        command: The command as typed, for the report.
        options: Options of the command for the keys that the report names, see ``as_options``.

    Raises:
        GrainsegError: Nothing can be measured at all.
    """
    output = Path(config.output)
    selection = list_images(config.masks, output, "masks")
    maps = maps_to_measure(config, selection)
    _require_kept(output, selection.images, maps)
    if config.images is not None and not Path(config.images).is_dir():
        raise GrainsegError(f"images={config.images}: there is no such folder")
    require_folders(config)
    relatives = [image.relative for image in maps]
    measurements = Measurements(config, relatives, title_of(config.masks), None, options)
    make_output(config.output)
    measured = Measured(failures=log_unlisted(selection))
    older_maps = _older_maps(config)
    with tables_come_last(output, *TABLES):
        for item in progress(maps, "measuring"):
            _measure_one(config, item, measured, measurements)
    warn_of_older_maps(output, older_maps)
    source = "boundary masks given" if config.kind == "boundary" else "grain maps given"
    flags = tuple(f"not measured: {failure}" for failure in measured.failures)
    measured.results = measurements.write(
        title_of(config.masks), provenance_of(source, config, command), flags
    )
    return measured


def _require_kept(output: Path, found: list[SelectedImage], maps: list[SelectedImage]) -> None:
    """Raise a GrainsegError if the grain map of one file would overwrite another that is read."""
    read = {os.path.realpath(item.path) for item in found}
    for item in maps:
        path = prediction_paths(output, item.relative).grains
        if os.path.realpath(path) in read:
            raise GrainsegError(
                f"{path}: is one of the files to measure and would be overwritten; choose another output "
                "folder"
            )


def _older_maps(config: MeasureConfig) -> dict[Path, FileState]:
    """Return the grain maps in the output folder, except those below a folder of masks within it."""
    output, root = Path(config.output), os.path.realpath(selection_root(config.masks))
    before = maps_before(output)
    if not Path(root).is_relative_to(os.path.realpath(output)):
        return before
    return {
        path: state for path, state in before.items() if not Path(os.path.realpath(path)).is_relative_to(root)
    }


def _measure_one(
    config: MeasureConfig, item: SelectedImage, measured: Measured, measurements: Measurements
) -> None:
    """Write the grain map of a file and measure it; a failure is recorded and does not stop the others."""
    output = Path(config.output)
    path = prediction_paths(output, item.relative).grains
    before: dict[str, FileState] = {}
    try:
        require_picture(path)
        before = files_before(output, item.relative)
        mapped = _mapped(config, item)
        size = mapped.pixel_size
        write_grain_map(path, mapped.grains, None if size is None else (size.row_um, size.column_um))
        flags = measurements.add(mapped).flags
    except SKIPPED as error:
        measured.failures.append(log_failure(item.path, error))
        warn_of_unreplaced(output, before)
        return
    if BLANK_EDGE in flags:
        log.warning("%s: %s", item.path, BLANK_EDGE)


def _mapped(config: MeasureConfig, item: SelectedImage) -> MappedField:
    """Read a map with its micrograph, its pixel size and the masks of the areas that are left out."""
    values = read_mask_values(item.path, config.max_megapixels)
    calibration = read_calibration(item.path, values.shape, given_by_user(config.pixel_size_um))
    picture = _picture(config, item)
    values, pixels, crop = _cropped(config, item, values, picture)
    left_out = read_left_out(config, item.relative, values.shape, crop, config.max_megapixels)
    if config.kind == "grains" and config.zero == "ignored":
        left_out = left_out.ignoring(np.asarray(values == 0, np.bool_))
    label_map, partition = _grains(config, item, values, left_out)
    pixel_size, notes, warnings = _scale(picture, calibration)
    warnings = (*warnings, *left_out.warnings, *_zero_warnings(config, values))
    for warning in warnings:
        log.warning("%s: %s", item.path, warning)
    return MappedField(
        relative=item.relative,
        path=item.path,
        pixels=pixels,
        grains=label_map.grains,
        line_width_px=label_map.line_width_px,
        ignored=left_out.ignored,
        partition=partition,
        pixel_size=pixel_size,
        notes=notes,
        warnings=warnings,
        threshold_sd_ln=0.0,
    )


def _cropped(
    config: MeasureConfig, item: SelectedImage, values: MaskValues, picture: Micrograph | None
) -> tuple[MaskValues, FloatImage, Crop]:
    """Return the cropped values of the map, the pixels to show (grey without a picture), and the crop."""
    if picture is not None:
        return fit_to_image(values, item.path, picture.shape, picture.crop), picture.pixels, picture.crop
    crop = _crop_of_map(config, item)
    values = crop.apply(values, item.path)
    return values, np.full(values.shape, 0.5, np.float32), crop


def _scale(
    picture: Micrograph | None, calibration: Calibration
) -> tuple[PixelSize | None, tuple[str, ...], tuple[str, ...]]:
    """Return pixel size, notes and warnings: the picture's, or the map's if the picture has no pixel size."""
    if picture is None:
        return calibration.pixel_size, calibration.notes, calibration.warnings
    notes, warnings = picture.notes, picture.warnings
    if picture.pixel_size is None:
        return calibration.pixel_size, notes + calibration.notes, warnings + calibration.warnings
    if calibration.pixel_size is not None:
        difference = contradiction(picture.pixel_size, calibration.pixel_size, "the map")
        warnings += () if difference is None else (difference,)
    return picture.pixel_size, notes, warnings


def _zero_warnings(config: MeasureConfig, values: MaskValues) -> tuple[str, ...]:
    """Return a warning if the zeros of a grain map look like boundaries but are configured as excluded."""
    if config.kind == "grains" and config.zero == "excluded" and zeros_are_lines(values):
        return (
            "its zeros are thin lines from side to side, as boundaries are: if they are some, say "
            "zero=boundary, which fills them; excluded they make the mean intercept shorter",
        )
    return ()


def _crop_of_map(config: MeasureConfig, item: SelectedImage) -> Crop:
    """Return the crop of a map without a picture: only an explicit one, as its metadata show no data bar."""
    crop = crop_setting(config.crop)
    if not isinstance(crop, Crop):
        return NO_CROP
    if is_of_prediction(item.path):
        raise GrainsegError(
            f"{item.path}: is the map of a picture that may have been cropped before; "
            "give the folder of the pictures (images), or do not crop"
        )
    return crop


def _picture(config: MeasureConfig, item: SelectedImage) -> Micrograph | None:
    path = None if config.images is None else find_mask(Path(config.images), item.relative)
    if path is None:
        return None
    return read_micrograph(path, config.max_megapixels, config.pixel_size_um, crop_setting(config.crop))


def _grains(
    config: MeasureConfig, item: SelectedImage, values: MaskValues, left_out: LeftOut
) -> tuple[LabelMap, Partition | None]:
    if config.kind == "grains":
        if config.zero is None and not values.all():
            raise GrainsegError(
                f"{item.path}: holds 0; say zero=boundary if that is the lines between grains, "
                "zero=excluded if there are pores or a second phase, or zero=ignored if it lies outside the "
                "field of view"
            )
        zero_is: ZeroMeaning = "boundary" if config.zero == "boundary" else "excluded"
        label_map = read_label_map(values, str(item.path), zero_is)
        return replace(label_map, grains=left_out.of_grains(label_map.grains)), None
    label = to_label(values, item.path, LabelSpec(boundary_value=config.boundary_value), "kind=grains", None)
    partition = partition_mask(np.asarray(label == BOUNDARY, np.bool_), left_out=left_out.mask)
    return LabelMap(left_out.of_grains(partition.grains), partition.line_width_px), partition
