"""Patches are a pure function of seed and number: the same with any number of workers, new in each epoch."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import compose_train

from grainseg.config import TrainConfig
from grainseg.data.patches import PatchSampler
from grainseg.errors import GrainsegError
from grainseg.micrograph.image import IGNORE
from grainseg.training.datamodule import BoundaryDataModule


def data_module(
    config: TrainConfig, workers: int = 0, seed: int = 7, **changes: object
) -> BoundaryDataModule:
    data = replace(config.data, num_workers=workers, patches_per_epoch=12, **changes)  # type: ignore[arg-type]
    robust = compose_train("augment=robust").augment
    module = BoundaryDataModule(data, robust, channels=1, batch_size=4, seed=seed)
    module.setup()
    return module


def epoch_of(module: BoundaryDataModule, epoch: int) -> torch.Tensor:
    loader = module.train_dataloader()
    sampler = loader.sampler
    assert isinstance(sampler, PatchSampler)
    sampler.set_epoch(epoch)
    return torch.cat([patches for patches, _ in loader])


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(workers: int, smoke_config: TrainConfig) -> None:
    alone = data_module(smoke_config)
    shared = data_module(smoke_config, workers)
    for epoch in (0, 1):
        # Not to the last bit: vector units round differently with the alignment of the memory.
        torch.testing.assert_close(epoch_of(alone, epoch), epoch_of(shared, epoch), rtol=0, atol=1e-6)


def test_no_patch_comes_twice(smoke_config: TrainConfig) -> None:
    module = data_module(smoke_config, 2)
    patches = torch.cat([epoch_of(module, epoch) for epoch in range(3)])
    distinct = {patch.numpy().tobytes() for patch in patches}
    assert len(distinct) == len(patches) == 36


def test_the_seed_matters(smoke_config: TrainConfig) -> None:
    one, other = data_module(smoke_config), data_module(smoke_config, seed=8)
    assert not torch.equal(epoch_of(one, 0), epoch_of(other, 0))


@pytest.mark.parametrize("count", [12, 13])
def test_processes_share_an_epoch_without_overlap(count: int) -> None:
    samplers = [PatchSampler(count, rank, 3) for rank in range(3)]
    for epoch in (0, 5):
        for sampler in samplers:
            sampler.set_epoch(epoch)
        numbers = [list(sampler) for sampler in samplers]
        assert {len(part) for part in numbers} == {4}
        together = sorted(number for part in numbers for number in part)
        assert together == list(range(epoch * count, epoch * count + 12))


def test_the_grid_covers_every_training_pixel_once_an_epoch(smoke_config: TrainConfig) -> None:
    data = replace(smoke_config.data, sampling="grid", overlap=16)
    none = compose_train("augment=none").augment
    module = BoundaryDataModule(data, none, channels=1, batch_size=1, seed=0)
    module.setup()
    orders = []
    for epoch in (0, 1):
        loader = module.train_dataloader()
        loader.sampler.set_epoch(epoch)  # type: ignore[union-attr]
        orders.append([patch.numpy().tobytes() for patch, _ in loader])
        patches = set(orders[-1])
        expected = set()
        for image in module.data.patches._images:
            for row in (*range(0, image.shape[0] - 64, 48), image.shape[0] - 64):
                for column in (*range(0, image.shape[1] - 64, 48), image.shape[1] - 64):
                    patch = image.unit[row : row + 64, column : column + 64, 0]
                    expected.add(np.ascontiguousarray(patch).tobytes())
        assert patches == expected
    assert orders[0] != orders[1]
    other = BoundaryDataModule(data, none, channels=1, batch_size=1, seed=1)
    other.setup()
    assert orders[0] != [patch.numpy().tobytes() for patch, _ in other.train_dataloader()]


def test_a_grid_with_too_few_patches_is_refused(smoke_config: TrainConfig) -> None:
    data = replace(smoke_config.data, sampling="grid", overlap=0, tile_size=96)
    module = BoundaryDataModule(data, smoke_config.augment, channels=1, batch_size=64, seed=0)
    module.setup()
    with pytest.raises(GrainsegError, match="batch_size=64: an epoch has only"):
        module.train_dataloader()


def test_pictures_are_split_by_image(smoke_config: TrainConfig) -> None:
    module = data_module(smoke_config)
    assert module.data.trains_on == "f0, f1"
    assert [image.stem for image in module.data.val_images] == ["f2"]
    fold = data_module(smoke_config, fold=0, folds=3)
    assert [image.stem for image in fold.data.val_images] == ["f0"]
    tested = data_module(smoke_config, test=["f2"])
    assert [image.stem for image in tested.data.test_images] == ["f2"]
    assert [image.stem for image in tested.data.val_images] == ["f1"]
    for wrong, message in [
        ({"test": ["f9"]}, "data.test names 'f9'"),
        ({"test": ["f0", "f0"]}, "data.test names 'f0' twice"),
        ({"test": ["f0"], "val": ["f0"]}, "both name 'f0'"),
    ]:
        with pytest.raises(GrainsegError, match=message):
            data_module(smoke_config, **wrong)


def test_patches_are_cut_with_the_offset_of_their_labels(smoke_config: TrainConfig) -> None:
    data = data_module(smoke_config, label_offset=[2.0, -1.0]).data
    assert data.label_offset_px == (2.0, -1.0)
    assert {image.label_offset_px for image in data.patches._images} == {(2.0, -1.0)}
    assert {image.label_offset_px for image in data.val_images} == {(0.0, 0.0)}


def test_whole_pictures_are_served_uncut(smoke_config: TrainConfig, fields: Path) -> None:
    module = data_module(smoke_config)
    (unit, label, regime), *rest = module.val_dataloader()
    assert not rest
    assert regime == ""
    assert unit.shape == (101, 111, 1)
    assert label.shape == (101, 111)
    assert unit.min() == 0
    assert unit.max() == 1
    assert set(label.unique().tolist()) <= {0, 1, IGNORE}


def test_colour_networks_get_three_channels(smoke_config: TrainConfig) -> None:
    module = BoundaryDataModule(smoke_config.data, smoke_config.augment, channels=3, batch_size=2, seed=0)
    module.setup()
    patches, labels = next(iter(module.train_dataloader()))
    assert patches.shape == (2, 3, 64, 64)
    assert labels.shape == (2, 64, 64)
