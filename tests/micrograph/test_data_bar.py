"""A data bar that was left in the picture is noticed, and nothing else is taken for one."""

import cv2
import numpy as np
import pytest

from grainseg.micrograph.data_bar import bar_warnings
from grainseg.micrograph.normalization import to_unit_range
from grainseg.micrograph.synthetic import generate

HEIGHT = 40


def with_bar(seed: int, ground: int, at_top: bool = False) -> np.ndarray:
    picture = np.rint(255 * generate(seed, (300, 400)).pixels).astype(np.uint8)
    bar = np.full((HEIGHT, 400), ground, np.uint8)
    text, ink = "HV 15.0 kV  mag 500x  WD 10 mm", 255 - ground
    cv2.putText(bar, text, (8, 27), cv2.FONT_HERSHEY_SIMPLEX, 0.6, ink, 2)
    cv2.line(bar, (310, 30), (390, 30), ink, 3)
    bar[:2] = ink
    return np.concatenate([bar[::-1], picture] if at_top else [picture, bar])


def unit(pixels: np.ndarray) -> np.ndarray:
    return to_unit_range(pixels[:, :, None].astype(np.float32))


@pytest.mark.parametrize("ground", [0, 255, 40])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_bar_below_the_picture_is_told_with_its_height(seed: int, ground: int) -> None:
    (warning,) = bar_warnings(unit(with_bar(seed, ground)))
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
