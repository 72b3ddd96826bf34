import numpy as np

from grainseg.grains.measuring.intercepts import mean_intercept_px
from grainseg.grains.trust.lost_boundaries import without_lost_boundaries
from grainseg.micrograph.plain.polycrystal import polycrystal


def stripes():
    """Four grains of 30 x 10 px, with ids that leave gaps."""
    return np.repeat(np.array([7, 3, 20, 5], np.int64), 10)[None, :].repeat(30, axis=0)


def lost(rows, columns):
    mask = np.zeros((30, 40), np.bool_)
    mask[rows, columns] = True
    return mask


def test_nothing_lost_changes_nothing():
    grains = polycrystal(0, (80, 90), 20.0, 0.3, 1)
    left = without_lost_boundaries(grains, np.zeros(grains.shape, np.bool_))
    assert left.max() == grains.max()
    assert mean_intercept_px(left) == mean_intercept_px(grains)


def test_a_boundary_goes_that_is_lost_for_more_than_half_of_it():
    for rows, count in ((15, 4), (16, 3)):
        left = without_lost_boundaries(stripes(), lost(slice(rows), slice(5, 15)))
        assert len(np.unique(left)) == count
        assert (left[0, 0] == left[0, 10]) == (count == 3)


def test_both_sides_of_a_boundary_have_to_be_lost():
    assert without_lost_boundaries(stripes(), lost(slice(None), slice(10))).max() == 4


def test_grains_are_joined_across_others():
    left = without_lost_boundaries(stripes(), lost(slice(None), slice(5, 25)))
    assert [len(np.unique(left[:, part])) for part in (slice(30), slice(40))] == [1, 2]


def test_where_there_is_no_grain_nothing_is_joined():
    grains = stripes()
    grains[:, 10:20] = 0
    left = without_lost_boundaries(grains, np.ones((30, 40), np.bool_))
    np.testing.assert_array_equal(left == 0, grains == 0)
    assert left[0, 0] != left[0, 20] == left[0, 30]


def test_what_loses_all_is_one_grain_and_one_grain_loses_nothing():
    everything = np.ones((30, 40), np.bool_)
    assert without_lost_boundaries(stripes(), everything).max() == 1
    assert without_lost_boundaries(np.ones((30, 40), np.int64), everything).max() == 1
