"""Changes of light, contrast, sharpness and texture of patches; only this module uses albumentations.

The strengths suit lines of 3 px; the library's own defaults would erase such lines.
"""

import os
import random
from typing import Any

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # otherwise it looks for a newer version on the internet

import albumentations as A
import cv2
import numpy as np

from grainseg.config import AugmentConfig
from grainseg.micrograph.image import FloatImage

PROBABILITY = 0.4
"""Probability of each change whose strength is above zero; inversion has its own."""


class Photometry:
    """Random photometric changes of patches in the unit range.

    Args:
        config: Strengths; 0 (for gamma: 1) switches a change off.
    """

    def __init__(self, config: AugmentConfig) -> None:
        self._texture = config.texture
        self._contrast = config.contrast
        self._compose = A.Compose(_transforms(config))

    def __call__(self, pixels: FloatImage, rng: np.random.Generator) -> FloatImage:
        """Change one patch.

        Args:
            pixels: (H, W, C) float32 in [0, 1].
            rng: Source of randomness; it also sets the library's random state, so that the same generator
                gives the same patch in any worker process.

        Returns:
            (H, W, C) float32 in [0, 1].
        """
        if self._texture > 0 and rng.uniform() < PROBABILITY:
            pixels = np.clip(pixels + _texture(rng, pixels.shape[:2], self._texture), 0, 1)
        if self._contrast > 0 and rng.uniform() < PROBABILITY:
            factor = np.float32(rng.uniform(1 - self._contrast, 1 + self._contrast))
            pixels = np.clip(pixels.mean() + factor * (pixels - pixels.mean()), 0, 1)
        if not self._compose.transforms:
            return pixels
        # Not set_random_seed: it gives every transform the same seed, so that either all or none are applied.
        self._compose.set_random_state(rng, random.Random(int(rng.integers(2**32))))
        grey = pixels.shape[2] == 1  # some of the library's transforms drop a last axis of length 1
        changed: FloatImage = self._compose(image=pixels[:, :, 0] if grey else pixels)["image"]
        return np.clip(changed, 0, 1).astype(np.float32).reshape(pixels.shape)


def _transforms(config: AugmentConfig) -> list[A.ImageOnlyTransform]:
    """Build the changes in the order of a camera: light on the specimen, focus, sensor noise, grey scale."""
    transforms: list[A.ImageOnlyTransform] = []
    if config.illumination > 0:
        fields = [
            kind(mode=mode, intensity_range=(0.01, config.illumination), p=1)
            for kind, mode in ((A.Illumination, "linear"), (_Corner, "corner"), (A.Illumination, "gaussian"))
        ]
        transforms.append(A.OneOf(fields, p=PROBABILITY))
    if config.blur_px > 0:
        transforms.append(A.GaussianBlur(blur_limit=0, sigma_limit=(0.2, config.blur_px), p=PROBABILITY))
    if config.noise > 0:
        noises = [
            A.GaussNoise(std_range=(config.noise / 10, config.noise), p=1),
            A.MultiplicativeNoise(multiplier=(1 - config.noise, 1 + config.noise), elementwise=True, p=1),
        ]
        transforms.append(A.OneOf(noises, p=PROBABILITY))
    if config.offset > 0 or config.gain > 0:
        # The library calls this factor contrast, although it multiplies the grey values themselves.
        affine = A.RandomBrightnessContrast(
            brightness_limit=config.offset, contrast_limit=config.gain, p=PROBABILITY
        )
        transforms.append(affine)
    if config.gamma > 1:
        limits = (100 / config.gamma, 100 * config.gamma)
        transforms.append(A.RandomGamma(gamma_limit=limits, p=PROBABILITY))
    if config.invert > 0:
        transforms.append(A.InvertImg(p=config.invert))
    return transforms


class _Corner(A.Illumination):  # type: ignore[misc]  # albumentations has no types
    """The library's light from a corner, but reproducible to the last bit.

    The library takes distances from OpenCV, whose distance transform rounds differently depending on the
    memory address of the patch, so that runs with the same seed would differ.
    """

    def apply(self, img: FloatImage, **params: Any) -> FloatImage:
        """Darken or brighten in proportion to the corner's distance; ``img`` is (H, W) or (H, W, C)."""
        height, width = img.shape[:2]
        row, column = ((0, 0), (0, width - 1), (height - 1, width - 1), (height - 1, 0))[params["corner"]]
        rows, columns = np.ogrid[:height, :width]
        distance = np.hypot(rows - row, columns - column) / np.hypot(height, width)
        factor = 1 - float(params["intensity"]) * distance
        lit: FloatImage = (img * (factor if img.ndim == 2 else factor[:, :, None])).astype(np.float32)
        return np.clip(lit, 0, 1)


def _texture(rng: np.random.Generator, shape: tuple[int, int], amplitude: float) -> FloatImage:
    """Draw band-limited noise (H, W, 1) of random scale, with a standard deviation of up to ``amplitude``."""
    white = rng.standard_normal(shape).astype(np.float32)
    fine = float(rng.uniform(0.7, 2.5))
    band = cv2.GaussianBlur(white, (0, 0), fine) - cv2.GaussianBlur(white, (0, 0), 2 * fine)
    strength = amplitude * rng.uniform() / max(float(band.std()), 1e-6)
    return (strength * band)[:, :, None].astype(np.float32)
