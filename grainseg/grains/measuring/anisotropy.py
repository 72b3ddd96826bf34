"""Elongation of grains (length over width) from the crossings in several directions."""

import math
from collections.abc import Sequence

import numpy as np


def elongation(angles_deg: Sequence[float], crossings_per_length: Sequence[float]) -> float:
    """Stretch λ that would turn an isotropic structure into one with these crossings by direction.

    Stretch a structure with P₀ crossings per length to λ times its extent along one axis. A line at an angle
    φ to that axis was √(cos²φ/λ² + sin²φ) times as long before, so that

        P(φ)² = P₀²·[(1 + 1/λ²) - (1 - 1/λ²)·cos 2φ] / 2:

    a constant plus a cosine, whatever the axis (Saltikov's and Underwood's rose of intersections is an
    ellipse in 1/P; Underwood 1970, Quantitative Stereology, ch. 3). Least squares give the constant and the
    amplitude.

    Args:
        angles_deg: Angles of the lines in degrees, at least three that differ, over the half-turn.
        crossings_per_length: Crossings per length of the lines at each angle.

    Returns:
        λ, at least 1; infinite where nothing is crossed along the axis, nan without any crossing.
    """
    double = 2 * np.radians(angles_deg)
    squared = np.square(crossings_per_length)
    if not (np.isfinite(squared).all() and squared.any()):
        return math.nan
    terms = np.stack([np.ones_like(double), np.cos(double), np.sin(double)], axis=1)
    constant, cosine, sine = np.linalg.lstsq(terms, squared, rcond=None)[0].tolist()
    share = math.hypot(cosine, sine) / constant
    return math.sqrt((1 + share) / (1 - share)) if share < 1 - 1e-9 else math.inf
