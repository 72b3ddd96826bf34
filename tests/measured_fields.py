"""Grain maps, and what is asked of a measured field, for the tests of measuring and of its flags."""

import numpy as np
from tessellations import poisson_voronoi

from grainseg.micrograph.image import PixelSize

HALF_UM = PixelSize(0.5, 0.5, "given by the user")


def cells(seed=0, shape=(300, 300), mean_area=400.0, step=(1.0, 1.0)):
    side = max(shape[0] * step[0], shape[1] * step[1])
    return poisson_voronoi(np.random.default_rng(seed), side, mean_area).grain_map((0, 0), shape, step)


def flagged(field, words):
    return any(words in flag for flag in field.flags)
