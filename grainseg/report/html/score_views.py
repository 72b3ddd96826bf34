"""Agreement of predictions with labels, as sentences of a page."""

import math
from collections.abc import Mapping

from grainseg.grains.scoring.scores import MaskScores, total
from grainseg.grains.wording import signed
from grainseg.report.html.cells import number_text


def score_sentence(scores: MaskScores) -> str:
    """Scores of one or several pictures; errors are signed, positive if the prediction exceeds the label."""
    parts = [f"IoU {number_text(scores.pixels.iou, places=3)}"]
    parts.append(f"boundary F1 {number_text(scores.lines.f1, places=3)}")
    regions = scores.regions
    if regions is not None:
        parts += [
            f"adapted Rand error {number_text(regions.adapted_rand_error, places=3)}",
            f"number of grains off by {_percent(regions.signed_count_error)}",
            f"mean intercept by {_percent(regions.signed_intercept_error)}",
        ]
    return ", ".join(parts)


def total_sentence(scores: Mapping[str, MaskScores]) -> str | None:
    """Scores of all pictures together, as if they were one large picture; None if none was scored.

    Args:
        scores: Scores of each picture, by its name.
    """
    if not scores:
        return None
    return score_sentence(total(scores.values()))


def _percent(value: float) -> str:
    return f"{signed(round(100 * value, 1) + 0.0, 1)} %" if math.isfinite(value) else "∞"  # no -0.0
