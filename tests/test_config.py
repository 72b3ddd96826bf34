"""What the schema lets through, and how it names what it does not."""

from dataclasses import fields, replace
from typing import Any

import pytest
from helpers import compose_predict, compose_train
from hydra.errors import HydraException
from omegaconf import OmegaConf

from grainseg.config import (
    AugmentConfig,
    ClDiceLossConfig,
    StreamDataConfig,
    TrainConfig,
    parse_train,
    to_plain,
)
from grainseg.config.parsing import _HAS_NONE
from grainseg.config.recipe import read_recipe
from grainseg.errors import GrainsegError
from grainseg.grains.closing.partition import PartitionSettings
from grainseg.hydra_app import CONF
from grainseg.micrograph.wide.recipe import WIDE


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
        ("optimizer.encoder_lr_factor=1.5", "optimizer.encoder_lr_factor=1.5: must lie between 0 and 1"),
        ("callbacks.ema_decay=1", "callbacks.ema_decay=1.0: must lie between 0.9 and 0.9999, or null"),
        ("augment.illumination=0.3", "augment.illumination=0.3: must be 0 or 0.01 to 0.2"),
        ("model.generic_share=1", "model.generic_share=1.0: must be at least 0 and less than 1"),
        ("model.decoder_width=17", "model.decoder_width=17: must be a multiple of 16"),
        ("data.label_offset=far", "data.label_offset=far: must be null, auto or [down,right] in px"),
        ("data.label_offset=[1]", "data.label_offset=[1]: must be null, auto or [down,right] in px"),
        ("data.label_offset=[0.5,9]", "data.label_offset=[0.5, 9]: must be null, auto or [down,right] in px"),
        ("data.shrink=0", "data.shrink=0: must be auto or a whole number from 1 (as they are) to 8"),
        ("data.shrink=0.4", "data.shrink=0.4: must be auto or a whole number from 1 (as they are) to 8"),
        ("data.shrink=null", "data.shrink=None: must be auto or a whole number"),
        ("data.label_width_px=0", "data.label_width_px=0: must be 1 to 32, or null"),
        ("data.label_width_px=2.5", "data.label_width_px: Value '2.5'"),
        ("data=folder", "data.root is missing: say data.root=VALUE"),
        ("~logger", "logger is missing: say logger=none"),
        ("trainer.accumulate_grad_batches=0", "trainer.accumulate_grad_batches=0: must be positive"),
        ("batch_size=100000", "must be at least batch_size"),
        ("loss.name=bce", "loss.name=bce: has other settings than these; say loss=bce"),
        ("data.name=stream", "data.name=stream: has other settings than these; say data=stream"),
        ("data.num_workers=100000", "data.num_workers=100000: must be 0 to 64"),
        ("boundary_tolerance_px=inf", "boundary_tolerance_px=inf: must be finite"),
        ("data.max_megapixels=inf", "data.max_megapixels=inf: must be finite"),
        ("trainer.gradient_clip=inf", "trainer.gradient_clip=inf: must be 0 or more, and finite"),
        ("optimizer.lr=inf", "optimizer.lr=inf: must be finite"),
        ("optimizer.weight_decay=inf", "optimizer.weight_decay=inf: must be 0 or more, and finite"),
        ("loss.dice_weight=nan", "loss.dice_weight=nan: must be 0 or more, and finite"),
        ("data.tile_size=16416", "data.tile_size=16416: must be a positive multiple of 32, the stride of"),
        ("inference.tile_size=16416", "the networks, up to 16384"),
        ("data.boundary_value=4294967296", "data.boundary_value=4294967296: must be -2**31 to 2**32 - 1"),
        ("data.ignore_value=-3000000000", "data.ignore_value=-3000000000: must be -2**31 to 2**32 - 1"),
    ],
)
def test_wrong_values_are_named(override: str, message: str) -> None:
    with pytest.raises(GrainsegError) as caught:
        compose_train(override)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.recipe.gamma=[low,2]", "data.recipe.gamma=['low', 2]: must be a list of numbers, such as"),
        ("data.recipe.gamma=???", "data.recipe.gamma is missing: say data.recipe.gamma=VALUE"),
        ("data.recipe.gamma=[2,1]", "data.recipe: synthetic gamma = "),
        (
            "+data.recipe.gama=[1,2]",
            "data.recipe.gama: there is no such key; did you mean data.recipe.gamma?",
        ),
        ("+data.regimes.texture_only.gama=[1,2]", "did you mean data.regimes.texture_only.gamma?"),
        ("+data.regimes.texture_only.gamma=[1,high]", "data.regimes.texture_only.gamma=[1, 'high']: must be"),
        ("+data.regimes.faint={groove_depth:[0.5]}", "data.regimes.faint: synthetic groove_depth = "),
        ("+data.regimes.Faint={}", "data.regimes=Faint: is the name of a score"),
        ("+data.regimes.faint=3", "data.regimes.faint=3: must be keys of data.recipe"),
        ("data.val_pictures=0", "data.val_pictures=0: must be 1 to 1000"),
        ("data.tile_size=100", "data.tile_size=100: must be a positive multiple of 32"),
        ("augment=light", "augment=light: data=stream draws its own geometry; say augment=stream"),
        ("batch_size=100000", "must be at least batch_size"),
    ],
)
def test_wrong_values_of_the_stream_are_named(override: str, message: str) -> None:
    with pytest.raises(GrainsegError) as caught:
        compose_train("experiment=pretrain", override)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        *(
            ({"gamma": value}, f"recipe.gamma={value}: must be a list of numbers, such as [0.6,1.7]")
            for value in ([1, "2"], [True, 2], [[1], 2], [1, 10**400], 1, None, {"low": 1})
        ),
        *(
            ({"line_width_px": value}, f"recipe.line_width_px={value}: must be a whole number, such as 3")
            for value in ("3", True, 3.0, [3])
        ),
        ({"label_twins": 1}, "recipe.label_twins=1: must be a truth value, such as false"),
        ({"label_second_phase": None}, "recipe.label_second_phase=None: must be a word, such as grain"),
        ({"groove_polarities": [["dark"]]}, "recipe.groove_polarities=[['dark']]: must be a list of words"),
        ({"haze": [0.1, 0.2]}, "recipe: synthetic haze = "),
        ({"contrasts": ["colour"]}, "recipe: synthetic contrasts = "),
        ({1: 2}, "recipe.1: there is no such key; known are line_width_px, "),
    ],
)
def test_what_no_recipe_can_be_is_named(changes: dict[Any, Any], message: str) -> None:
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(WIDE).items()}
    assert read_recipe(plain, "recipe") == WIDE
    with pytest.raises(GrainsegError) as caught:
        read_recipe(plain | changes, "recipe")
    assert str(caught.value).startswith(message)


def test_a_regime_is_the_recipe_with_its_changes() -> None:
    data = compose_train("experiment=pretrain", "+data.regimes.tiny={grain_px:[8,9]}").data
    assert isinstance(data, StreamDataConfig)
    tiny = data.regime_recipes()["tiny"]
    assert tiny == replace(data.training_recipe(), grain_px=(8.0, 9.0))


def test_a_group_that_is_taken_away_is_told_of_its_choice_none() -> None:
    assert {path.parent.name for path in CONF.glob("*/none.yaml")} == set(_HAS_NONE)


def test_deeplab_refuses_a_batch_of_one() -> None:
    with pytest.raises(GrainsegError, match=r"batch_size=1: .*set batch_size=2"):
        compose_train("model=deeplabv3plus", "batch_size=1")
    assert compose_train("model=unet", "batch_size=1").batch_size == 1


def test_a_random_encoder_is_not_frozen() -> None:
    assert compose_train("optimizer.encoder_lr_factor=0").optimizer.encoder_lr_factor == 0
    with pytest.raises(
        GrainsegError, match=r"encoder_lr_factor=0\.0: .* set model\.init=generic or imagenet"
    ):
        compose_train("optimizer.encoder_lr_factor=0", "model.init=scratch")


def test_the_groups_become_their_types() -> None:
    config = compose_train("loss=bce_cldice", "optimizer.lr=1")
    assert isinstance(config, TrainConfig)
    assert isinstance(config.augment, AugmentConfig)
    assert isinstance(config.loss, ClDiceLossConfig)
    assert config.optimizer.lr == 1.0
    assert isinstance(config.optimizer.lr, float)


def test_the_resolved_configuration_reads_back_the_same() -> None:
    for overrides in (
        ("loss=focal_tversky", "data.val=[a,b]", "+model.options.encoder_depth=4"),
        ("experiment=pretrain", "data.recipe.gamma=[1,1.5]"),
    ):
        config = compose_train(*overrides)
        assert parse_train(OmegaConf.create(to_plain(config))) == config


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("images=???", "images is missing"),
        ("pixel_size_um=0", "pixel_size_um=0: must be 0.0005 to 50"),
        ("pixel_size_um=nan", "pixel_size_um=nan"),
        ("pixel_size_um=[0.25,0.2,0.1]", "pixel_size_um=[0.25, 0.2, 0.1]"),
        ("pixel_size_um=tiny", "pixel_size_um=tiny"),
        ("pixel_size_rel_unc=1", "pixel_size_rel_unc=1.0: must be at least 0 and below 0.5"),
        ("segmentation_rel_unc=3", "segmentation_rel_unc=3.0: must be at least 0 and below 0.5"),
        ("segmentation_images=3", "segmentation_images=3: says of how many pictures"),
        ("crop=all", "crop=all: must be null, auto or [top,bottom,left,right]"),
        ("crop=[0,60]", "crop=[0, 60]"),
        ("crop=[0,-1,0,0]", "crop=[0, -1, 0, 0]"),
        ("structure.twins=some", "structure.twins=some: must be one of unknown, not_drawn, drawn"),
        ("structure.pores=drawn", "structure.pores=drawn: must be one of unknown, none"),
        ("excluded=masks", "excluded=masks: masks what is left out; say structure.pores=excluded"),
        ("partition=grow", "partition"),
        ("partition.threshold=1", "partition.threshold=1.0: must lie between 0 and 1"),
        ("partition.depth=2", "partition.depth=2.0: must lie between 0 and 1"),
        ("threshold=1", "threshold=1.0"),
        ("data.max_megapixels=0", "data.max_megapixels=0.0: must be positive"),
    ],
)
def test_wrong_values_of_a_prediction_are_named(override: str, message: str) -> None:
    with pytest.raises((GrainsegError, HydraException)) as caught:
        compose_predict("checkpoint=a.ckpt", "images=i", "output=o", override)
    assert message in str(caught.value)


def test_a_pixel_size_is_a_number_or_one_for_rows_and_one_for_columns() -> None:
    paths = "checkpoint=a.ckpt", "images=i", "output=o"
    assert compose_predict(*paths, "pixel_size_um=0.25").pixel_size_um == 0.25
    assert compose_predict(*paths, "pixel_size_um=[0.25,0.2]", "crop=[0,60,0,0]").pixel_size_um == [0.25, 0.2]
    assert compose_predict(*paths).pixel_size_um is None


def test_settings_of_the_schema_are_those_of_the_partition() -> None:
    settings = {field.name for field in fields(PartitionSettings)}
    given = compose_predict("checkpoint=a", "images=i", "output=o", *(f"partition.{s}=0.5" for s in settings))
    assert given.partition.given() == dict.fromkeys(settings, 0.5)


@pytest.mark.parametrize("scale", ["micron", "0", "11", "true", "nan", "[1,2]"])
def test_a_scale_is_a_factor_or_known_by_name(scale: str) -> None:
    with pytest.raises(
        GrainsegError, match=r"scale=.*: must be null, auto, pixel_size, grain_size or a factor"
    ):
        compose_predict("images=i", "output=o", f"scale={scale}")
    for legal in ("null", "0.5", "2", "auto", "pixel_size", "grain_size"):
        compose_predict("images=i", "output=o", f"scale={legal}")
