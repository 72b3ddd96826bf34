"""Greys and textures of the grains, which distinguish them where no groove does."""

import math

import numpy as np
import numpy.typing as npt

from grainseg.micrograph.drawing import GrainMap
from grainseg.micrograph.image import FloatImage
from grainseg.micrograph.wide.draw import Drawn
from grainseg.micrograph.wide.noise import (
    as_float32,
    blur,
    fractal_noise,
    pixel_positions,
    smooth_noise,
    white_noise,
)
from grainseg.micrograph.wide.regions import means, spread
from grainseg.micrograph.wide.structure import Structure

_PROFILE = 2048  # number of samples of the profile across the streaks
_SAMPLES_PER_PERIOD = 8
_BANKS_PX = (0.7, 1.5, 3.5)  # scales of the isotropic textures


def grain_surface(structure: Structure, drawn: Drawn, rng: np.random.Generator) -> FloatImage:
    """Render the polished grains without grooves.

    Args:
        structure: The section.
        drawn: Properties of the picture.
        rng: Random generator.

    Returns:
        (H, W) float32 grey, about within [0, 1].
    """
    regions = structure.regions
    if drawn.contrast == "texture":
        deviation = 0.0
    else:
        deviation = drawn["grain_contrast"] if drawn.has_greys else drawn["residual_contrast"]
    grey = _greys(regions, deviation, rng)
    contrast = drawn["texture_contrast"] if drawn.contrast == "texture" else drawn["striation"]
    textured = contrast * _grain_textures(regions, drawn["striation_period_px"], rng)
    textured += drawn["mottle"] * _mottle(regions, drawn["grain_px"], rng)
    if drawn["slope"] > 0:
        textured += _slopes(regions, drawn["slope"], rng)
    # The texture must not make one grain lighter than another.
    textured -= spread(regions, means(regions, textured))
    surface = drawn["brightness"] + blur(grey, drawn["softness_px"]) + textured
    surface += drawn["texture"] * _common_texture(regions, drawn["texture_px"], rng)
    if drawn["haze"] > 0:
        surface += drawn["haze"] * fractal_noise(regions.shape, max(regions.shape) / 3, 3, rng)
    if structure.phase.any():
        _draw_phase(surface, structure, drawn, rng)
    picture: FloatImage = surface.astype(np.float32)
    return picture


def _greys(regions: GrainMap, deviation: float, rng: np.random.Generator) -> FloatImage:
    """Draw a grey for each region, by its orientation.

    The distribution of greys lies between normal and nearly two-valued, as different etchants produce it.
    """
    count = int(regions.max()) + 1
    normal, sides = rng.standard_normal(count), rng.choice([-1.0, 1.0], count)
    two_valued = rng.beta(0.5, 1.5)
    return spread(regions, deviation * (math.sqrt(1 - two_valued) * normal + math.sqrt(two_valued) * sides))


def _slopes(regions: GrainMap, deviation: float, rng: np.random.Generator) -> FloatImage:
    """Draw a gradual change of grey across each region: strain, a tilted or rounded facet."""
    count = int(regions.max()) + 1
    size = np.sqrt(np.maximum(np.bincount(regions.ravel(), minlength=count), 1))
    total = np.zeros(regions.shape, np.float32)
    for position in np.indices(regions.shape, np.float32):
        total += spread(regions, deviation / size * rng.standard_normal(count)) * position
    return total


def _grain_textures(regions: GrainMap, period_px: float, rng: np.random.Generator) -> FloatImage:
    """Draw textures of unit strength that differ from region to region.

    Some regions have streaks in a direction of their own, sampled from one common profile; the others have
    isotropic noise of one of three scales. Each has its own strength and, for streaks, its own period.
    """
    count = int(regions.max()) + 1
    strength = np.exp(rng.uniform(0.1, 0.5) * rng.standard_normal(count))
    streaked = rng.random(count) < rng.choice([0.3, 0.7, 1.0])
    streaks = _streaks(regions, period_px, rng)
    bank = rng.integers(0, len(_BANKS_PX), count)
    isotropic = np.zeros(regions.shape, np.float32)
    for number, scale_px in enumerate(_BANKS_PX):
        isotropic += spread(regions, (bank == number).astype(np.float32)) * smooth_noise(
            regions.shape, scale_px, rng
        )
    mixed = np.where(spread(regions, streaked) > 0, streaks, isotropic)
    textures: FloatImage = spread(regions, strength) * mixed
    return textures


def _streaks(regions: GrainMap, period_px: float, rng: np.random.Generator) -> FloatImage:
    """Draw parallel streaks in each region's direction, perhaps bent, uneven in spacing and strength."""
    count = int(regions.max()) + 1
    angle = rng.uniform(0, math.pi, count)
    period = np.maximum(period_px * np.exp(0.4 * rng.standard_normal(count)), 2.0)
    y, x = pixel_positions(regions.shape)
    bend = np.float32(rng.choice([0.0, 0.7, 2.5])) * smooth_noise(regions.shape, 20.0, rng)
    phase = spread(regions, np.cos(angle) / period) * (x + bend)
    phase += spread(regions, np.sin(angle) / period) * (y + bend)
    profile = _profile(rng)
    place = (phase * _SAMPLES_PER_PERIOD).astype(np.int32) % _PROFILE
    along = 1 + np.float32(rng.uniform(0, 0.5)) * smooth_noise(regions.shape, 5.0, rng)
    streaks: FloatImage = profile[place] * along
    return streaks


def _profile(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Draw the grey across the streaks: a mix of a regular wave and noise, with standard deviation 1."""
    regularity = rng.random()
    wave = np.sin(2 * math.pi * np.arange(_PROFILE) / _SAMPLES_PER_PERIOD)
    noise = blur(white_noise((1, _PROFILE), rng), 0.25 * _SAMPLES_PER_PERIOD).ravel()
    mixed = regularity * math.sqrt(2) * wave + (1 - regularity) * noise / max(float(noise.std()), 1e-6)
    return as_float32(mixed / mixed.std())


def _mottle(regions: GrainMap, size_px: float, rng: np.random.Generator) -> FloatImage:
    """Draw irregular patches within the grains, which stop at their boundaries."""
    field = fractal_noise(regions.shape, min(max(0.2 * size_px, 2.0), 15.0), 3, rng)
    strength = np.exp(0.6 * rng.standard_normal(int(regions.max()) + 1))
    # The sign varies from grain to grain, so that the patches do not continue across boundaries.
    sign = rng.choice([-1.0, 1.0], strength.size)
    patches: FloatImage = spread(regions, strength * sign) * field
    return patches


def _common_texture(regions: GrainMap, scale_px: float, rng: np.random.Generator) -> FloatImage:
    """Draw isotropic texture in all regions, a little stronger in some."""
    strength = np.exp(0.25 * rng.standard_normal(int(regions.max()) + 1))
    texture: FloatImage = spread(regions, strength) * smooth_noise(regions.shape, scale_px, rng)
    return texture


def _draw_phase(surface: FloatImage, structure: Structure, drawn: Drawn, rng: np.random.Generator) -> None:
    """Paint the second phase, in place: a grey of its own, plain, with lamellae or with a grainy texture."""
    shape = surface.shape
    period = rng.uniform(2.5, 6.0)
    y, x = pixel_positions(surface.shape)
    angle = rng.uniform(0, math.pi)
    bend = 3 * smooth_noise(shape, 6.0, rng)
    lamellae = np.sin((math.cos(angle) * x + math.sin(angle) * y + bend) * (2 * math.pi / period))
    kind = rng.integers(0, 3)
    inside = (0.0, 0.12 * lamellae, 0.12 * smooth_noise(shape, 1.0, rng))[kind]
    phase = drawn["brightness"] + drawn["second_phase_grey"] + inside
    cover = blur(structure.phase.astype(np.float32), 0.5)
    surface += cover * (phase - surface)
