"""Which labelled pictures choose a partition, and what they make of it."""

import math
from collections.abc import Iterator

import numpy as np
import pytest

from grainseg.data.images import LabelledMicrograph
from grainseg.grains.closing.partition import DEFAULT_SETTINGS
from grainseg.grains.scoring.agreement_regions import RegionScores, Sizes
from grainseg.micrograph.image import IGNORE
from grainseg.pipeline.results.label_remarks import labelled_error_flag
from grainseg.pipeline.runs import partition_choice
from grainseg.pipeline.runs.partition_choice import PredictedGrains, fit_grains, small_enough, with_training


def squares(line: float, waist: float = 1.0) -> PredictedGrains:
    """Nine grains of 20 px; half of each is cut from the other by a line of the strength ``waist``."""
    label = np.zeros((62, 62), np.uint8)
    label[[20, 41], :] = label[:, [20, 41]] = 1
    probability = np.where(label == 1, np.float32(line), np.float32(0))
    probability[10::21, :] = np.maximum(probability[10::21, :], np.float32(waist))
    return PredictedGrains.of(probability, label)


def unlabelled() -> PredictedGrains:
    label = np.full((30, 30), IGNORE, np.uint8)
    label[:2] = 1
    return PredictedGrains.of(np.zeros((30, 30), np.float32), label)


def test_training_pictures_join_until_there_are_grains_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are not needed are not even predicted, and one without a grain tells nothing."""
    val, first, second = squares(1), squares(1), squares(1)
    assert val.count == 9
    assert unlabelled().count == 0
    assert PredictedGrains(val.probability, val.grains, val.grains == 5).count == 8

    def training() -> Iterator[PredictedGrains]:
        yield from (unlabelled(), first, second)
        raise AssertionError("more are predicted than needed")

    monkeypatch.setattr(partition_choice, "ENOUGH_GRAINS", 27)
    chosen = with_training([val], training())
    assert [id(picture) for picture in chosen] == [id(val), id(first), id(second)]
    monkeypatch.setattr(partition_choice, "ENOUGH_GRAINS", 9)
    assert with_training([val], training()) == [val]


def test_large_training_pictures_are_left_out() -> None:
    sides = (1000, 1500, 1000, 100)  # 1, 3.25, 4.25 and 4.26 megapixels together
    images = [
        LabelledMicrograph(str(side), np.zeros((0, 0, 1), np.float32), np.zeros((side, side), np.uint8), 3.0)
        for side in sides
    ]
    assert [image.stem for image in small_enough(images)] == ["1000", "1500"]
    assert small_enough([]) == []


def test_pictures_that_trained_have_a_say_in_the_partition() -> None:
    """The validation picture alone shows nothing that must be joined; the others do."""
    val, training = squares(1, waist=0), [squares(1, waist=0.6)] * 4
    alone = fit_grains([val])
    assert alone == DEFAULT_SETTINGS
    together = fit_grains(with_training([val], training))
    assert training[0].scores(together).grain_count_error < 0.1 < training[0].scores(alone).grain_count_error
    assert val.scores(together).grain_count_error < 0.1


def test_labelled_pictures_say_the_error_that_the_budget_lacks() -> None:
    def off_by(ln: float) -> RegionScores:
        predicted = Sizes(line_px=100 * math.exp(ln), crossings=10)
        return RegionScores(predicted=predicted, label=Sizes(line_px=100, crossings=10))

    (flag,) = labelled_error_flag([off_by(0.03), off_by(-0.04)])  # √((9 + 16) / 2) = 3.5
    assert "if these 2 pictures neither" in flag
    assert "segmentation_rel_unc=0.035 segmentation_images=2" in flag
    (flag,) = labelled_error_flag([off_by(0.03)])
    assert "one picture alone leaves the uncertainty incomplete" in flag
    assert labelled_error_flag([]) == labelled_error_flag([RegionScores(label=off_by(0).label)]) == ()
