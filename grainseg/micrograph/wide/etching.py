"""Effects of the etchant along the boundaries: grooves of every kind, over-etching, relief."""

import numpy as np

from grainseg.micrograph.image import FloatImage
from grainseg.micrograph.wide.draw import Drawn
from grainseg.micrograph.wide.noise import as_float32, blur, smooth_noise
from grainseg.micrograph.wide.regions import Cracks, spread
from grainseg.micrograph.wide.structure import Structure

_DEEPEST = 0.92  # no groove is perfectly black


def etch(
    surface: FloatImage, structure: Structure, cracks: Cracks, drawn: Drawn, rng: np.random.Generator
) -> FloatImage:
    """Etch grooves and relief into a surface.

    Args:
        surface: (H, W) grey.
        structure: The section.
        cracks: Nearest cracks of its regions.
        drawn: Properties of the picture.
        rng: Random generator.

    Returns:
        (H, W) float32 grey.
    """
    etched = surface
    if drawn.has_grooves:
        depth = _groove_depth(structure, cracks, drawn, rng) * _profile(cracks, drawn, rng)
        depth = np.clip(depth, 0, _DEEPEST)
        # The depth is a share of the grey that is there, or of the difference to white.
        etched = surface * (1 - depth) if drawn.polarity == "dark" else surface + (1 - surface) * depth
        if drawn["over_etching"] > 0:
            etched = etched - 0.15 * drawn["over_etching"] * np.exp(-cracks.distance_px / 6)
    if drawn["relief"] > 0:
        etched = etched + drawn["relief"] * _relief(structure, rng)
    picture: FloatImage = etched.astype(np.float32)
    return picture


def _groove_depth(structure: Structure, cracks: Cracks, drawn: Drawn, rng: np.random.Generator) -> FloatImage:
    """Return the depth at the middle of the nearest groove, with variations and gaps along the boundary."""
    shape, pairs = cracks.pair.shape, cracks.low.size
    count = int(structure.matrix.max())
    under = drawn["under_etching"]
    # A grain that etches easily does so on all its sides.
    eagerness = rng.standard_normal(2 * count + 2)
    spread_ln = 0.4 * (eagerness[cracks.low] + eagerness[cracks.high]) + 0.82 * rng.standard_normal(pairs)
    depth = (1 - 0.6 * under) * drawn["groove_depth"] * np.exp(drawn["groove_spread_ln"] * spread_ln)
    depth[rng.random(pairs) < drawn["unetched"] + 0.35 * under] = 0
    # Coherent twin boundaries hardly etch in some metals, and as well as other boundaries in other metals.
    depth[cracks.high - cracks.low == count] *= rng.random()
    wavering = np.exp(
        drawn["groove_wavering_ln"] * (smooth_noise(shape, 9.0, rng) + 0.4 * smooth_noise(shape, 2.0, rng))
    )
    if drawn["groove_broken"] > 0:
        wavering *= _unbroken(shape, drawn["groove_broken"], rng)
    along: FloatImage = spread(cracks.pair, depth) * wavering
    return along


def _unbroken(shape: tuple[int, int], share: float, rng: np.random.Generator) -> FloatImage:
    """Return 1 along the groove and 0 in its gaps: few and long, or many and short as in a row of dots."""
    field = smooth_noise(shape, rng.choice([2.0, 4.0, 10.0]), rng)
    level = np.quantile(field[::4, ::4], share)
    return as_float32(np.clip(0.5 + 2 * (field - level), 0, 1))


def _profile(cracks: Cracks, drawn: Drawn, rng: np.random.Generator) -> FloatImage:
    """Return the cross-section of the grooves, 1 at the middle: Gaussian or flat, single or double."""
    shape = cracks.pair.shape
    pair_width = np.exp(drawn["groove_width_spread_ln"] * rng.standard_normal(cracks.low.size))
    width = drawn["groove_width_px"] * (1 + 1.5 * drawn["over_etching"]) * spread(cracks.pair, pair_width)
    width *= np.exp(0.7 * drawn["groove_width_spread_ln"] * smooth_noise(shape, 6.0, rng))
    if drawn["groove_swollen"] > 0:
        width *= 1 + drawn["groove_swollen"] * np.maximum(smooth_noise(shape, 7.0, rng) - 1.2, 0)
    distance = cracks.distance_px
    if drawn["groove_ragged_px"] > 0:
        # Ragged in some places, clean in others.
        where = np.clip(smooth_noise(shape, 14.0, rng) + 0.3, 0, 1)
        distance = abs(distance + drawn["groove_ragged_px"] * where * smooth_noise(shape, 1.3, rng))
    if drawn["groove_double_px"] > 0:
        distance = abs(distance - drawn["groove_double_px"] / 2)
        width = np.minimum(width, 0.6 * drawn["groove_double_px"])
    flatness = rng.choice([1.0, 1.0, 2.0])
    half = np.maximum(width, 0.8) / 2
    # 2^-(d / half width)^2 is 1/2 where d is half the width; the fourth power gives a flat bottom.
    profile: FloatImage = np.exp2(-((distance / half) ** (2 * flatness)))
    return profile


def _relief(structure: Structure, rng: np.random.Generator) -> FloatImage:
    """Shade slopes between grains etched to different heights, lit from one side: bright or dark flanks."""
    regions = structure.regions
    width_px = rng.uniform(0.8, 2.0)
    height = blur(spread(regions, rng.standard_normal(int(regions.max()) + 1)), width_px)
    light = rng.uniform(0, 2 * np.pi)
    down, across = np.gradient(height)
    slope: FloatImage = np.cos(light) * across + np.sin(light) * down
    return 2.5 * width_px * slope  # a blurred unit step has the slope 1 / (√2π width)
