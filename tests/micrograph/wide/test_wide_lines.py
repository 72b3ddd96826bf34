import numpy as np

from grainseg.micrograph.wide.lines import visible_grains, without_slivers


def test_grain_below_the_lines_goes_to_its_neighbours():
    cells = np.ones((40, 40), np.int32)
    cells[:, 20:] = 2
    cells[10:12, 10:12] = 3  # too small for a line of 3 px
    grains = visible_grains(cells, 3, 9)
    np.testing.assert_array_equal(np.unique(grains), [1, 2])
    np.testing.assert_array_equal(grains, np.where(cells == 2, 2, 1))


def test_grain_that_lines_cut_in_two_becomes_two():
    cells = np.ones((40, 60), np.int32)
    cells[5:35, 5:25] = 2
    cells[19:21, 25:35] = 2  # a neck of 2 px
    cells[5:35, 35:55] = 2
    grains = visible_grains(cells, 3, 9)
    assert grains.max() == 3
    assert grains[20, 15] != grains[20, 45]


def test_slivers_go_and_the_rest_stays():
    cells = np.ones((50, 50), np.int32)
    cells[:, 25:] = 2
    cells[24:26, 5:40] = 3
    rounded = without_slivers(cells, 3.0)
    np.testing.assert_array_equal(np.unique(rounded), [1, 2])
    assert (rounded[:20] == cells[:20]).mean() > 0.97
