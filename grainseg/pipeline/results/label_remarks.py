"""What labels say beside scores: a tolerance that is too large, an error that the budget does not know."""

import math
from collections.abc import Sequence

from grainseg.grains.scoring.agreement_regions import RegionScores
from grainseg.pipeline.runs.partition_choice import segmentation_error

TOLERANCE_SHARE = 0.1
"""Of the mean intercept. Unrelated lines have an F1 of 0.25 at a twelfth of it, 0.80 at a third."""


def tolerance_warnings(tolerance_px: float, intercept_px: float | None) -> tuple[str, ...]:
    """Say that the tolerance of the line score is too large for the grains.

    Args:
        tolerance_px: Of the boundary F1.
        intercept_px: Mean intercept of the labels; None if unknown.

    Returns:
        One line; none where the tolerance is small, or 1 px, the least that means something.
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
    """Say which error of the segmentation labelled pictures show, where the budget knows none.

    Nobody but the user knows whether these pictures are of the same material and neither trained nor chose
    anything, so the error is not taken by itself.

    Args:
        scores: One per labelled picture of a prediction.

    Returns:
        One line; none without a picture or an error that says something, see `segmentation_error`.
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
