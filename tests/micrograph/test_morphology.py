import numpy as np

from grainseg.micrograph.morphology import near, skeleton

EMPTY = np.zeros((20, 30), np.bool_)


def test_skeleton_is_thin_and_near_includes_its_own_distance():
    mask = EMPTY.copy()
    mask[9:12, 5:25] = True
    line = skeleton(mask)
    assert line.dtype == np.bool_
    assert not np.any(line & ~mask)
    assert line.sum(axis=0).max() == 1

    point = EMPTY.copy()
    point[10, 10] = True
    assert near(point, 2).sum() == 13
    assert near(point, np.sqrt(5)).sum() == 21
    assert not near(EMPTY, 100).any()
