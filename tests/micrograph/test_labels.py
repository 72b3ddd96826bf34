import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage.draw import line

from grainseg.errors import GrainsegError
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE
from grainseg.micrograph.labels import LABEL_KINDS, LabelSpec, line_width_px, read_label

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


def test_unknown_kind_lists_the_kinds():
    with pytest.raises(GrainsegError, match=r"data\.label_kind=lines.*" + ", ".join(LABEL_KINDS)):
        LabelSpec(kind="lines")


def test_one_value_cannot_be_boundary_and_ignored():
    with pytest.raises(GrainsegError, match=r"data\.ignore_value=255.*data\.boundary_value"):
        LabelSpec(boundary_value=255, ignore_value=255)


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


ROWS, COLUMNS = np.mgrid[:500, :500].astype(np.float32)


def strips(angle_deg, width, offset):
    """Parallel lines of true width at 61 px from each other."""
    angle = np.deg2rad(angle_deg)
    across = (COLUMNS * np.sin(angle) + ROWS * np.cos(angle) + offset) % 61
    return (np.abs(across - 30.5) < width / 2)[:300, :300]


def rings(width):
    radius = np.hypot(ROWS - 249.7, COLUMNS - 249.2)
    return (np.abs(radius % 60 - 30) < width / 2) & (radius < 240)


def voronoi(width):
    points = np.random.default_rng(0).random((60, 2), dtype=np.float32) * 500
    distance = np.hypot(ROWS - points[:, 0, None, None], COLUMNS - points[:, 1, None, None])
    nearest = np.argpartition(distance, 1, axis=0)[:2]
    first, second = np.take_along_axis(distance, nearest, axis=0)
    between = np.hypot(*np.moveaxis(points[nearest[0]] - points[nearest[1]], -1, 0))
    return np.abs(second**2 - first**2) / (2 * between) < width / 2


def width_of(boundary):
    return line_width_px(np.where(boundary, BOUNDARY, GRAIN).astype(np.uint8))


@pytest.mark.parametrize("width", [2, 3, 5])
def test_width_of_lines_in_all_directions(width):
    assert width_of(rings(width)) == pytest.approx(width, rel=0.02)
    assert width_of(voronoi(width)) == pytest.approx(width, rel=0.02)


def test_width_of_thinnest_lines_in_all_directions():
    assert width_of(rings(1)) == pytest.approx(1, rel=0.1)
    assert width_of(voronoi(1)) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("angle", [0, 15, 30, 45, 60, 90])
def test_width_of_parallel_lines(width, angle):
    measured = np.mean([width_of(strips(angle, width, offset)) for offset in np.arange(0.1, 60, 7.31)])
    assert measured == pytest.approx(width, rel=0.21 if width == 1 else 0.06)


@pytest.mark.parametrize("end", [0, 100, 250, 399])
def test_width_of_lines_drawn_pixel_by_pixel(end):
    boundary = np.zeros((420, 420), bool)
    boundary[line(9, 9, 409, 9 + end)] = True
    assert width_of(boundary) == pytest.approx(1, rel=0.07)


def test_width_leaves_ignored_pixels_out():
    label = np.where(voronoi(3), BOUNDARY, GRAIN).astype(np.uint8)
    full = line_width_px(label)
    label[:, :200] = IGNORE
    assert line_width_px(label) == pytest.approx(full, rel=0.03)


def test_width_is_the_same_after_flips_and_turns():
    boundary = voronoi(3)
    for turned in (boundary.T, boundary[::-1], np.rot90(boundary)):
        assert width_of(turned) == pytest.approx(width_of(boundary), rel=1e-9)


def test_no_line_has_no_width():
    with pytest.raises(ValueError, match="no line width"):
        line_width_px(np.full((8, 8), IGNORE, np.uint8))
