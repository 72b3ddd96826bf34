"""The stream is a pure function of seed, epoch and index; its validation pictures are nobody's patches."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import compose_train

from grainseg.config import StreamDataConfig, TrainConfig
from grainseg.data import stream
from grainseg.data.patches import PatchSampler
from grainseg.data.stream import TRAINING_SEEDS, open_stream
from grainseg.micrograph.image import BOUNDARY, GRAIN
from grainseg.micrograph.wide.generator import WideMicrograph, generate_wide
from grainseg.micrograph.wide.recipe import WIDE, WideRecipe
from grainseg.training.datamodule import BoundaryDataModule


def data_module(config: TrainConfig, workers: int = 0, seed: int = 7) -> BoundaryDataModule:
    data = replace(config.data, num_workers=workers, patches_per_epoch=8)
    module = BoundaryDataModule(data, config.augment, channels=1, batch_size=4, seed=seed)
    module.setup()
    return module


def epochs_of(module: BoundaryDataModule, *epochs: int) -> list[torch.Tensor]:
    """Patches and labels of some epochs, as one training run goes through them."""
    loader = module.train_dataloader()
    assert isinstance(loader.sampler, PatchSampler)
    found = []
    for epoch in epochs:
        loader.sampler.set_epoch(epoch)
        found.append(torch.cat([torch.cat([patches[:, 0], labels]) for patches, labels in loader]))
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(workers: int, stream_config: TrainConfig) -> None:
    alone = epochs_of(data_module(stream_config), 0, 1)
    shared = epochs_of(data_module(stream_config, workers), 0, 1)
    for one, other in zip(alone, shared, strict=True):
        # Not to the last bit: vector units round differently with the alignment of the memory.
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6)
    assert not torch.equal(alone[0], alone[1])


def test_a_resumed_run_sees_the_stream_go_on(stream_config: TrainConfig) -> None:
    whole = epochs_of(data_module(stream_config), 0, 1, 2)
    resumed = epochs_of(data_module(stream_config), 2)
    torch.testing.assert_close(whole[2], resumed[0], rtol=0, atol=1e-6)


def test_the_seed_of_the_run_changes_the_patches_and_not_the_validation(stream_config: TrainConfig) -> None:
    one, other = (data_module(stream_config, seed=seed) for seed in (0, 1))
    assert not torch.equal(epochs_of(one, 0)[0], epochs_of(other, 0)[0])
    for mine, theirs in zip(one.data.val_images, other.data.val_images, strict=True):
        np.testing.assert_array_equal(mine.unit, theirs.unit)


def test_no_picture_comes_twice_and_none_of_the_validation(
    stream_config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []

    def noted(seed: int, shape: tuple[int, int], recipe: WideRecipe) -> WideMicrograph:
        seeds.append(seed)
        return generate_wide(0, (32, 32), recipe)

    monkeypatch.setattr(stream, "generate_wide", noted)
    module = data_module(stream_config)
    validation, count = set(seeds), len(seeds)
    assert len(validation) == count == 5
    for number in range(500):
        module.data.patches[number]
    training = set(seeds[count:])
    assert len(training) == 500
    assert max(validation) < TRAINING_SEEDS <= min(training)


def test_each_regime_is_what_its_name_says(stream_config: TrainConfig) -> None:
    images = data_module(stream_config).data.val_images
    assert [(image.stem, image.regime) for image in images] == [
        (f"{name}_0", name)
        for name in (
            "etched_dark",
            "bright_grooves",
            "orientation_contrast",
            "texture_only",
            "unseen_instrument",
        )
    ]
    for image in images:
        assert image.unit.shape == (64, 64, 1)
        assert (image.unit.min(), image.unit.max()) == (0, 1)
        assert set(np.unique(image.label)) == {GRAIN, BOUNDARY}
    dark, bright = (
        image.unit[image.label == BOUNDARY].mean() - image.unit[image.label == GRAIN].mean()
        for image in images[:2]
    )
    assert dark < 0 < bright


def test_one_regime_lies_beyond_all_that_trains(stream_config: TrainConfig) -> None:
    assert isinstance(stream_config.data, StreamDataConfig)
    trained = stream_config.data.training_recipe()
    regimes = stream_config.data.regime_recipes()
    for name, held_out in (("unseen_instrument", True), ("texture_only", False)):
        drawn = [generate_wide(seed, (48, 48), regimes[name]).knobs for seed in range(20)]
        for knob in ("gamma", "illumination", "defocus_px"):
            beyond = [float(knobs[knob]) >= getattr(trained, knob)[-1] for knobs in drawn]
            assert (all if held_out else any)(beyond) is held_out


def test_another_regime_leaves_the_pictures_of_the_others(stream_config: TrainConfig) -> None:
    data = copy.deepcopy(stream_config.data)
    assert isinstance(data, StreamDataConfig)
    data.regimes = {"duplex_only": {"topologies": ["duplex"]}} | data.regimes
    few = open_stream(stream_config.data, stream_config.augment, 1, 0).val_images  # type: ignore[arg-type]
    more = open_stream(data, stream_config.augment, 1, 0).val_images
    assert [image.stem for image in more[1:]] == [image.stem for image in few]
    for one, other in zip(few, more[1:], strict=True):
        np.testing.assert_array_equal(one.unit, other.unit)


def test_colour_networks_get_three_channels(stream_config: TrainConfig) -> None:
    module = BoundaryDataModule(stream_config.data, stream_config.augment, channels=3, batch_size=2, seed=0)
    module.setup()
    patches, labels = next(iter(module.train_dataloader()))
    assert patches.shape == (2, 3, 64, 64)
    assert labels.shape == (2, 64, 64)
    assert module.data.val_images[0].unit.shape == (64, 64, 3)


def test_the_configured_recipe_is_the_one_that_the_contact_sheet_shows() -> None:
    data = compose_train("experiment=pretrain").data
    assert isinstance(data, StreamDataConfig)
    assert data.training_recipe() == WIDE
