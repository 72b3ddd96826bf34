"""Batches of material with a known truth, for the tests of statistics."""

import math

import numpy as np

from grainseg.grains.batches.samples import FieldSample

SD_LN = 0.45


def field(name, intercept, diameters=(1.0, 2.0, 3.0), *, length=4000.0, weights=None, open_share=1.0):
    diameters = np.asarray(diameters, np.float64)
    weights = np.ones(diameters.size) if weights is None else np.asarray(weights, np.float64)
    crossings = length / intercept
    return FieldSample(name, length, crossings, open_share * crossings, diameters, weights)


def batch(seed, fields, median=20.0, *, scatter=0.06, grains=150, scale=1.0):
    """Fields of log-normal grains that scatter by `scatter` (sd of ln), with 3 % more of the intercepts."""
    rng = np.random.default_rng(seed)
    samples = []
    for index in range(fields):
        centre = math.log(median) + scatter * rng.standard_normal()
        diameters = np.exp(centre + SD_LN * rng.standard_normal(grains))
        intercept = math.exp(centre + 0.03 * rng.standard_normal())
        samples.append(field(f"field_{index}", scale * intercept, scale * diameters, length=4000 * scale))
    return samples
