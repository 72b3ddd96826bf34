"""Warn of blank and badly exposed pictures: where all grey levels are equal, no boundary is visible."""

import numpy as np

from grainseg.micrograph.image import BoolMask, FloatImage

CLIPPED_ABOVE = 0.35
"""Share of a picture at one end of its grey scale above which a warning is given. Etched iron with white
grains, as the camera took it, has 0.3, and its mean intercept is right; at a gain of 1.4 it has 0.91, and the
intercept drifts by 10 %. A picture with texture contrast has 0.21 and 0.33 at gains of 1.4 and 1.6, and the
intercept drifts by 3 and 11 % (docs/robustness.md)."""

_END = 0.01
"""Width of either end, in the unit range: compressed files scatter about white."""


def exposure_warnings(unit: FloatImage, left_out: BoolMask | None = None) -> tuple[str, ...]:
    """Warn if a picture is blank, or if much of it lies at one end of its grey scale.

    Args:
        unit: (H, W, C) float32 in the unit range.
        left_out: (H, W) bool, pixels that are not measured; disregarded if it covers the whole picture.

    Returns:
        One line; none for any other picture.
    """
    if left_out is not None and not left_out.all():
        unit = unit[~left_out][None]
    if float(unit.max()) == float(unit.min()):
        return ("the picture has one grey level only: it shows nothing",)
    lightest = float(np.mean(unit.min(axis=2) >= 1 - _END))
    darkest = float(np.mean(unit.max(axis=2) <= _END))
    share, end, cause = max((lightest, "lightest", "over"), (darkest, "darkest", "under"))
    if share <= CLIPPED_ABOVE:
        return ()
    return (
        f"{100 * share:.0f} % of the picture is at its {end} grey level: if it is {cause}exposed, faint "
        "boundaries are lost there and grains look too large; take it with another exposure",
    )
