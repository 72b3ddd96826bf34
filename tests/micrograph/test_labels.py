from pathlib import Path

import numpy as np
import pytest
from skimage.draw import line

from grainseg.errors import GrainsegError
from grainseg.micrograph.crop import Crop
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE
from grainseg.micrograph.labels import LABEL_KINDS, LabelSpec, fit_to_image, line_width_px, to_label


def test_unknown_kind_lists_the_kinds():
    with pytest.raises(GrainsegError, match=r"data\.label_kind=drawing.*" + ", ".join(LABEL_KINDS)):
        LabelSpec(kind="drawing")


def test_one_value_cannot_be_boundary_and_ignored():
    with pytest.raises(GrainsegError, match=r"data\.ignore_value=255.*data\.boundary_value"):
        LabelSpec(boundary_value=255, ignore_value=255)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width_px": 3}, r"data\.label_width_px=3: must be null .*=boundary.*thin drawings are .*=lines"),
        ({"kind": "lines"}, r"data\.label_width_px=null: .*such as data\.label_width_px=3"),
        ({"kind": "instances"}, r"data\.label_width_px=null: data\.label_kind=instances"),
        ({"kind": "lines", "width_px": 0}, r"data\.label_width_px=0"),
        ({"zero": "boundary"}, r"data\.zero=boundary: must be null for data\.label_kind=boundary"),
        ({"kind": "lines", "width_px": 3, "zero": "ignored"}, r"data\.zero=ignored: must be null"),
        (
            {"kind": "instances", "width_px": 3, "zero": "pores"},
            r"data\.zero=pores: must be null or one of boundary, ignored",
        ),
        (
            {"kind": "instances", "width_px": 3, "zero": "boundary", "ignore_value": 0},
            r"data\.zero=boundary: 0 is data\.ignore_value, too",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_named(settings, message):
    with pytest.raises(GrainsegError, match=message):
        LabelSpec(**settings)


def test_a_map_of_grains_has_no_boundary_value():
    assert LabelSpec(kind="instances", width_px=3, boundary_value=255, ignore_value=255).ignore_value == 255


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


@pytest.mark.parametrize("width", [2, 3, 5])
@pytest.mark.parametrize("period", [40, 80])
def test_ignored_pixels_that_cut_the_lines_off_do_not_change_their_width(width, period):
    """Strips of judged and of ignored pixels: with their cuts the lines would seem up to 20 % thinner."""
    label = np.where(voronoi(width), BOUNDARY, GRAIN).astype(np.uint8)
    label[:, np.arange(500) % period < period // 2] = IGNORE
    assert line_width_px(label) == pytest.approx(width, rel=0.05)


def test_lines_between_ignored_pixels_have_a_width():
    label = np.full((60, 60), GRAIN, np.uint8)
    label[20:29] = IGNORE
    label[23:26] = BOUNDARY
    assert line_width_px(label) == pytest.approx(3, rel=0.1)


def drawing():
    values = np.zeros((80, 90), np.uint8)
    values[40], values[:, 45] = 255, 255
    return values


def test_thin_lines_are_drawn_at_their_declared_width():
    for width in (1, 3, 5):
        label = to_label(drawing(), Path("a.png"), LabelSpec("lines", width_px=width))
        assert (label[:, 10] == BOUNDARY).sum() == width
        assert set(np.unique(label)) == {GRAIN, BOUNDARY}


def test_an_ignored_part_of_a_drawing_stays_ignored():
    """The line reaches up to it; what a line within it could cover is not said to be grain."""
    values = drawing()
    values[:, 60:] = 9
    label = to_label(values, Path("a.png"), LabelSpec("lines", ignore_value=9, width_px=3))
    assert (label[:, 60:] == IGNORE).all()
    assert (label[39:42, 59] == BOUNDARY).all()
    assert (label[:35, 58:60] == IGNORE).all()
    assert (label[:35, 50:57] == GRAIN).all()


def test_wide_lines_are_no_thin_drawing():
    values = np.repeat(np.repeat(drawing(), 4, axis=0), 4, axis=1)
    with pytest.raises(
        GrainsegError, match=r"a\.png: its lines are 4\.\d px wide.*data\.label_kind=boundary"
    ):
        to_label(values, Path("a.png"), LabelSpec("lines", width_px=3))


def test_lines_that_leave_no_grain_are_refused():
    values = np.zeros((60, 60), np.uint8)
    values[::6] = 255
    assert (to_label(values, Path("a.png"), LabelSpec("lines", width_px=3)) == GRAIN).any()
    with pytest.raises(GrainsegError, match=r"data\.label_width_px=5 cover 8\d %.*lower it"):
        to_label(values, Path("a.png"), LabelSpec("lines", width_px=5))


@pytest.mark.parametrize(("shape", "times"), [((20, 30), 2), ((8, 12), 5), ((20, 31), 0), ((80, 120), 0)])
def test_a_mask_at_a_whole_fraction_of_the_image_is_refused_with_how_to_enlarge_it(shape, times):
    with pytest.raises(GrainsegError, match="export the mask at the image's size") as error:
        fit_to_image(np.zeros(shape, np.uint8), Path("a.png"), (40, 60))
    assert ("enlarge it" in str(error.value)) == (times > 0)
    assert times == 0 or f"or enlarge it {times} × by repeating pixels" in str(error.value)


def test_a_mask_of_the_whole_image_is_cropped_with_it() -> None:
    values = np.arange(20).reshape(4, 5)
    cropped = fit_to_image(values, Path("a.png"), (3, 3), Crop(top=1, left=2))
    np.testing.assert_array_equal(cropped, values[1:, 2:])


def test_ignored_pixels_do_not_hide_a_wrong_polarity() -> None:
    values = np.full((20, 20), 128)
    values[:2], values[0, :9] = 255, 0
    with pytest.raises(GrainsegError, match="78 % of the labelled pixels"):
        to_label(values, Path("a.png"), LabelSpec(ignore_value=128))
