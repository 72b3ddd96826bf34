"""Small labelled folders, networks and runs that several tests share."""

import os

# Before torch is imported, here and in the commands that tests start: on patches this small threads wait for
# each other longer than they compute.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import SMALL_ENCODER, compose_train, write_field

from grainseg.config import AugmentConfig, TrainConfig


@pytest.fixture(scope="session")
def fields(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of three fields of different, awkward sizes; tests do not change it."""
    folder = tmp_path_factory.mktemp("fields")
    for number, shape in enumerate([(97, 130), (128, 96), (101, 111)]):
        write_field(folder, f"f{number}", number, shape)
    return folder


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that goes with the module: the checkpoints of all modules together fill a small disk."""
    folder = tmp_path_factory.mktemp("module")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def smoke_config(fields: Path) -> TrainConfig:
    """Seconds of training on the small fields, by a small encoder; the commands train the default one."""
    return compose_train(
        "experiment=smoke",
        f"model.encoder={SMALL_ENCODER}",
        "data=folder",
        f"data.root='{fields}'",
        "data.label_offset=null",
        "trainer=cpu",
        "callbacks.progress_bar=false",
        "inference.tile_size=64",
        "inference.overlap=16",
    )


@pytest.fixture(scope="session")
def stream_config() -> TrainConfig:
    """Seconds of pretraining on small synthetic pictures with small grains."""
    return compose_train(
        "experiment=pretrain",
        f"model.encoder={SMALL_ENCODER}",
        "trainer=cpu",
        "callbacks.progress_bar=false",
        "epochs=2",
        "batch_size=2",
        "model.decoder_width=16",
        "inference.tile_size=64",
        "inference.overlap=16",
        "data.tile_size=64",
        "data.patches_per_epoch=4",
        "data.num_workers=0",
        "data.val_side=64",
        "data.val_pictures=1",
        "data.recipe.grain_px=[10,20]",
    )


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network that sees few boundaries: what it says does not matter here."""
    import torch  # heavy, and the rooms without torch are tested without it

    from grainseg.model.checkpoint import KEY, NETWORK_PREFIX, CheckpointSpec
    from grainseg.model.networks import build_network

    spec = CheckpointSpec("unet", SMALL_ENCODER, 1, 16, {}, 64, 16, 0.5, 3.0, 0)
    torch.manual_seed(0)
    network = build_network(spec.network)
    network.state_dict()["segmentation_head.0.bias"].sub_(1.0)
    state = {NETWORK_PREFIX + key: value for key, value in network.state_dict().items()}
    path = tmp_path_factory.mktemp("checkpoint") / "epoch=1.ckpt"
    torch.save({"state_dict": state, KEY: spec.to_plain()}, path)
    return path


@pytest.fixture(scope="session")
def augment() -> Callable[..., AugmentConfig]:
    """Augmentation settings: everything off but what is named."""
    off = compose_train("augment=none").augment
    return lambda **strengths: replace(off, **strengths)
