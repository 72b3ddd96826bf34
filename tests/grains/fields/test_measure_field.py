import math
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from measured_fields import HALF_UM, cells, flagged

from grainseg.grains.closing.partition import partition_mask
from grainseg.grains.fields.measure_field import measure_field
from grainseg.grains.fields.measurement import FieldMeasurement
from grainseg.grains.labels.structure import Structure
from grainseg.grains.measuring import astm
from grainseg.grains.measuring.grain_table import grain_table
from grainseg.grains.measuring.intercepts import mean_intercept_px
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.image import PixelSize


def numbers(field):
    """Every figure of a measurement that has none of its arrays."""
    values = [getattr(field, name) for name in dir(FieldMeasurement) if not name.startswith("_")]
    return [value for value in values if isinstance(value, float)]


@dataclass(frozen=True)
class Closed:
    """What `measure_field` takes from a partition."""

    closed: np.ndarray
    open_ends: int
    closed_length_px: float
    pinholes: int = 0
    drawn: bool = True


def test_a_good_field_has_no_flags():
    field = measure_field("a", cells(), HALF_UM)
    assert field.flags == ()
    assert (field.image, field.height_px, field.width_px, field.unit_um) == ("a", 300, 300, 0.5)
    assert field.count == len(field.grains) > 200
    assert field.counted_area_px == 300 * 300
    assert field.ala_area_px == field.grains.area_px.max()
    assert field.mean_intercept_px == mean_intercept_px(cells())
    assert (field.closed_share, field.open_ends, field.open_ends_per_mm) == (None, None, None)
    assert (field.closed_length_px, field.mean_intercept_px_without_closed) == (None, None)
    assert field.enlarged == 1
    assert field.diagonal_deg == 45
    assert 1 <= field.anisotropy < 1.2


def test_g_is_that_of_the_lengths_in_mm():
    field = measure_field("a", cells(), HALF_UM)
    mm = 0.0005
    assert field.g_intercept == astm.g_from_mean_intercept(field.mean_intercept_px * mm)
    assert field.g_circles == astm.g_from_mean_intercept(field.circles.mean * mm)
    assert field.g_saltikov == pytest.approx(astm.g_from_grain_density(field.n_a_saltikov / mm**2))
    assert field.g_jeffries == pytest.approx(astm.g_from_grain_density(field.n_a_jeffries / mm**2))
    assert field.g_triple == pytest.approx(astm.g_from_grain_density(field.n_a_triple / mm**2))
    assert field.g_ala == pytest.approx(astm.g_from_area(field.ala_area_px * mm**2))
    assert field.g_ala < field.g_saltikov < field.g_intercept
    # Voronoi cells of 400 px² of 0.25 µm²: 10 000 per mm².
    assert field.g_saltikov == pytest.approx(astm.g_from_grain_density(10_000), abs=0.15)
    assert field.g_intercept - field.g_saltikov == pytest.approx(0.36, abs=0.15)


def test_g_scales_with_the_pixel_size():
    small, large = (measure_field("a", cells(), PixelSize(size, size, "")) for size in (0.25, 0.5))
    for name in ("g_intercept", "g_circles", "g_saltikov", "g_jeffries", "g_triple", "g_ala"):
        assert getattr(small, name) - getattr(large, name) == pytest.approx(2)


def test_without_a_pixel_size_there_is_no_g():
    field = measure_field("a", cells(), None)
    assert field.unit_um is None
    assert {field.g_intercept, field.g_circles, field.g_saltikov, field.g_triple, field.g_ala} == {None}
    assert flagged(field, "pixel_size_um=0.25")
    assert field.mean_intercept_px == measure_field("a", cells(), HALF_UM).mean_intercept_px


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud, np.rot90, np.transpose], ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(240, 240), (201, 260)])
def test_flips_and_turns_change_nothing(turn, shape):
    grains = cells(1, shape)
    grains[50:70, 80:110] = 0
    one, other = measure_field("a", grains, HALF_UM), measure_field("a", turn(grains), HALF_UM)
    assert numbers(one) == pytest.approx(numbers(other), rel=1e-9, nan_ok=True)
    assert one.flags == other.flags


def test_pixels_that_are_not_square():
    """The same field, its rows twice as far apart: the same measurement within the coarser sampling."""
    square = measure_field("a", cells(2, (800, 800), 900.0), HALF_UM)
    grains = cells(2, (400, 800), 900.0, step=(2.0, 1.0))
    oblong = measure_field("a", grains, PixelSize(1.0, 0.5, "given by the user"))
    assert oblong.unit_um == 0.5
    assert flagged(oblong, "not square (1 µm high, 0.5 µm wide)")
    assert oblong.counted_area_px == square.counted_area_px
    assert oblong.count == pytest.approx(square.count, abs=3)
    for name in ("g_intercept", "g_saltikov", "g_jeffries", "g_triple", "g_ala"):
        assert getattr(oblong, name) == pytest.approx(getattr(square, name), abs=0.03)
    np.testing.assert_allclose(
        np.median(oblong.grains.feret_px), np.median(square.grains.feret_px), rtol=0.02
    )
    assert oblong.anisotropy < 1.1
    assert oblong.diagonal_deg == pytest.approx(math.degrees(math.atan2(2, 1)))
    assert oblong.elongation < 1.1


def test_ignored_area_is_neither_area_nor_line():
    grains = cells(3)
    hidden = np.zeros(grains.shape, bool)
    hidden[100:160, 40:120] = True
    field, whole = measure_field("a", grains, HALF_UM, ignored=hidden), measure_field("a", grains, HALF_UM)
    assert field.counted_area_px == 300 * 300 - 60 * 80
    assert all(0 < a.length < b.length for a, b in zip(field.lines, whole.lines, strict=True))
    assert field.mean_intercept_px == pytest.approx(whole.mean_intercept_px, rel=0.03)
    assert math.isnan(field.n_a_saltikov)
    assert math.isnan(field.n_a_jeffries)
    assert field.n_a_triple == pytest.approx(whole.n_a_triple, rel=0.03)
    assert flagged(field, "5.3 % of the field is not counted")
    assert not flagged(field, "several pieces")


def test_scratches_that_nobody_judged_leave_the_intercept():
    """Five scratches of 6 px; grains that one cuts are left out of the sizes, not made smaller."""
    grains = cells(12, (1000, 1000), 400.0)
    y, x = np.indices(grains.shape)
    hidden = np.zeros(grains.shape, bool)
    for offset, slope in ((100, 0.0), (300, 0.4), (700, -0.3), (500, 1.2), (900, -0.9)):
        hidden |= np.abs(y - offset - slope * (x - 500)) < 3 * math.hypot(1, slope)
    whole, field = measure_field("a", grains, HALF_UM), measure_field("a", grains, HALF_UM, ignored=hidden)
    assert field.mean_intercept_px == pytest.approx(whole.mean_intercept_px, rel=0.01)
    means = [np.average(f.grains.ecd_px, weights=f.grains.weight) for f in (whole, field)]
    assert means[1] == pytest.approx(means[0], rel=0.01)  # by the frame's weights alone it is 2 % smaller
    assert math.isnan(field.n_a_saltikov)
    assert math.isnan(field.g_jeffries)
    assert field.n_a_triple == pytest.approx(whole.n_a_triple, rel=0.03)
    assert flagged(field, "there are no grains per area by Saltikov and Jeffries")
    assert not flagged(whole, "nobody judged")
    assert not flagged(field, "look at the overlay")


def test_pores_end_grains_and_have_no_triple_points():
    grains = cells(3)
    grains[100:110, 40:50] = 0
    field = measure_field("a", grains, HALF_UM)
    assert field.counted_area_px == 300 * 300 - 100
    assert math.isnan(field.n_a_triple)
    assert not math.isnan(field.n_a_saltikov)
    assert not field.grains.touches_border[field.grains.id == grains[99, 45]].any()


@pytest.mark.parametrize("how", ["excluded", "zero"])
def test_a_masked_data_bar_leaves_the_field_above_it(how):
    grains = cells(4)
    bar = grains.copy()
    hidden = np.zeros(grains.shape, bool)
    if how == "zero":
        bar[260:] = 0
    hidden[260:] = True
    above = measure_field("a", grains[:260], HALF_UM)
    field = measure_field("a", bar, HALF_UM, ignored=hidden if how == "excluded" else None)
    assert field.flags == above.flags
    assert numbers(field) == pytest.approx(numbers(above))
    np.testing.assert_array_equal(field.grains.weight, above.grains.weight)


def test_closed_boundaries_and_open_ends():
    grains = cells(5)
    closed = np.zeros(grains.shape, bool)
    closed[:, :60] = True
    field = measure_field("a", grains, HALF_UM, partition=Closed(closed, 12, 345.0))
    assert field.closed_share == pytest.approx(60 / 300, abs=0.03)
    assert field.closed_length_px == 345
    assert field.line_width_px is None
    assert measure_field("a", grains, HALF_UM, line_width_px=3.0).line_width_px == 3
    assert field.mean_intercept_px_without_closed == pytest.approx(
        field.mean_intercept_px / (1 - field.closed_share)
    )
    (flag,) = [flag for flag in field.flags if "closed by the partition" in flag]
    assert flag.startswith(f"{100 * field.closed_share:.0f} % of the boundaries that the test lines cross")
    closed[:, 30:] = False
    fewer = measure_field("a", grains, HALF_UM, partition=Closed(closed, 12, 345.0))
    assert 0 < fewer.closed_share < 0.15
    assert not any("closed by the partition" in flag for flag in fewer.flags)
    length_mm = math.pi / 2 * 300 * 300 / field.mean_intercept_px * 0.0005
    assert field.open_ends_per_mm == pytest.approx(12 / length_mm)


def test_a_real_partition():
    grains = cells(6, (200, 200), 600.0)
    partition = partition_mask(boundary_lines(grains.astype(np.int32), 3) == 1)
    field = measure_field("a", partition.grains, HALF_UM, partition=partition)
    assert field.closed_share == pytest.approx(0, abs=0.05)
    assert field.open_ends_per_mm is not None
    assert field.mean_intercept_px == pytest.approx(mean_intercept_px(grains), rel=0.1)


def test_no_grain_one_grain_and_two():
    for empty in (np.zeros((20, 30), np.uint32), np.zeros((0, 0), np.uint32)):
        field = measure_field("a", empty, HALF_UM)
        assert flagged(field, "no grain in the field")
        assert (field.count, field.counted_area_px) == (0, 0)
        assert all(math.isnan(value) for value in (field.mean_intercept_px, field.g_intercept, field.g_ala))
    hidden = measure_field("a", np.ones((20, 30), np.uint32), HALF_UM, ignored=np.ones((20, 30), bool))
    assert hidden.count == 0

    one = measure_field("a", np.full((20, 30), 4), HALF_UM)
    assert flagged(one, "one grain only")
    undefined = (one.g_intercept, one.g_circles, one.g_saltikov, one.g_jeffries, one.g_triple, one.anisotropy)
    assert all(math.isnan(value) for value in undefined)
    assert one.ala_area_px == 600

    pore = np.full((60, 60), 4)
    pore[20:35, 20:40] = 0
    one = measure_field("a", pore, HALF_UM)
    assert one.flags == (*measure_field("a", np.full((20, 30), 4), HALF_UM).flags, *one.flags[-1:])
    undefined = (one.mean_intercept_px, one.g_intercept, one.g_circles, one.g_saltikov, one.anisotropy)
    assert all(math.isnan(value) for value in (*undefined, one.elongation, one.circles.mean))
    assert one.counted_area_px == 60 * 60 - 15 * 20

    apart = np.zeros((20, 30), np.uint32)
    apart[2:5, 2:5], apart[10:15, 20:25] = 1, 2
    assert flagged(measure_field("a", apart, HALF_UM), "grain count 1, cut grains as halves: ASTM")


@pytest.mark.parametrize("factor", [2, 3])
def test_a_map_enlarged_by_repeating_pixels_is_measured_at_its_own_step(factor):
    grains = cells(13, (200, 240), 200.0)
    grains[60:80, 100:130] = 0
    large = grains.repeat(factor, axis=0).repeat(factor, axis=1)
    hidden = np.zeros(grains.shape, bool)
    hidden[:, 200:205] = True
    wide = hidden.repeat(factor, axis=0).repeat(factor, axis=1)
    for mask, its in ((None, None), (hidden, wide)):
        one, other = (
            measure_field("a", grains, HALF_UM, ignored=mask, line_width_px=3.0),
            measure_field("a", large, HALF_UM, ignored=its, line_width_px=3.0 * factor),
        )
        assert other.enlarged == factor
        assert (one.line_width_px, other.line_width_px) == pytest.approx((3.0, 3.0 * factor))
        assert (other.height_px, other.width_px, other.count) == (*large.shape, one.count)
        assert other.mean_intercept_px == pytest.approx(factor * one.mean_intercept_px, rel=1e-12)
        assert other.circles.mean == pytest.approx(factor * one.circles.mean, rel=1e-12)
        assert other.counted_area_px == factor**2 * one.counted_area_px
        np.testing.assert_allclose(other.grains.area_px, factor**2 * one.grains.area_px)
        np.testing.assert_allclose(other.grains.feret_px, factor * one.grains.feret_px)
        np.testing.assert_allclose(other.grains.weight, one.grains.weight)
        for name in ("n_a_saltikov", "n_a_jeffries", "n_a_triple"):
            expected = getattr(one, name) / factor**2
            assert getattr(other, name) == pytest.approx(expected, rel=1e-12, nan_ok=True)
        assert flagged(other, f"enlarged {factor} times by repeating pixels")
        assert not flagged(one, "enlarged")


def test_gaps_in_the_ids_change_nothing():
    grains = cells(10)
    one, other = measure_field("a", grains, HALF_UM), measure_field("a", grains * 1000, HALF_UM)
    np.testing.assert_array_equal(other.grains.id, 1000 * one.grains.id)
    assert numbers(one) == numbers(other)


def test_misuse_is_refused():
    grains = cells()
    for bad in (grains.astype(float), -grains.astype(np.int64), grains[None]):
        with pytest.raises(ValueError, match=r"grain map|negative"):
            measure_field("a", bad, HALF_UM)
    with pytest.raises(ValueError, match="shape"):
        measure_field("a", grains, HALF_UM, ignored=np.zeros((2, 2), bool))
    for size in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="pixel of"):
            measure_field("a", grains, PixelSize(size, 0.5, ""))


def test_the_declared_structure_is_part_of_the_same_door():
    assert Structure("drawn").flags


def test_the_table_is_that_of_the_map():
    grains = cells(11)
    table, field = grain_table(grains), measure_field("a", grains, None)
    for name in (column.name for column in fields(table)):
        np.testing.assert_array_equal(getattr(field.grains, name), getattr(table, name))
    assert replace(field, flags=()).flags == ()
