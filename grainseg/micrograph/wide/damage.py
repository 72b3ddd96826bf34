"""Pits, holes, pores, scratches and stains: features of the section that are no boundaries."""

import math

import cv2
import numpy as np

from grainseg.micrograph.arrays import Ints
from grainseg.micrograph.image import FloatImage
from grainseg.micrograph.wide.draw import Drawn
from grainseg.micrograph.wide.noise import as_float32, blobs, blur, fractal_noise, smooth_noise
from grainseg.micrograph.wide.regions import Cracks

_SUBPIXEL_BITS = 4  # OpenCV draws lines at sixteenths of a pixel
_PIT_KINDS = ((0.7, 0.6, 0.5), (0.22, 1.0, 0.7), (0.08, 2.0, 0.8))  # share, radius in px, darkness
_HOLES = 0.03  # number of holes per pit
_ACROSS = 0.4  # share of the scratches that run from edge to edge


def damage(surface: FloatImage, cracks: Cracks, drawn: Drawn, rng: np.random.Generator) -> FloatImage:
    """Damage a surface.

    Args:
        surface: (H, W) grey.
        cracks: Its boundaries, along which some pits lie.
        drawn: Properties of the picture.
        rng: Random generator.

    Returns:
        (H, W) float32 grey.
    """
    damaged = surface
    shape = (surface.shape[0], surface.shape[1])
    if drawn["stains"] > 0:
        damaged = damaged + drawn["stains"] * _stains(shape, rng)
    if drawn["scratches_per_mpx"] > 0:
        damaged = _towards(damaged, _scratches(shape, drawn["scratches_per_mpx"], rng), rng.random() < 0.7)
    anywhere = rng.integers(0, surface.size, _count(surface, drawn["pits_per_mpx"], rng))
    dark = rng.random() < 0.85
    damaged = _towards(damaged, _pits(shape, anywhere, rng), dark)
    damaged = _towards(damaged, _holes(shape, anywhere, rng), dark)
    pitting = drawn["boundary_pits_per_mpx"] + 3000 * drawn["over_etching"] * drawn.has_grooves
    at_boundary = _near_cracks(cracks, _count(surface, pitting, rng), rng)
    damaged = _towards(damaged, _pits(shape, at_boundary, rng), drawn.polarity == "dark")
    if drawn["pores"] > 0:
        pores = blobs(shape, rng.uniform(2.5, 9.0), drawn["pores"], rng)
        damaged = _towards(damaged, 0.85 * blur(pores.astype(np.float32), 0.6), True)
    picture: FloatImage = damaged.astype(np.float32)
    return picture


def _towards(surface: FloatImage, cover: FloatImage, black: bool) -> FloatImage:
    """Blend a surface towards black or white by a cover of 0-1."""
    cover = np.clip(cover, 0, 0.95)
    moved: FloatImage = surface * (1 - cover) if black else surface + (1 - surface) * cover
    return moved


def _count(surface: FloatImage, per_mpx: float, rng: np.random.Generator) -> int:
    return int(rng.poisson(per_mpx * surface.size / 1e6))


def _near_cracks(cracks: Cracks, count: int, rng: np.random.Generator) -> Ints:
    """Draw flat indices of ``count`` pixels on boundaries; none if there are no boundaries."""
    candidates = np.flatnonzero(cracks.distance_px < 1)
    if candidates.size == 0 or count == 0:
        return np.zeros(0, np.int64)
    return rng.choice(candidates, count)


def _pits(shape: tuple[int, int], places: Ints, rng: np.random.Generator) -> FloatImage:
    """Draw the cover of round spots at flat indices: many small ones, some larger."""
    cover = np.zeros(shape, np.float32)
    if places.size == 0:
        return cover
    kind = rng.choice(len(_PIT_KINDS), places.size, p=[share for share, _, _ in _PIT_KINDS])
    strength = rng.uniform(0.2, 1.0, places.size).astype(np.float32)
    for number, (_, radius_px, darkness) in enumerate(_PIT_KINDS):
        spots = np.zeros(shape, np.float32)
        # A Gaussian of unit sum has the height 1 / (2π r²).
        spots.flat[places[kind == number]] = darkness * 2 * math.pi * radius_px**2 * strength[kind == number]
        cover += blur(spots, radius_px)
    return cover


def _holes(shape: tuple[int, int], pits: Ints, rng: np.random.Generator) -> FloatImage:
    """Draw the cover of roundish, sharp-edged spots at a few of the pits: etch pits, bubbles, inclusions."""
    canvas = np.zeros(shape, np.uint8)
    for place in pits[rng.random(pits.size) < _HOLES]:
        centre = np.array([place % shape[1], place // shape[1]]) * 2**_SUBPIXEL_BITS
        radius = math.exp(rng.uniform(math.log(1.5), math.log(9.0)))
        axes = np.rint(radius * np.array([1.0, rng.uniform(0.6, 1.0)]) * 2**_SUBPIXEL_BITS).astype(int)
        turn, grey = rng.uniform(0, 180), int(255 * rng.uniform(0.3, 1.0))
        # Wide rings would look like enclosed grains.
        ring = radius < 5 and rng.random() < 0.4
        cv2.ellipse(
            canvas,
            centre.tolist(),
            axes.tolist(),
            turn,
            0,
            360,
            grey,
            1 if ring else cv2.FILLED,
            cv2.LINE_AA,
            _SUBPIXEL_BITS,
        )
    return blur(as_float32(canvas / 255), rng.uniform(0.3, 0.8))


def _scratches(shape: tuple[int, int], per_mpx: float, rng: np.random.Generator) -> FloatImage:
    """Draw the cover of scratches: short, from edge to edge, bent, or in families of parallel ones."""
    canvas = np.zeros(shape, np.uint8)
    count = max(1, int(rng.poisson(per_mpx * canvas.size / 1e6)))
    parallel, direction = rng.random() < 0.4, rng.uniform(0, math.pi)
    strongest = rng.uniform(0.2, 0.9)
    for _ in range(count):
        angle = direction + 0.05 * rng.standard_normal() if parallel else rng.uniform(0, math.pi)
        across = rng.random() < _ACROSS
        half = 1.5 * max(shape) if across else 0.5 * math.exp(rng.uniform(math.log(15), math.log(600)))
        bend = rng.normal(0, 0.15) / half if rng.random() < 0.4 else 0.0
        along = np.linspace(-half, half, 9)
        x = rng.uniform(0, shape[1]) + math.cos(angle) * along - math.sin(angle) * bend * along**2
        y = rng.uniform(0, shape[0]) + math.sin(angle) * along + math.cos(angle) * bend * along**2
        points = np.rint(np.column_stack([x, y]) * 2**_SUBPIXEL_BITS).astype(np.int32)
        grey = int(255 * strongest * rng.uniform(0.2, 1.0))
        thick = 1 if rng.random() < 0.8 else 2
        cv2.polylines(canvas, [points], False, grey, thick, cv2.LINE_AA, _SUBPIXEL_BITS)
    # Scratches are strong in some places and vanish in others.
    uneven = np.clip(0.9 + 0.4 * smooth_noise(shape, 15.0, rng), 0, 1)
    cover: FloatImage = blur(as_float32(canvas / 255), rng.uniform(0.3, 0.8)) * uneven
    return cover


def _stains(shape: tuple[int, int], rng: np.random.Generator) -> FloatImage:
    """Draw dried drops: patches with an edge, darker or brighter than the rest, some with a rim; about ±1."""
    field = fractal_noise(shape, rng.uniform(15.0, 60.0), 2, rng, roughness=0.3)
    level, sharpness = rng.uniform(0.3, 1.3), rng.uniform(2.0, 12.0)
    inside = 1 / (1 + np.exp(-sharpness * (field - np.float32(level))))
    rim = 4 * inside * (1 - inside)
    stains: FloatImage = rng.choice([-1.0, 1.0]) * (inside + rng.choice([0.0, 0.6]) * rim)
    return stains
