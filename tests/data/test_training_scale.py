"""The scale of training data: one pixel size or none, and a grain size over all labels."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import compose_train
from PIL import Image

from grainseg.config import FolderDataConfig
from grainseg.data.folder import read_folder
from grainseg.data.scale import (
    labelled_intercept_px,
    mixed_scale_warnings,
    shared_intercept_px,
    shared_pixel_size_um,
    suited_shrink,
)
from grainseg.micrograph.image import BOUNDARY, IGNORE, Label


@pytest.mark.parametrize(
    ("sizes", "shared"),
    [
        ([(0.25, 0.25), (0.25, 0.25)], 0.25),
        ([(0.25, 0.25), (0.2549, 0.2549)], math.sqrt(0.25 * 0.2549)),
        ([(0.25, 0.25), (0.2551, 0.2551)], None),
        ([(0.25, 0.5)], None),
        ([(0.25, 0.25), None], None),
        ([None], None),
        ([], None),
    ],
)
def test_pixel_sizes_within_two_percent_are_one(
    sizes: list[tuple[float, float] | None], shared: float | None
) -> None:
    assert shared_pixel_size_um(sizes) == (None if shared is None else pytest.approx(shared))


def squares(side_px: int, cells: int) -> Label:
    """A grid of squares, lines of one pixel."""
    label = np.zeros((side_px * cells, side_px * cells), np.uint8)
    label[side_px // 2 :: side_px] = BOUNDARY
    label[:, side_px // 2 :: side_px] = BOUNDARY
    return label


def expected_px(side_px: float) -> float:
    """Of squares along rows, columns and their diagonals: by direction, crossings per length."""
    crossings = (2 / side_px + 2 * math.sqrt(2) / side_px) / 4
    return 1 / crossings


def test_pictures_of_mixed_magnification_are_named_with_their_extremes() -> None:
    assert mixed_scale_warnings({"a": 27.0, "b": 54.0, "c": None}, 1) == ()
    assert mixed_scale_warnings({"c": None}, 1) == ()
    (warning,) = mixed_scale_warnings({"a": 54.0, "b": 81.2, "c": 27.4}, 2)
    assert warning.startswith(
        "mean intercepts of the labels from 27 px (c) to 81 px (b): a network knows one"
    )
    assert warning.endswith("to one pixel size; all are shrunk by 2, unless you say data.shrink=1")
    assert "shrink" not in mixed_scale_warnings({"a": 54.0, "b": 20.0}, 1)[0]


def test_the_intercept_of_several_networks_is_their_mean_or_unknown() -> None:
    assert shared_intercept_px([20.0, 80.0]) == pytest.approx(40)
    assert shared_intercept_px([20.0, None]) is None
    assert shared_intercept_px([]) is None


def test_the_intercept_of_squares_is_known() -> None:
    assert labelled_intercept_px([squares(20, 12)]) == pytest.approx(expected_px(20), rel=0.05)


def test_labels_count_by_their_lines() -> None:
    """Two labels of one size share the test lines equally: crossings per length are averaged."""
    small, large = squares(15, 16), squares(40, 6)
    together = labelled_intercept_px([small, large])
    sizes = [labelled_intercept_px([small]), labelled_intercept_px([large])]
    assert None not in sizes
    assert together == pytest.approx(2 / sum(1 / size for size in sizes if size), rel=0.02)


@pytest.mark.parametrize(
    ("intercept_px", "shrink"),
    [(None, 1), (10.0, 1), (60.0, 1), (60.1, 2), (124.0, 2), (126.0, 3), (200.0, 4), (9999.0, 8)],
)
def test_large_grains_are_brought_to_a_size_that_is_known(intercept_px: float | None, shrink: int) -> None:
    assert suited_shrink(intercept_px) == shrink


@pytest.mark.parametrize(
    ("side_px", "asked", "shrink"), [(60, "auto", 1), (160, "auto", 3), (160, "1", 1), (60, "2", 2)]
)
def test_patches_show_as_many_grains_where_these_are_large(
    side_px: int, asked: str, shrink: int, tmp_path: Path
) -> None:
    """Squares of 160 px have a mean intercept of about 133 px."""
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
        for stem in ("a", "b"):
            label = squares(side_px, 960 // side_px)
            Image.fromarray(np.where(label == BOUNDARY, 255, 0).astype(np.uint8)).save(
                tmp_path / kind / f"{stem}.png"
            )
    config = compose_train(
        "data=folder", f"data.root='{tmp_path}'", f"data.shrink={asked}", "data.tile_size=64"
    )
    assert isinstance(config.data, FolderDataConfig)
    read = read_folder(config.data, config.augment, 1, 0)
    assert read.shrink == shrink
    pixels, label = read.patches[0]
    assert pixels.shape[1:] == label.shape == (64 * shrink, 64 * shrink)
    cells = read_folder(replace(config.data, sampling="grid"), config.augment, 1, 0).patches_per_epoch
    step = (64 - 32) * shrink
    assert cells == (1 + math.ceil((960 - 64 * shrink) / step)) ** 2


def test_what_nobody_judged_has_no_say() -> None:
    label = squares(20, 12)
    label[120:] = IGNORE
    assert labelled_intercept_px([label]) == pytest.approx(
        labelled_intercept_px([squares(20, 12)[:120]]), rel=0.02
    )


def test_without_a_crossing_there_is_none() -> None:
    assert labelled_intercept_px([np.zeros((50, 50), np.uint8)]) is None
    assert labelled_intercept_px([]) is None
