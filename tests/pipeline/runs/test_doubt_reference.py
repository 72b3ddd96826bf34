"""The doubt with networks: its reference comes out of training, and it rises as pictures get worse."""

import numpy as np
import pytest

from grainseg.config import TrainConfig
from grainseg.grains.closing.partition import partition_or_none
from grainseg.grains.trust.doubt import SIGNS, doubt_of
from grainseg.inference.predictor import TileSettings, predict_probability
from grainseg.micrograph.corruptions import CORRUPTIONS
from grainseg.micrograph.normalization import to_unit_range
from grainseg.micrograph.plain.synthetic import generate
from grainseg.model.checkpoint import load_network
from grainseg.model.generic import default_checkpoint
from grainseg.pipeline.runs.doubt_reference import training_reference
from grainseg.training.datamodule import BoundaryDataModule


def test_the_reference_is_of_what_trained_and_validated(smoke_config: TrainConfig) -> None:
    module = BoundaryDataModule(smoke_config.data, smoke_config.augment, 1, 1, 0)
    module.setup()
    maps = [np.full(image.shape, 0.1, np.float32) for image in module.data.val_images]
    spec, _ = load_network(default_checkpoint())
    found = training_reference(module.data, maps, spec.partition)
    assert set(found) == set(SIGNS)
    assert found["uncertain"] == (1.0, 0.0)  # nothing was found in the validation picture
    patches = [module.data.patches[number][0].numpy()[0] for number in range(64)]
    medians = [np.median(patch) for patch in patches]
    assert found["grey_50"] == pytest.approx((np.mean(medians), np.std(medians, ddof=1)), abs=1e-4)


def test_the_doubt_rises_with_blur_and_noise() -> None:
    """In the mean over synthetic fields, by the weights that ship."""
    spec, network = load_network(default_checkpoint())
    units = [to_unit_range(generate(seed, (192, 192)).pixels[:, :, None]) for seed in range(3)]

    def mean_doubt(pictures: list[np.ndarray]) -> float:
        scores = []
        for unit in map(to_unit_range, pictures):
            found = predict_probability(network, unit, TileSettings(spec.tile_size, spec.overlap))
            scores.append(doubt_of(unit, found, partition_or_none(found, spec.partition), None).score)
        return float(np.mean(scores))

    untouched = mean_doubt(units)
    for kind in ("blur", "gaussian"):
        levels = [each for each in CORRUPTIONS if each.kind.name == kind]
        doubts = [untouched, *(mean_doubt([each.apply(unit, 0) for unit in units]) for each in levels)]
        assert doubts == sorted(doubts)
        assert doubts[-1] > 1.5 * untouched
