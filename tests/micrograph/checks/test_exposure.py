"""A burnt-out picture is told from one that shows its grey levels."""

import numpy as np
import pytest

from grainseg.micrograph.checks.exposure import exposure_warnings
from grainseg.micrograph.normalization import to_unit_range
from grainseg.micrograph.plain.synthetic import generate


@pytest.fixture(scope="module")
def picture():
    return to_unit_range(generate(2, (160, 200)).pixels[:, :, None])


def as_camera(pixels):
    return to_unit_range(np.rint(255 * np.clip(pixels, 0, 1)))


def test_a_picture_that_shows_its_grey_levels_is_not_flagged(picture):
    for shown in (picture, 1 - picture, as_camera(0.3 * picture + 0.2)):
        assert exposure_warnings(shown) == ()


@pytest.mark.parametrize(
    ("burnt", "words"),
    [(lambda p: 1.8 * p, "lightest grey level: if it is overexposed"), (lambda p: p - 0.75, "darkest")],
)
def test_a_burnt_out_picture_is_flagged_with_how_much_of_it(picture, burnt, words):
    for channels in (1, 3):
        unit = as_camera(burnt(np.repeat(picture, channels, axis=2)))
        (warning,) = exposure_warnings(unit)
        assert words in warning
        at_one_end = max(np.mean(unit == 1), np.mean(unit == 0))
        assert int(warning.split()[0]) == pytest.approx(100 * at_one_end, abs=3)


def test_a_blank_picture_is_called_so():
    for grey in (0, 128, 255):
        assert exposure_warnings(to_unit_range(np.full((40, 50, 1), grey, np.float32))) == (
            "the picture has one grey level only: it shows nothing",
        )


def test_one_light_channel_is_not_burnt_out(picture):
    unit = as_camera(np.concatenate([1.8 * picture, picture, picture], axis=2))
    assert exposure_warnings(unit) == ()
