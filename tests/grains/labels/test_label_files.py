import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from grainseg.errors import GrainsegError
from grainseg.grains.labels.label_files import boundaries_of_grains, read_label
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE
from grainseg.micrograph.labels import LabelSpec
from grainseg.micrograph.morphology import near

SHAPE = (40, 50)


def cross(boundary=255, grain=0):
    values = np.full(SHAPE, grain, np.uint8)
    values[20, :] = values[:, 25] = boundary
    return values


def mask_file(path, values, **options):
    Image.fromarray(values).save(path, **options)
    return path


def message(path, spec=None, shape=SHAPE):
    with pytest.raises(GrainsegError) as caught:
        read_label(path, shape, spec or LabelSpec())
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    return text


def test_values_become_codes(tmp_path):
    values = cross()
    values[:5, :5] = 128
    label = read_label(mask_file(tmp_path / "a.png", values), SHAPE, LabelSpec(ignore_value=128))
    assert label.dtype == np.uint8
    np.testing.assert_array_equal(label == IGNORE, values == 128)
    np.testing.assert_array_equal(label == BOUNDARY, values == 255)
    np.testing.assert_array_equal(label == GRAIN, values == 0)


@pytest.mark.parametrize(("boundary", "grain"), [(0, 255), (1, 0), (3, 7)])
def test_boundary_value_is_the_users(tmp_path, boundary, grain):
    path = mask_file(tmp_path / "a.png", cross(boundary, grain))
    label = read_label(path, SHAPE, LabelSpec(boundary_value=boundary))
    np.testing.assert_array_equal(label, cross(BOUNDARY, GRAIN))


def test_one_bit_mask_works_with_the_default_value(tmp_path):
    label = read_label(mask_file(tmp_path / "a.png", cross() == 255), SHAPE, LabelSpec())
    np.testing.assert_array_equal(label, cross(BOUNDARY, GRAIN))


def test_negative_ignore_value_of_a_signed_mask(tmp_path):
    values = cross().astype(np.int16)
    values[0] = -1
    tifffile.imwrite(tmp_path / "a.tif", values)
    label = read_label(tmp_path / "a.tif", SHAPE, LabelSpec(ignore_value=-1))
    assert (label[0] == IGNORE).all()
    assert np.count_nonzero(label == IGNORE) == SHAPE[1]


def test_ignore_value_need_not_occur(tmp_path):
    path = mask_file(tmp_path / "a.png", cross())
    assert IGNORE not in read_label(path, SHAPE, LabelSpec(ignore_value=1000))


def test_size_differs(tmp_path):
    text = message(mask_file(tmp_path / "a.png", cross()), shape=(50, 40))
    assert "50 × 40" in text
    assert "40 × 50" in text


def test_more_than_two_values(tmp_path):
    values = cross()
    values[0, :9] = np.arange(20, 29)
    text = message(mask_file(tmp_path / "a.png", values))
    assert "11 values (0, 20, 21, 22, 23, 24, …)" in text
    assert "data.boundary_value=255" in text
    assert "smoothing" in text


def test_jpeg_is_blamed_for_smeared_values(tmp_path):
    assert "JPEG" in message(mask_file(tmp_path / "a.jpg", cross()))


def test_empty_mask(tmp_path):
    text = message(mask_file(tmp_path / "a.png", np.zeros(SHAPE, np.uint8)))
    assert "is empty: no pixel has the boundary value 255" in text


def test_everything_ignored(tmp_path):
    path = mask_file(tmp_path / "a.png", np.full(SHAPE, 9, np.uint8))
    assert "data.ignore_value=9" in message(path, LabelSpec(ignore_value=9))


def test_two_values_but_not_the_boundary_value(tmp_path):
    text = message(mask_file(tmp_path / "a.png", cross(boundary=1)))
    assert "holds 0 and 1" in text
    assert "data.boundary_value=255" in text


def test_wrong_polarity_names_the_other_value(tmp_path):
    text = message(mask_file(tmp_path / "a.png", cross(boundary=7, grain=255)))
    assert "96 % of the labelled pixels" in text
    assert text.endswith("set data.boundary_value=7")


def test_polarity_counts_labelled_pixels_only(tmp_path):
    values = np.full(SHAPE, 99, np.uint8)
    values[:4] = 255
    values[4] = 0
    path = mask_file(tmp_path / "a.png", values)
    assert "80 %" in message(path, LabelSpec(ignore_value=99))
    assert read_label(path, SHAPE, LabelSpec(boundary_value=0, ignore_value=99)).shape == SHAPE


def test_nothing_but_boundary(tmp_path):
    text = message(mask_file(tmp_path / "a.png", np.full(SHAPE, 255, np.uint8)))
    assert "100 %" in text
    assert "there is no grain" in text


GRAINS = np.add.outer(3 * (np.arange(60) // 20), np.arange(75) // 25) + 1
"""Nine grains, 1 to 9."""


def instances(values, **settings):
    return boundaries_of_grains(
        values, Path("map.tif"), LabelSpec("instances", **({"width_px": 2} | settings))
    )


def refusal(values, **settings):
    with pytest.raises(GrainsegError) as caught:
        instances(values, **settings)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("map.tif: ")
    return str(caught.value)


def squares(width):
    label = np.full(GRAINS.shape, GRAIN, np.uint8)
    for crack in (20, 40):
        label[crack - width // 2 : crack + width // 2] = BOUNDARY
    for crack in (25, 50):
        label[:, crack - width // 2 : crack + width // 2] = BOUNDARY
    return label


@pytest.mark.parametrize("width", [2, 4])
def test_the_cracks_between_grains_become_lines(tmp_path, width):
    """Whatever the numbers are, and from files of any depth."""
    numbers = np.random.default_rng(0).permutation(60000)[:9] + 1
    for values in (GRAINS.astype(np.uint8), numbers[GRAINS - 1].astype(np.uint16)):
        tifffile.imwrite(tmp_path / "a.tif", values)
        label = read_label(tmp_path / "a.tif", GRAINS.shape, LabelSpec("instances", width_px=width))
        np.testing.assert_array_equal(label, squares(width))


def with_lines(width):
    """The grains parted by lines of zeros of this width, about which they lie evenly."""
    values = GRAINS.copy()
    for crack in (20, 40):
        values[crack - width // 2 : crack + (width + 1) // 2] = 0
    for crack in (25, 50):
        values[:, crack - width // 2 : crack + (width + 1) // 2] = 0
    return values


def test_zeros_need_a_meaning():
    text = refusal(with_lines(1))
    assert "data.zero=boundary" in text
    assert "data.zero=ignored" in text


@pytest.mark.parametrize(("drawn", "width"), [(2, 2), (4, 2), (2, 4), (1, 1), (1, 3), (3, 1), (3, 3), (3, 5)])
def test_lines_of_zeros_are_drawn_at_the_declared_width_about_their_middle(drawn, width):
    label = instances(with_lines(drawn), zero="boundary", width_px=width)
    for profile, cracks in ((label[:, 10], (20, 40)), (label[10], (25, 50))):
        for crack in cracks:
            at = np.flatnonzero(profile[crack - 8 : crack + 8] == BOUNDARY) + crack - 8
            assert at.size == width
            assert at.mean() == crack - 0.5 + drawn % 2 / 2


@pytest.mark.parametrize("settings", [{"ignore_value": 5}, {"ignore_value": 0}, {"zero": "ignored"}])
def test_an_ignored_number_has_no_boundary(settings):
    """The middle one of nine: nobody knows whether the grains around it end there."""
    values = GRAINS if settings == {"ignore_value": 5} else np.where(GRAINS == 5, 0, GRAINS)
    label = instances(values, **settings)
    assert (label[GRAINS == 5] == IGNORE).all()
    assert (label[19:21, :24] == BOUNDARY).all()
    assert (label[21:39, 24] == IGNORE).all()
    assert (label[22:38, 2:23] == GRAIN).all()
    beside = near(GRAINS == 5, 1.5)
    np.testing.assert_array_equal(label[~beside], squares(2)[~beside])


def test_zeros_may_be_lines_beside_an_ignored_number():
    values = with_lines(3).astype(np.uint16)
    values[(GRAINS == 5) & (values > 0)] = 65535
    label = instances(values, zero="boundary", ignore_value=65535, width_px=3)
    assert (label[values == 65535] == IGNORE).all()
    assert (label[:17, 24:27] == BOUNDARY).all()
    assert not (label[22:39, 20:30] == BOUNDARY).any()


def test_two_numbers_can_be_ignored():
    values = np.where(GRAINS == 1, 0, GRAINS)
    label = instances(values, zero="ignored", ignore_value=9)
    assert (label[(GRAINS == 1) | (GRAINS == 9)] == IGNORE).all()


def test_many_ignored_specks_are_no_picture():
    values = np.kron(GRAINS, np.ones((6, 6), int))
    values[2::7, 2::7] = 99
    assert (instances(values, ignore_value=99) == BOUNDARY).any()


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        (np.full((40, 40), 7), {}, "no two grains meet"),
        (np.full((40, 40), 7), {"ignore_value": 7}, "every pixel is ignored"),
        (np.zeros((40, 40), int), {"zero": "boundary"}, "holds no grain"),
        (GRAINS, {"width_px": 18}, "data.label_width_px=18 cover"),
        (np.where(squares(2) == BOUNDARY, 0, 255), {"zero": "boundary"}, "mask"),
        (np.where(GRAINS == 5, 0, GRAINS), {"zero": "boundary"}, "zeros up to 10 px from the nearest grain"),
        (GRAINS - 5, {"zero": "ignored"}, "negative number"),
        (np.where(GRAINS % 2, 3, 8), {"ignore_value": 8}, "separate places|no two grains"),
    ],
)
def test_what_is_no_map_of_grains_is_refused(values, settings, message):
    assert re.search(message, refusal(values, **settings))
