"""What the schema lets through, and how it names what it does not."""

from typing import Any

import pytest
from helpers import compose_train
from omegaconf import OmegaConf

from grainseg.config import AugmentConfig, ClDiceLossConfig, TrainConfig, parse_predict, parse_train, to_plain
from grainseg.errors import GrainsegError


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.tile_size=100", "data.tile_size=100: must be a positive multiple of 32"),
        ("data.tile_size=abc", "data.tile_size: Value 'abc'"),
        ("data.tile_size=1.5", "data.tile_size: Value '1.5'"),
        ("epochs=0", "epochs=0: must be positive"),
        ("epochs=null", "epochs"),
        ("seed=-1", "seed=-1"),
        ("optimizer.name=adam", "optimizer.name=adam: must be one of adamw, sgd"),
        ("optimizer.lr=0", "optimizer.lr=0.0: must be positive"),
        ("optimized_metric=val/dice", "optimized_metric=val/dice: must be one of val/iou"),
        ("model.init=magic", "model.init=magic: must be one of scratch"),
        ("model.in_channels=2", "model.in_channels=2"),
        ("+loss.gama=2", "loss.gama: there is no such key"),
        ("loss.dice_weight=much", "loss.dice_weight: Value 'much'"),
        ("loss.name=l2", "loss.name=l2: must be one of bce"),
        ("+data.tile_sizes=3", "data.tile_sizes: there is no such key; did you mean data.tile_size?"),
        ("augment.gamma=0.5", "augment.gamma=0.5"),
        ("augment.scale_min=1.5", "augment.scale_min"),
        ("inference.overlap=768", "inference.overlap=768"),
        ("trainer.strategy=dpp", "trainer.strategy=dpp: must be one of auto, ddp"),
        ("trainer.devices=0", "trainer.devices=0: must be auto or a number from 1"),
        ("trainer.devices=two", "trainer.devices=two"),
        ("optimizer.momentum=1", "optimizer.momentum=1.0"),
        ("augment.illumination=0.3", "augment.illumination=0.3: must be 0 or 0.01 to 0.2"),
        ("model.decoder_width=17", "model.decoder_width=17: must be a multiple of 16"),
        ("data=folder", "data.root is missing: say data.root=VALUE"),
        ("batch_size=100000", "must be at least batch_size"),
    ],
)
def test_wrong_values_are_named(override: str, message: str) -> None:
    with pytest.raises(GrainsegError) as caught:
        compose_train(override)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_deeplab_refuses_a_batch_of_one() -> None:
    with pytest.raises(GrainsegError, match=r"batch_size=1: .*set batch_size=2"):
        compose_train("model=deeplabv3plus", "batch_size=1")
    assert compose_train("model=unet", "batch_size=1").batch_size == 1


def test_the_groups_become_their_types() -> None:
    config = compose_train("loss=bce_cldice", "optimizer.lr=1")
    assert isinstance(config, TrainConfig)
    assert isinstance(config.augment, AugmentConfig)
    assert isinstance(config.loss, ClDiceLossConfig)
    assert config.optimizer.lr == 1.0
    assert isinstance(config.optimizer.lr, float)


def test_the_resolved_configuration_reads_back_the_same() -> None:
    config = compose_train("loss=focal_tversky", "data.val=[a,b]", "+model.options.encoder_depth=4")
    assert parse_train(OmegaConf.create(to_plain(config))) == config


def test_predict_needs_its_paths_and_a_possible_pixel_size() -> None:
    values: dict[str, Any] = {
        "checkpoint": "a.ckpt",
        "images": "images",
        "output": "out",
        "masks": None,
        "threshold": None,
        "boundary_tolerance_px": 3.0,
        "pixel_size_um": 0.25,
        "accelerator": "auto",
        "data": {
            "label_kind": "boundary",
            "boundary_value": 255,
            "ignore_value": None,
            "max_megapixels": 500,
        },
    }
    assert parse_predict(OmegaConf.create(values)).pixel_size_um == 0.25
    for wrong, message in [
        ({"images": "???"}, "images is missing"),
        ({"pixel_size_um": 0.0}, "pixel_size_um=0.0: must lie between 0.0005 and 50"),
        ({"pixel_size_um": float("nan")}, "pixel_size_um=nan"),
        ({"threshold": 1.0}, "threshold=1.0"),
        ({"data": values["data"] | {"max_megapixels": 0}}, "data.max_megapixels=0.0: must be positive"),
    ]:
        with pytest.raises(GrainsegError) as caught:
            parse_predict(OmegaConf.create(values | wrong))
        assert message in str(caught.value)
