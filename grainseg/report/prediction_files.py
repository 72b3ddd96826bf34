"""The files that a prediction leaves, named in one place."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grainseg.micrograph.files import write_mask, write_probability, write_rgb
from grainseg.micrograph.image import FloatImage
from grainseg.report.overlay import boundary_overlay


@dataclass(frozen=True)
class PredictionPaths:
    """Where the files of one picture lie; the panel is drawn for validation pictures only."""

    mask: Path
    probability: Path
    overlay: Path
    panel: Path


def prediction_paths(folder: Path, relative: Path) -> PredictionPaths:
    """Paths for the picture that lies at ``relative`` below the folder of images; its suffix is dropped."""
    stem = folder / relative.parent / relative.stem
    return PredictionPaths(
        mask=stem.with_name(f"{stem.name}_mask.png"),
        probability=stem.with_name(f"{stem.name}_probability.tif"),
        overlay=stem.with_name(f"{stem.name}_overlay.png"),
        panel=stem.with_name(f"{stem.name}_panel.png"),
    )


def write_prediction(
    paths: PredictionPaths,
    pixels: FloatImage,
    probability: FloatImage,
    threshold: float,
    pixel_size_um: float | None = None,
) -> npt.NDArray[np.bool_]:
    """Write mask, probability and overlay of one picture.

    Args:
        paths: Where to; folders are made.
        pixels: The picture, (H, W) or (H, W, 3) float32.
        probability: (H, W) float32 in [0, 1].
        threshold: A pixel is boundary where its probability exceeds this.
        pixel_size_um: µm per pixel, written into the TIFF where it is known.

    Returns:
        The mask as written, (H, W) bool: the thresholded probability, never redrawn.
    """
    mask = probability > threshold
    write_mask(paths.mask, mask)
    write_probability(paths.probability, probability, pixel_size_um)
    write_rgb(paths.overlay, boundary_overlay(pixels, mask))
    return mask
