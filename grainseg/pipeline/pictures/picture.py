"""Open one picture with the areas left out of it, close its boundary map to grains, and write its files.

Needs no torch: networks and classical references differ only in how they compute the boundary map.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grainseg.config import MeasurementConfig
from grainseg.errors import GrainsegError
from grainseg.grains.closing.partition import Partition, PartitionSettings, partition_probability
from grainseg.grains.closing.sensitivity import threshold_sd_ln
from grainseg.grains.fields.members import MemberSpread
from grainseg.grains.measuring.left_out import LeftOut
from grainseg.grains.trust.doubt import Doubt
from grainseg.micrograph.checks.colour import colour_warnings
from grainseg.micrograph.checks.data_bar import bar_warnings
from grainseg.micrograph.checks.exposure import exposure_warnings
from grainseg.micrograph.crop import Crop, crop_setting
from grainseg.micrograph.files import read_mask_values, read_micrograph
from grainseg.micrograph.folders.selection import SelectedImage, find_mask
from grainseg.micrograph.image import BoolMask, FloatImage, Micrograph, PixelSize
from grainseg.micrograph.labels import fit_to_image
from grainseg.report.files.prediction_files import prediction_paths, write_prediction

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenedPicture:
    """A picture as it is going to be measured.

    Attributes:
        selected: The file of the picture.
        micrograph: Pixels, scale and crop of the picture.
        left_out: Parts of the picture that are not measured.
        exposed_badly: Whether much of the picture is burnt out or black; False before that is checked.
    """

    selected: SelectedImage
    micrograph: Micrograph
    left_out: LeftOut
    exposed_badly: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons to doubt the picture's figures that are known before it is measured, one line each."""
        return (*self.micrograph.warnings, *self.left_out.warnings)

    def warned(self, *lines: str) -> "OpenedPicture":
        """Return a copy with further warnings, and log these."""
        for line in lines:
            log.warning("%s: %s", self.selected.path, line)
        micrograph = replace(self.micrograph, warnings=(*self.micrograph.warnings, *lines))
        return replace(self, micrograph=micrograph)

    def with_picture_warnings(self, unit: FloatImage) -> "OpenedPicture":
        """Return a copy with warnings if it is badly exposed, shows a data bar, or loses its colour contrast.

        Args:
            unit: (H, W, C) float32 in the unit range, the picture as it is given to the network or reference.
        """
        mask = self.left_out.mask
        exposure, bars = exposure_warnings(unit, mask), bar_warnings(unit, mask, self.micrograph.crop)
        colours = colour_warnings(self.micrograph.pixels, unit.shape[2], mask)
        return replace(self.warned(*exposure, *bars, *colours), exposed_badly=bool(exposure))


@dataclass(frozen=True)
class MappedField:
    """One field of view and its grains, before anything is measured.

    Attributes:
        relative: Path relative to the folder that the selection starts from; names the field.
        path: The file of the picture or map.
        pixels: (H, W) or (H, W, 3) float32, shown in the report.
        grains: (H, W) grain ids; 0 is no grain.
        ignored: (H, W), true where the picture is not judged; None if nothing is ignored.
        partition: Partition that found the grains; None if the grains were given.
        pixel_size: Size of a pixel; None if unknown.
        notes: Facts found about the file, one line each.
        warnings: Reasons to doubt the figures of this field, one line each.
        threshold_sd_ln: Standard deviation of ln mean intercept over the thresholds that could have been
            chosen; None if unknown.
        doubt: Doubt about the predicted boundaries; None if no network predicted them.
        members: How far the networks of an ensemble differ; None if there is no ensemble.
        line_width_px: Mean width of the lines between the grains; 0 if there were no lines.
        exposed_badly: Whether much of the picture is at one end of its grey scale.
    """

    relative: Path
    path: Path
    pixels: FloatImage
    grains: npt.NDArray[np.uint32]
    ignored: BoolMask | None
    partition: Partition | None
    pixel_size: PixelSize | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    threshold_sd_ln: float | None
    doubt: Doubt | None = None
    members: MemberSpread | None = None
    line_width_px: float = 0.0
    exposed_badly: bool = False


@dataclass(frozen=True)
class ClosedPicture:
    """Mask and grains of one picture after its files were written.

    Attributes:
        mask: (H, W), true on boundaries.
        field: The picture with its grains; None without a partition.
        trouble: Why the partition failed; None if it did not fail or was not requested.
    """

    mask: BoolMask
    field: MappedField | None
    trouble: GrainsegError | None = None

    def require_field(self) -> MappedField:
        """Return the picture with its grains.

        Raises:
            GrainsegError: There is no partition.
        """
        if self.field is None:
            raise self.trouble or GrainsegError("no partition was asked for")
        return self.field


def require_folders(config: MeasurementConfig) -> None:
    """Raise a GrainsegError if a folder of masks in the configuration does not exist."""
    for key, folder in (("excluded", config.excluded), ("ignored", config.ignored)):
        if folder is not None and not Path(folder).is_dir():
            raise GrainsegError(f"{key}={folder}: there is no such folder")


def make_output(output: str) -> None:
    """Make the output folder before anything is computed for it.

    Raises:
        GrainsegError: The path is not a folder, and no folder can be made there.
    """
    try:
        Path(output).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror
        raise GrainsegError(f"output={output}: is no folder and cannot be made one ({reason})") from error


def open_picture(config: MeasurementConfig, selected: SelectedImage, max_megapixels: float) -> OpenedPicture:
    """Read a picture and the masks of the areas that are left out of it.

    Args:
        config: Scale, crop and folders of masks.
        selected: The picture.
        max_megapixels: Larger pictures are refused.

    Raises:
        GrainsegError: A file cannot be read, a mask differs in size from the picture, or the masks leave
            nothing of it.
    """
    crop = crop_setting(config.crop)
    picture = read_micrograph(selected.path, max_megapixels, config.pixel_size_um, crop)
    left_out = read_left_out(config, selected.relative, picture.shape, picture.crop, max_megapixels)
    opened = OpenedPicture(selected, picture, left_out)
    for warning in opened.warnings:
        log.warning("%s: %s", selected.path, warning)
    return opened


def read_left_out(
    config: MeasurementConfig, relative: Path, shape: tuple[int, int], crop: Crop, max_megapixels: float
) -> LeftOut:
    """Read the areas of a picture that are left out, where its ``excluded`` or ``ignored`` mask is not 0.

    Args:
        config: Names the folders of the masks.
        relative: The picture's relative path.
        shape: Height and width of the cropped picture in px.
        crop: Crop of the picture; a mask of the whole picture is cropped likewise.
        max_megapixels: Larger masks are refused.

    Raises:
        GrainsegError: A mask cannot be read, has another size, or nothing of the picture is left.
    """
    masks: dict[str, BoolMask] = {}
    warnings = []
    for key, folder in (("excluded", config.excluded), ("ignored", config.ignored)):
        if folder is None:
            continue
        path = find_mask(Path(folder), relative)
        if path is None:
            warnings.append(f"there is no mask below {key}={folder}: nothing is {key}")
            continue
        values = fit_to_image(read_mask_values(path, max_megapixels), path, shape, crop)
        masks[key] = np.asarray(values != 0, np.bool_)
        if masks[key].all():
            raise GrainsegError(
                f"{path}: is nowhere 0, so {key}={folder} leaves nothing of the picture; give a mask that is "
                "0 where grains are to be measured"
            )
    left_out = LeftOut(masks.get("excluded"), masks.get("ignored"), tuple(warnings))
    if left_out.mask is not None and left_out.mask.all():
        raise GrainsegError(
            f"{relative}: excluded={config.excluded} and ignored={config.ignored} together leave nothing of "
            "the picture; leave less out"
        )
    return left_out


def close_picture(
    opened: OpenedPicture,
    probability: FloatImage,
    threshold: float,
    settings: PartitionSettings | None,
    folder: Path,
) -> ClosedPicture:
    """Close a boundary map to grains and write all files of the picture.

    If the partition fails, mask and probability are still written, since they show best what is wrong.

    Args:
        opened: The picture.
        probability: (H, W) float32 in [0, 1].
        threshold: A pixel of the mask is boundary where its probability exceeds this.
        settings: Settings of the partition; None for no partition.
        folder: Folder of the files, which `prediction_paths` names.

    Raises:
        GrainsegError: A file cannot be written.
    """
    picture, selected = opened.micrograph, opened.selected
    partition, trouble = None, None
    if settings is not None:
        try:
            partition = partition_probability(probability, settings, opened.left_out.mask)
            partition = replace(partition, grains=opened.left_out.of_grains(partition.grains))
        except GrainsegError as error:
            trouble = GrainsegError(f"{selected.path}: {error}")
    paths = prediction_paths(folder, selected.relative)
    mask = write_prediction(paths, picture.pixels, probability, threshold, partition, picture.pixel_size_um)
    if partition is None:
        return ClosedPicture(mask, None, trouble)
    field = MappedField(
        relative=selected.relative,
        path=selected.path,
        pixels=picture.pixels,
        grains=partition.grains,
        ignored=opened.left_out.ignored,
        partition=partition,
        pixel_size=picture.pixel_size,
        notes=picture.notes,
        warnings=opened.warnings,
        threshold_sd_ln=threshold_sd_ln(probability, partition.settings, opened.left_out),
        line_width_px=partition.line_width_px,
        exposed_badly=opened.exposed_badly,
    )
    return ClosedPicture(mask, field)
