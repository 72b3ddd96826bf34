import numpy as np
import pytest
import tifffile
from PIL import Image

from grainseg.errors import GrainsegError
from grainseg.grains.label_files import read_label
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE
from grainseg.micrograph.labels import LabelSpec

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
