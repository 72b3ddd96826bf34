"""Remarks that follow from labels: a tolerance that is too large, and a segmentation error to state."""

import math
from collections.abc import Sequence

from grainseg.grains.scoring.agreement_regions import RegionScores
from grainseg.pipeline.runs.partition_choice import segmentation_error

TOLERANCE_SHARE = 0.1
"""Largest tolerance as a share of the mean intercept. Unrelated lines have a boundary F1 of 0.25 at a twelfth
of the mean intercept, and of 0.80 at a third."""


def tolerance_warnings(tolerance_px: float, intercept_px: float | None) -> tuple[str, ...]:
    """Return a warning if the tolerance of the boundary F1 is too large for the grains.

    Args:
        tolerance_px: Tolerance of the boundary F1.
        intercept_px: Mean intercept of the labels; None if unknown.

    Returns:
        One line; none if the tolerance is small enough or at most 1 px, the smallest meaningful value.
    """
    if intercept_px is None:
        return ()
    least = max(1, math.floor(TOLERANCE_SHARE * min(intercept_px, 1e6)))
    if tolerance_px <= max(least, TOLERANCE_SHARE * intercept_px):
        return ()
    return (
        f"boundary_tolerance_px={tolerance_px:g} is {tolerance_px / intercept_px:.2f} of the labels' mean "
        f"intercept of {intercept_px:.1f} px: in grains so fine wrong lines lie near a boundary, too, and "
        f"the boundary F1 flatters; say boundary_tolerance_px={least}",
    )


def labelled_error_flag(scores: Sequence[RegionScores]) -> tuple[str, ...]:
    """Return a flag with the segmentation error of labelled pictures, for a budget that knows none.

    The error is not used automatically: only the user knows whether these pictures show the same material and
    took no part in training or validation.

    Args:
        scores: One per labelled picture of a prediction.

    Returns:
        One line; none if there is no picture or no meaningful error, see `segmentation_error`.
    """
    error = segmentation_error(scores) if scores else None
    if error is None:
        return ()
    alone = "; one picture alone leaves the uncertainty incomplete" if error.images == 1 else ""
    return (
        "the segmentation's error is unknown to the budget; that of masks= is not taken by itself: if "
        f"{'this picture' if error.images == 1 else f'these {error.images} pictures'} neither trained nor "
        "chose anything and show the same material, say "
        f"segmentation_rel_unc={error.rms_ln:.2g} segmentation_images={error.images}, the root mean square "
        f"error of ln mean intercept{alone}",
    )
