"""What a training says of its validation: whether it is enough, how good the grains are, what to do then."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from grainseg.grains.labels.labelled_grains import holes_in_lines, label_grains
from grainseg.grains.scoring.validation import ValidationScores
from grainseg.grains.wording import counted
from grainseg.micrograph.image import Label

LEAST_F1 = 0.85
MOST_INTERCEPT_ERROR = 0.05
"""Beyond either a network is a poor one. Of predictions with a boundary F1 above the former the mean
intercept was off by up to 6 %, of others by up to 30 % (docs/robustness.md)."""
WORTHWHILE_IOU = 0.03
"""Gain of IoU from which on the threshold that suits the validation pictures best is worth a line."""
FEW_GRAINS = 50
"""Labelled ones: a partition fitted to 20 grains was off by 0.2 % in their number, and by 9 % in that of
further pictures of the material."""
TEST = "test/"
"""Prefix of the scores of pictures that chose nothing, neither the checkpoint nor the partition."""
_GRAINS = ("are", "grain_count_error", "intercept_error")


def few_grains_warning(labels: Sequence[Label]) -> str | None:
    """What to say where so few labelled grains validate that their scores say little.

    Args:
        labels: (H, W) uint8 codes of the validation pictures.
    """
    places = [holes_in_lines(label) for label in labels]
    if sum(count - holes for holes, count in places) >= FEW_GRAINS:
        return None
    # Gaps in lines join places; to close them takes longer.
    count = sum(len(np.unique(grains[grains > 0])) for grains in map(label_grains, labels))
    if count >= FEW_GRAINS:
        return None
    return (
        f"only {counted(count, 'labelled grain')} (fewer than {FEW_GRAINS}) in validation choose the "
        "checkpoint, and the partition with those that train: their scores flatter; name more images in "
        "data.val or, from three images on, say experiment=leave_one_out, which lets every image validate"
    )


def validation_scores(metrics: Mapping[str, float], images: int) -> ValidationScores | None:
    """What a checkpoint keeps of its validation; None where a score is undefined.

    Args:
        metrics: Of the run, with the grains' scores by the fitted partition if one was fitted.
        images: How many pictures validated.
    """
    f1, (are, count, intercept) = float(metrics["val/boundary_f1"]), _grains(metrics, "val/")
    if not all(map(math.isfinite, (f1, are, count, intercept))):
        return None
    return ValidationScores(f1, are, count, intercept, images)


def quality_lines(metrics: Mapping[str, float], prefix: str = "val/") -> list[str]:
    """One to four lines: the grains' scores, a better threshold where that gains much, and a warning.

    Args:
        metrics: Of the run; the grains' scores of its test pictures are told, too, where it has some.
        prefix: Of the names of the validation's scores.
    """
    parts = {"validation": prefix} | ({"test": TEST} if is_tested(metrics) else {})
    lines = [_grains_line(name, metrics, part) for name, part in parts.items()]
    threshold, iou = metrics[f"{prefix}threshold_fitted"], metrics[f"{prefix}iou_fitted"]
    if iou - metrics[f"{prefix}iou"] > WORTHWHILE_IOU:
        lines.insert(
            1,
            f"masks: IoU {iou:.4f} with threshold={threshold:g}, which suits the validation best; "
            "say so to predict.py (it moves the mask alone, the grains have partition.threshold)",
        )
    poor = [f"{said} in {name}" for name, part in parts.items() if (said := _poor(metrics, part))]
    if poor:
        lines.append(
            f"warning: {'; '.join(poor)}: look at the overlays before you use this network; "
            "more steps (epochs), more labels or experiment=best may help"
        )
    return lines


def is_tested(metrics: Mapping[str, float]) -> bool:
    """Whether a run has scores of pictures that chose nothing."""
    return f"{TEST}iou" in metrics


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


def _poor(metrics: Mapping[str, float], prefix: str) -> str:
    """What is poor about scores, in words; empty where nothing is."""
    poor = []
    if not metrics[f"{prefix}boundary_f1"] >= LEAST_F1:  # nan is no good network's
        poor.append(f"boundary F1 below {LEAST_F1:g}")
    if not _intercept_rms(metrics, prefix) <= MOST_INTERCEPT_ERROR:
        poor.append(f"mean intercept off by more than {100 * MOST_INTERCEPT_ERROR:g} %")
    return ", ".join(poor)


def _intercept_rms(metrics: Mapping[str, float], prefix: str) -> float:
    """Of the pictures' own errors; of all together where nothing was fitted to them."""
    _, _, intercept = _grains(metrics, prefix)
    return float(metrics.get(f"{prefix}intercept_error_rms_fitted", intercept))


def _grains(metrics: Mapping[str, float], prefix: str) -> tuple[float, ...]:
    """By the partition that the checkpoint keeps: the default one where none was fitted."""
    names = (f"{prefix}{name}" for name in _GRAINS)
    return tuple(float(metrics.get(f"{name}_fitted", metrics[name])) for name in names)
