"""Messages about a training's validation: too few grains, the quality of the grains, and advice."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from grainseg.grains.labels.labelled_grains import holes_in_lines, label_grains
from grainseg.grains.scoring.validation import ValidationScores
from grainseg.grains.wording import counted
from grainseg.micrograph.image import Label

LEAST_F1 = 0.85
MOST_INTERCEPT_ERROR = 0.05
"""A network with a lower boundary F1 or a larger error of the mean intercept is poor. In predictions with a
boundary F1 above `LEAST_F1`, the mean intercept was off by up to 6 %, in others by up to 30 %
(docs/robustness.md)."""
WORTHWHILE_IOU = 0.03
"""Gain of IoU above which the threshold that is best on the validation pictures is mentioned."""
FEW_GRAINS = 50
"""Number of labelled grains below which a warning is given: a partition fitted to 20 grains was off by 0.2 %
in their number, but by 9 % in the number of grains of further pictures of the material."""
TEST = "test/"
"""Prefix of the scores of test pictures, which chose neither the checkpoint nor the partition."""
_GRAINS = ("are", "grain_count_error", "intercept_error")


def few_grains_warning(labels: Sequence[Label]) -> str | None:
    """Return a warning if the validation has too few labelled grains for meaningful scores; otherwise None.

    Args:
        labels: (H, W) uint8 codes of the validation pictures.
    """
    places = [holes_in_lines(label) for label in labels]
    if sum(count - holes for holes, count in places) >= FEW_GRAINS:
        return None
    # Gaps in lines join grains; closing them takes longer, so it is done only if the quick count is low.
    count = sum(len(np.unique(grains[grains > 0])) for grains in map(label_grains, labels))
    if count >= FEW_GRAINS:
        return None
    return (
        f"only {counted(count, 'labelled grain')} (fewer than {FEW_GRAINS}) in validation choose the "
        "checkpoint, and the partition with those that train: their scores flatter; name more images in "
        "data.val or, from three images on, say experiment=leave_one_out, which lets every image validate"
    )


def validation_scores(metrics: Mapping[str, float], images: int) -> ValidationScores | None:
    """Return the validation scores that a checkpoint keeps; None if one is undefined.

    Args:
        metrics: Metrics of the run, with the grain scores of the fitted partition if one was fitted.
        images: Number of validation pictures.
    """
    f1, (are, count, intercept) = float(metrics["val/boundary_f1"]), _grains(metrics, "val/")
    if not all(map(math.isfinite, (f1, are, count, intercept))):
        return None
    return ValidationScores(f1, are, count, intercept, images)


def quality_lines(metrics: Mapping[str, float], prefix: str = "val/") -> list[str]:
    """Return up to four lines: the grain scores, a much better threshold if there is one, and a warning.

    Args:
        metrics: Metrics of the run; the grain scores of test pictures are included if there are any. Without
            a fitted partition (``partition=none``), no line is about grains.
        prefix: Prefix of the names of the validation scores.
    """
    parts = {"validation": prefix} | ({"test": TEST} if is_tested(metrics) else {})
    grains = has_grains(metrics, prefix)
    lines = [_grains_line(name, metrics, part) for name, part in parts.items()] if grains else []
    threshold, iou = metrics[f"{prefix}threshold_fitted"], metrics[f"{prefix}iou_fitted"]
    if iou - metrics[f"{prefix}iou"] > WORTHWHILE_IOU:
        lines.insert(
            1,
            f"masks: IoU {iou:.4f} with threshold={threshold:g}, which suits the validation best; "
            "say so to predict.py"
            + (" (it moves the mask alone, the grains have partition.threshold)" if grains else ""),
        )
    poor = [f"{said} in {name}" for name, part in parts.items() if (said := _poor(metrics, part, grains))]
    if poor:
        lines.append(
            f"warning: {'; '.join(poor)}: look at the overlays before you use this network; "
            "more steps (epochs), more labels or experiment=best may help"
        )
    return lines


def is_tested(metrics: Mapping[str, float]) -> bool:
    """Return whether a run has scores of test pictures."""
    return f"{TEST}iou" in metrics


def has_grains(metrics: Mapping[str, float], prefix: str = "val/") -> bool:
    """Return whether a run chose a partition, so that its predictions have grains."""
    return f"{prefix}are_fitted" in metrics


def _grains_line(name: str, metrics: Mapping[str, float], prefix: str) -> str:
    are, count, intercept = _grains(metrics, prefix)
    rms = _intercept_rms(metrics, prefix)
    single = (
        f" (single pictures by {100 * rms:.1f} %, root mean square)"
        if f"{rms:.3f}" != f"{intercept:.3f}"
        else ""
    )
    return (
        f"{name}: grains: adapted Rand error {are:.3f}, number off by {100 * count:.1f} %, "
        f"mean intercept by {100 * intercept:.1f} %{single}"
    )


def _poor(metrics: Mapping[str, float], prefix: str, grains: bool) -> str:
    """Return which scores are poor, in words; empty if none is."""
    poor = []
    if not metrics[f"{prefix}boundary_f1"] >= LEAST_F1:  # written so that nan counts as poor
        poor.append(f"boundary F1 below {LEAST_F1:g}")
    if grains and not _intercept_rms(metrics, prefix) <= MOST_INTERCEPT_ERROR:
        poor.append(f"mean intercept off by more than {100 * MOST_INTERCEPT_ERROR:g} %")
    return ", ".join(poor)


def _intercept_rms(metrics: Mapping[str, float], prefix: str) -> float:
    """Return the RMS error of the mean intercept per picture, or the overall error if nothing was fitted."""
    _, _, intercept = _grains(metrics, prefix)
    return float(metrics.get(f"{prefix}intercept_error_rms_fitted", intercept))


def _grains(metrics: Mapping[str, float], prefix: str) -> tuple[float, ...]:
    """Return the grain scores of the partition that the checkpoint keeps, the default if none was fitted."""
    names = (f"{prefix}{name}" for name in _GRAINS)
    return tuple(float(metrics.get(f"{name}_fitted", metrics[name])) for name in names)
