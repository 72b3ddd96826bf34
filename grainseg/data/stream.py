"""Endless training data: every patch is a new synthetic picture, drawn when it is needed.

A patch is a pure function of the run's seed and its running number, which the sampler computes from epoch and
index. So the stream is the same with any number of workers or processes, and in a resumed run.
"""

import zlib

import numpy as np
import torch
from torch.utils.data import Dataset

from grainseg.config import AugmentConfig, StreamDataConfig
from grainseg.data.images import LabelledMicrograph, network_unit
from grainseg.data.patches import channels_first
from grainseg.data.photometry import Photometry
from grainseg.data.source import Patch, TrainingData
from grainseg.micrograph.image import FloatImage, Label
from grainseg.micrograph.wide.generator import generate_wide
from grainseg.micrograph.wide.recipe import WideRecipe

TRAINING_SEEDS = 2**63
"""Smallest seed of training pictures. Seeds chosen by hand are smaller, so they are never trained on."""


class StreamDataset(Dataset[Patch]):
    """Synthetic pictures by their running number.

    Args:
        recipe: Ranges of the properties that are drawn for each picture.
        size: Edge length of a picture in px.
        augment: Strengths of the additional photometric changes.
        channels: Number of channels of the network's input.
        seed: Determines the picture, together with the running number.
    """

    def __init__(
        self, recipe: WideRecipe, size: int, augment: AugmentConfig, channels: int, seed: int
    ) -> None:
        self._recipe = recipe
        self._size = size
        self._photometry = Photometry(augment)
        self._channels = channels
        self._seed = seed

    def __getitem__(self, number: int) -> Patch:
        """Draw a picture.

        Args:
            number: Running number over all epochs.

        Returns:
            (C, size, size) float32 in [0, 1], and (size, size) uint8 label codes.
        """
        rng = np.random.default_rng((self._seed, number))
        picture_seed = TRAINING_SEEDS + int(rng.integers(TRAINING_SEEDS, dtype=np.uint64))
        unit, label = _draw(picture_seed, self._size, self._recipe, self._channels)
        pixels = self._photometry(unit, rng)
        return torch.from_numpy(channels_first(pixels)), torch.from_numpy(label)


def open_stream(config: StreamDataConfig, augment: AugmentConfig, channels: int, seed: int) -> TrainingData:
    """Set up the stream and draw the validation pictures, which do not depend on the run's seed.

    Args:
        config: Recipe, regimes and sizes of the pictures.
        augment: Strengths of the additional photometric changes.
        channels: Number of channels of the network's input.
        seed: Determines every patch.
    """
    recipe = config.training_recipe()
    return TrainingData(
        patches=StreamDataset(recipe, config.tile_size, augment, channels, seed),
        patches_per_epoch=config.patches_per_epoch,
        trains_on="an endless synthetic stream",
        line_width_px=float(recipe.line_width_px),
        val_images=tuple(
            _validation_picture(name, number, config.val_side, regime, channels)
            for name, regime in config.regime_recipes().items()
            for number in range(config.val_pictures)
        ),
    )


def _validation_picture(
    regime: str, number: int, side: int, recipe: WideRecipe, channels: int
) -> LabelledMicrograph:
    # The seed depends on the regime's name, so that adding a regime does not change the others' pictures.
    seed = 1000 * zlib.crc32(regime.encode()) + number
    unit, label = _draw(seed, side, recipe, channels)
    return LabelledMicrograph(f"{regime}_{number}", unit, label, float(recipe.line_width_px), regime)


def _draw(seed: int, side: int, recipe: WideRecipe, channels: int) -> tuple[FloatImage, Label]:
    """Draw a picture (side, side, channels), normalised as a whole to the unit range, and its label."""
    micrograph = generate_wide(seed, (side, side), recipe)
    return network_unit(micrograph.pixels, channels), micrograph.label
