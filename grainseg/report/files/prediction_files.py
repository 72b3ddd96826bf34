"""The files of a prediction: their paths, and functions that write them."""

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
"""Ending of the names of grain maps; it is dropped from the picture's name when a map is measured again."""


@dataclass(frozen=True)
class PredictionPaths:
    """Paths of the files of one picture; the panel is drawn for validation pictures only.

    Mask and grains differ on purpose: the IoU is computed on the mask, and grain sizes are measured on the
    grains. The attributes are the keys of `OUTPUT_ENDS`.
    """

    mask: Path
    probability: Path
    overlay: Path
    panel: Path
    grains: Path
    uncertainty: Path


def prediction_paths(folder: Path, relative: Path) -> PredictionPaths:
    """Return the paths for the picture at ``relative`` below the folder of images, without its suffix."""
    return stem_paths(folder / relative.parent, relative.stem)


def stem_paths(folder: Path, stem: str) -> PredictionPaths:
    """Return the paths for a picture by its name without suffix; names may contain points, such as m10.5."""
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

    Without a partition, the grain map of an earlier prediction is removed.

    Args:
        paths: Paths of the files; missing folders are created.
        pixels: The picture, (H, W) or (H, W, 3) float32.
        probability: (H, W) float32 in [0, 1].
        threshold: A pixel is boundary where its probability exceeds this.
        partition: The closed grains, shown by the overlay with closed boundaries in another colour.
        pixel_size_um: µm per pixel as (row, column), written into the TIFFs if it is known.

    Returns:
        The mask as written, (H, W) bool: the thresholded probability, unaffected by the partition.

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
    """Write the spread between networks or views of a picture, or remove the file of an earlier prediction.

    Args:
        paths: Paths of the files; missing folders are created.
        spread: (H, W) float32, the standard deviation of the probability; None to remove the file.
        pixel_size_um: µm per pixel as (row, column), written into the TIFF if it is known.

    Raises:
        GrainsegError: The file cannot be written.
    """
    if spread is None:
        removing(paths.uncertainty)
    else:
        write_probability(paths.uncertainty, spread, pixel_size_um)
