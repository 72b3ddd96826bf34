"""A data bar that was left in the picture is noticed, and nothing else is taken for one."""

import cv2
import numpy as np
import pytest

from grainseg.micrograph.checks.data_bar import bar_warnings
from grainseg.micrograph.crop import Crop
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.normalization import to_unit_range
from grainseg.micrograph.plain.polycrystal import polycrystal
from grainseg.micrograph.plain.synthetic import generate

HEIGHT = 40


def with_bar(seed: int, ground: int, at_top: bool = False, frame_px: int = 2) -> np.ndarray:
    picture = np.rint(255 * generate(seed, (300, 400)).pixels).astype(np.uint8)
    bar = np.full((HEIGHT, 400), ground, np.uint8)
    text, ink = "HV 15.0 kV  mag 500x  WD 10 mm", 255 - ground
    cv2.putText(bar, text, (8, 27), cv2.FONT_HERSHEY_SIMPLEX, 0.6, ink, 2)
    cv2.line(bar, (310, 30), (390, 30), ink, 3)
    bar[:frame_px] = bar[-frame_px:] = ink
    return np.concatenate([bar[::-1], picture] if at_top else [picture, bar])


def unit(pixels: np.ndarray) -> np.ndarray:
    return to_unit_range(pixels[:, :, None].astype(np.float32))


@pytest.mark.parametrize("ground", [0, 255, 40])
@pytest.mark.parametrize(("seed", "frame_px"), [(0, 2), (1, 1)])
def test_a_bar_below_the_picture_is_told_with_its_height(seed: int, frame_px: int, ground: int) -> None:
    (warning,) = bar_warnings(unit(with_bar(seed, ground, frame_px=frame_px)))
    height = int(warning.partition("crop=[0,")[2].partition(",")[0])
    assert abs(height - HEIGHT) <= 3


def test_a_bar_above_and_one_of_a_compressed_file() -> None:
    (warning,) = bar_warnings(unit(with_bar(2, 0, at_top=True)))
    assert "its uppermost" in warning
    _, coded = cv2.imencode(".jpg", with_bar(3, 0), [cv2.IMWRITE_JPEG_QUALITY, 80])
    assert len(bar_warnings(unit(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)))) == 1


@pytest.mark.parametrize("seed", range(6))
def test_pictures_without_a_bar_have_none(seed: int) -> None:
    picture = generate(seed, (300, 400)).pixels[:, :, None]
    burnt = np.clip(1.8 * to_unit_range(picture), 0, 1)
    for shown in (to_unit_range(picture), burnt, 1 - burnt, np.zeros((40, 50, 1), np.float32)):
        assert bar_warnings(shown.astype(np.float32)) == ()


@pytest.mark.parametrize("shading", [0.1, 0.2, 0.3])
@pytest.mark.parametrize("noise", [0.0, 0.01, 0.02])
def test_a_shaded_etching_has_none(shading: float, noise: float) -> None:
    """Each of its rows has a grey level of its own, but the next ones have nearly the same."""
    for seed in range(2):
        lines = boundary_lines(polycrystal(seed, (320, 420), 40.0, 0.3, 3)) == 1
        picture = np.where(lines, 0.2, 0.9) * np.linspace(1 - shading, 1, 320)[:, None]
        picture += np.random.default_rng(seed).normal(0, noise, picture.shape)
        for shown in (picture, picture[::-1], picture.T):
            assert bar_warnings(to_unit_range(np.clip(shown, 0, 1)[:, :, None].astype(np.float32))) == ()


@pytest.mark.parametrize("mean_px", [40.0, 90.0, 150.0])
def test_flat_grains_at_the_edge_are_none(mean_px: float) -> None:
    flagged = 0
    for seed in range(8):
        grains = polycrystal(seed, (300, 400), mean_px, 0.3, 1)
        greys = np.random.default_rng(seed).uniform(0, 1, int(grains.max()) + 1).astype(np.float32)
        flagged += bool(bar_warnings(to_unit_range(greys[grains][:, :, None])))
    assert flagged <= 1


def test_a_bar_that_is_not_measured_is_none_and_one_below_a_crop_is_cut_with_it() -> None:
    shown = unit(with_bar(0, 0))
    left_out = np.zeros(shown.shape[:2], np.bool_)
    left_out[-HEIGHT:] = True
    assert bar_warnings(shown, left_out) == ()
    (warning,) = bar_warnings(shown, crop=Crop(bottom=30, left=5))
    assert "crop=[0,68,5,0]" in warning  # the bar's frame of 2 px stays
