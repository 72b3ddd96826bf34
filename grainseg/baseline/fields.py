"""Training fields of the classical references, and the grey levels that they use."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter

from grainseg.micrograph.image import FloatImage, Label

_REACH_SD = 3.0  # grey levels further from the local mean, in local standard deviations, are clipped
_LEAST_SD = 0.25  # least local deviation, as share of the picture's: noise in a plain grain stays small


@dataclass(frozen=True)
class TrainingField:
    """One labelled picture.

    Attributes:
        unit: (H, W) float32 in [0, 1], see ``to_unit_range``.
        label: (H, W) uint8 codes GRAIN, BOUNDARY, IGNORE.
        grain_map: (H, W) ids of the labelled grains, see ``label_grains``; 0 where none is known.
    """

    unit: FloatImage
    label: Label
    grain_map: npt.NDArray[np.integer]

    @cached_property
    def grains(self) -> int:
        """Number of grains."""
        return int(np.count_nonzero(np.bincount(self.grain_map[self.grain_map > 0])))


def mean_grain_px(fields: Sequence[TrainingField]) -> float:
    """Diameter in px of a circle with the mean area of all known grains of all fields together."""
    known = sum(int(np.count_nonzero(field.grain_map)) for field in fields)
    return float(np.sqrt(4 / np.pi * known / sum(field.grains for field in fields)))


def flatten(unit: FloatImage, grain_px: float) -> FloatImage:
    """Remove uneven illumination and contrast: grey levels in local standard deviations about the local mean.

    Both are computed over a few grains, each by two box means, whose cost does not grow with their size.

    Args:
        unit: (H, W) float32 in [0, 1].
        grain_px: Typical grain diameter in px.

    Returns:
        (H, W) float32 in [0, 1]; 0.5 is the local mean.
    """
    side = 2 * round(grain_px) + 1
    levels = np.asarray(unit, np.float64)
    away = levels - _local_mean(levels, side)
    least = max(_LEAST_SD * float(away.std()), 1e-6)
    deviation = np.sqrt(np.maximum(_local_mean(away**2, side), least**2))
    scaled = np.clip(away / deviation, -_REACH_SD, _REACH_SD) / (2 * _REACH_SD) + 0.5
    return np.asarray(scaled, np.float32)


def _local_mean(values: npt.NDArray[np.float64], side: int) -> npt.NDArray[np.float64]:
    return np.asarray(uniform_filter(uniform_filter(values, side, np.float64), side))
