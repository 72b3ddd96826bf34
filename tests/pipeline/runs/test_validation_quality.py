"""What the end of a training says of its network."""

import numpy as np
import numpy.typing as npt
import pytest

from grainseg.grains.scoring.agreement_regions import region_scores
from grainseg.micrograph.image import BOUNDARY, GRAIN, Label
from grainseg.pipeline.runs.validation import fitted_metrics
from grainseg.pipeline.runs.validation_quality import few_grains_warning, quality_lines, validation_scores

SHORT = {
    "iou": 0.3929,
    "boundary_f1": 0.7699,
    "are": 0.2972,
    "grain_count_error": 0.3004,
    "intercept_error": 0.1577,
    "iou_fitted": 0.4127,
    "threshold_fitted": 0.33,
    "are_fitted": 0.2985,
    "grain_count_error_fitted": 0.068,
    "intercept_error_fitted": 0.1087,
}
"""Of a network that was trained for 40 steps."""


def lines(**changes: float) -> list[str]:
    return quality_lines({f"val/{name}": value for name, value in (SHORT | changes).items()})


def squares(rows: int) -> Label:
    """Five grains a row, and a line that ends before it is through: without it two would be one."""
    label = np.full((20 * rows, 100), GRAIN, np.uint8)
    label[19::20] = label[:, 19::20] = BOUNDARY
    label[9:11, 19] = GRAIN
    return label


def test_grains_that_validate_are_counted_over_all_images_with_gaps_closed() -> None:
    assert few_grains_warning([squares(5), squares(5)]) is None
    warning = few_grains_warning([squares(5), squares(4)])
    assert warning is not None
    assert warning.startswith("only 45 labelled grains (fewer than 50) in validation")


def test_the_grains_are_those_of_the_partition_that_is_kept() -> None:
    grains, _ = lines()
    assert (
        grains
        == "validation: grains: adapted Rand error 0.298, number off by 6.8 %, mean intercept by 10.9 %"
    )


def test_without_a_partition_nothing_is_said_of_grains() -> None:
    """The default partition's errors are scores of the map, and no grain of a prediction has them."""
    metrics = {f"val/{name}": value for name, value in SHORT.items() if name not in FITTED}
    metrics |= {"val/iou_fitted": 0.5}
    masks, warning = quality_lines(metrics)
    assert masks == (
        "masks: IoU 0.5000 with threshold=0.33, which suits the validation best; say so to predict.py"
    )
    assert warning.startswith("warning: boundary F1 below 0.85 in validation: look at")
    assert quality_lines(metrics | {"val/boundary_f1": 0.9, "val/iou_fitted": 0.4}) == []
    tested = {name.replace("val/", "test/"): value for name, value in metrics.items()}
    assert [line for line in quality_lines(metrics | tested) if "grain" in line or "intercept" in line] == []


FITTED = ("are_fitted", "grain_count_error_fitted", "intercept_error_fitted")


@pytest.mark.parametrize(
    ("f1", "error", "said"),
    [
        (0.85, 0.05, None),
        (0.849, 0.05, "warning: boundary F1 below 0.85 in validation: "),
        (0.85, 0.051, "warning: mean intercept off by more than 5 % in validation: "),
        (float("nan"), float("inf"), "boundary F1 below 0.85, mean intercept off by more than 5 % in"),
    ],
)
def test_a_poor_network_is_warned_of(f1: float, error: float, said: str | None) -> None:
    _, *more = lines(boundary_f1=f1, intercept_error_fitted=error)
    assert len(more) == (said is not None)
    if said is not None:
        assert said in more[0]
        assert "experiment=best" in more[0]


def test_errors_that_cancel_between_pictures_are_told_and_warned_of() -> None:
    grains, warning = lines(boundary_f1=0.9, intercept_error_fitted=0.0, intercept_error_rms_fitted=0.239)
    assert grains.endswith("mean intercept by 0.0 % (single pictures by 23.9 %, root mean square)")
    assert warning.startswith("warning: mean intercept off by more than 5 % in validation: ")
    (grains,) = lines(boundary_f1=0.9, intercept_error_fitted=0.02, intercept_error_rms_fitted=0.02)
    assert grains.endswith("mean intercept by 2.0 %")


def test_fitted_scores_of_several_pictures_say_what_each_is_off_by() -> None:
    truth = grid(10)
    scores = [region_scores(grid(cells), truth) for cells in (8, 12)]
    metrics = fitted_metrics(scores, "val/")
    assert metrics["val/intercept_error_fitted"] < 0.01
    apart = [each.intercept_error for each in scores]
    assert metrics["val/intercept_error_rms_fitted"] == pytest.approx(np.sqrt(np.mean(np.square(apart))))
    assert min(apart) > 0.15


def grid(cells: int) -> npt.NDArray[np.int64]:
    place = np.arange(240) * cells // 240
    return place[:, None] * cells + place[None, :] + 1


def test_pictures_that_chose_nothing_are_told_and_warned_of_by_name() -> None:
    good = SHORT | {"boundary_f1": 0.9, "intercept_error_fitted": 0.04}
    poor = good | {"are_fitted": 0.4, "intercept_error_fitted": 0.06}
    metrics = {f"val/{name}": value for name, value in good.items()}
    metrics |= {f"test/{name}": value for name, value in poor.items() if "threshold" not in name}
    validation, test, warning = quality_lines(metrics)
    assert validation.startswith("validation: grains: adapted Rand error 0.298, ")
    assert test == "test: grains: adapted Rand error 0.400, number off by 6.8 %, mean intercept by 6.0 %"
    assert warning.startswith("warning: mean intercept off by more than 5 % in test: look at")
    both = quality_lines(metrics | {"val/boundary_f1": 0.8})[-1]
    assert "boundary F1 below 0.85 in validation; mean intercept off by more than 5 % in test: " in both


def test_a_threshold_that_gains_much_is_named() -> None:
    good = {"boundary_f1": 0.9, "intercept_error_fitted": 0.0}
    _, masks = lines(**good, iou_fitted=0.43)
    assert masks.startswith("masks: IoU 0.4300 with threshold=0.33")
    assert len(lines(**good, iou_fitted=0.42)) == 1


def test_the_checkpoint_keeps_what_is_finite() -> None:
    metrics = {f"val/{name}": value for name, value in SHORT.items()}
    found = validation_scores(metrics, 5)
    assert found is not None
    assert (found.boundary_f1, found.intercept_error, found.images) == (0.7699, 0.1087, 5)
    metrics["val/intercept_error_fitted"] = float("inf")
    assert validation_scores(metrics, 5) is None
