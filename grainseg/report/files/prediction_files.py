"""The files that a prediction leaves, named in one place."""

from dataclasses import dataclass
from pathlib import Path

from grainseg.grains.closing.partition import Partition
from grainseg.micrograph.files import write_grain_map, write_mask, write_png, write_probability
from grainseg.micrograph.folders.selection import OUTPUT_ENDS
from grainseg.micrograph.formats.replacing import removing
from grainseg.micrograph.image import BoolMask, FloatImage
from grainseg.report.pictures.grain_overlay import partition_overlay
from grainseg.report.pictures.overlay import boundary_overlay

PREDICTIONS = "predictions"
"""Folder of these files within a run."""

GRAINS_SUFFIX = OUTPUT_ENDS["grains"].removesuffix(".tif")
"""Ends the names of grain maps, and is no part of the picture's name where they are measured again."""


@dataclass(frozen=True)
class PredictionPaths:
    """Where the files of one picture lie; the panel is drawn for validation pictures only.

    Mask and grains differ on purpose: the mask is what the IoU is measured on, the grains what is measured.
    The names are those of `OUTPUT_ENDS`.
    """

    mask: Path
    probability: Path
    overlay: Path
    panel: Path
    grains: Path
    uncertainty: Path


def prediction_paths(folder: Path, relative: Path) -> PredictionPaths:
    """Paths for the picture that lies at ``relative`` below the folder of images; its suffix is dropped."""
    return stem_paths(folder / relative.parent, relative.stem)


def stem_paths(folder: Path, stem: str) -> PredictionPaths:
    """Paths for the picture of this name without suffix, which may hold points: m10.5 is not m10."""
    return PredictionPaths(**{name: folder / (stem + end) for name, end in OUTPUT_ENDS.items()})


def write_prediction(
    paths: PredictionPaths,
    pixels: FloatImage,
    probability: FloatImage,
    threshold: float,
    partition: Partition | None = None,
    pixel_size_um: tuple[float, float] | None = None,
) -> BoolMask:
    """Write mask, probability and overlay of one picture, and its grains where there is a partition.

    Where there is none, the grains that an earlier prediction left are taken away.

    Args:
        paths: Where to; folders are made.
        pixels: The picture, (H, W) or (H, W, 3) float32.
        probability: (H, W) float32 in [0, 1].
        threshold: A pixel is boundary where its probability exceeds this.
        partition: The closed grains; the overlay then draws these, with what was closed in another colour.
        pixel_size_um: µm per pixel as (row, column), written into the TIFFs where it is known.

    Returns:
        The mask as written, (H, W) bool: the thresholded probability, never redrawn.

    Raises:
        GrainsegError: A file cannot be written.
    """
    mask = probability > threshold
    write_mask(paths.mask, mask)
    write_probability(paths.probability, probability, pixel_size_um)
    if partition is None:
        removing(paths.grains)
        write_png(paths.overlay, boundary_overlay(pixels, mask))
    else:
        write_grain_map(paths.grains, partition.grains, pixel_size_um)
        write_png(paths.overlay, partition_overlay(pixels, partition.grains, partition.closed))
    return mask


def write_uncertainty(
    paths: PredictionPaths, spread: FloatImage | None, pixel_size_um: tuple[float, float] | None
) -> None:
    """Write how far networks or views of a picture differ, or take away what an earlier prediction wrote.

    Args:
        paths: Where to.
        spread: (H, W) float32, the standard deviation of the probability; None where there is none.
        pixel_size_um: µm per pixel as (row, column), written into the TIFF where it is known.

    Raises:
        GrainsegError: The file cannot be written.
    """
    if spread is None:
        removing(paths.uncertainty)
    else:
        write_probability(paths.uncertainty, spread, pixel_size_um)
