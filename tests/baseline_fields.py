"""Drawn fields on which the classical references are tuned in tests."""

import numpy as np
from scipy.ndimage import gaussian_filter

from grainseg.baseline.fields import TrainingField
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.normalization import to_unit_range
from grainseg.micrograph.plain.polycrystal import polycrystal


def drawn_field(seed: int, shape: tuple[int, int] = (120, 150), invert: bool = False) -> TrainingField:
    """Grooves of 3 px on grains of one grey, under uneven light, with noise; dark unless inverted."""
    grains = polycrystal(seed, shape, 30.0, 0.3, 3)
    label = boundary_lines(grains, 3).astype(np.uint8)
    random = np.random.default_rng(seed)
    light = np.linspace(-0.2, 0.2, shape[1])
    pixels = 0.6 + light - 0.3 * gaussian_filter(label.astype(float), 0.8) + random.normal(0, 0.03, shape)
    unit = to_unit_range((1 - pixels if invert else pixels).astype(np.float32))
    return TrainingField(unit, label, grains)
