"""Which corruptions of the card a training has seen, told by its configuration alone."""

from dataclasses import replace

import pytest
from helpers import compose_train

from grainseg.config import to_plain
from grainseg.micrograph.corruptions import KINDS
from grainseg.pipeline.card import corruption_reach
from grainseg.pipeline.card.corruption_reach import kinds_seen
from grainseg.pipeline.runs.training_record import TrainingRecord


def record_of(*overrides):
    return TrainingRecord("config.yaml", to_plain(compose_train("model.init=scratch", *overrides)))


def seen_of(*overrides):
    return {name: seen.answer for name, seen in kinds_seen(record_of(*overrides)).items()}


@pytest.mark.parametrize(
    "config",
    [{"augment": {}, "data": {}}, {"augment": {"gamma": -1}, "data": {"name": "folder"}}],
    ids=["nothing", "no number"],
)
def test_a_configuration_that_says_nothing_of_augmentation_is_unknown(config):
    seen = kinds_seen(TrainingRecord("a text", config))
    assert {each.answer for each in seen.values()} == {"unknown"}
    assert {each.words for each in seen.values()} == {"a text does not say"}


def test_a_kind_that_training_cannot_draw_is_not_seen(monkeypatch):
    monkeypatch.setattr(corruption_reach, "KINDS", (*KINDS, replace(KINDS[0], name="salt")))
    seen = kinds_seen(record_of("augment=robust", "data=folder", "data.root=x"))
    assert (seen["salt"].answer, seen["salt"].words) == ("no", "not drawn in training")


def test_where_nothing_is_known_nothing_is_told():
    assert {seen.answer for seen in kinds_seen(TrainingRecord()).values()} == {"unknown"}


def test_without_augmentation_nothing_is_seen():
    assert set(seen_of("augment=none", "data=folder", "data.root=x").values()) == {"no"}


def test_weak_augmentation_is_weaker_than_the_card():
    seen = seen_of("augment=light", "data=folder", "data.root=x")
    assert {name for name, answer in seen.items() if answer == "no"} == {
        "contrast",
        "poisson",
        "texture",
        "stripes",
        "inversion",
        "jpeg",
    }
    assert {seen[name] for name in ("gain", "offset", "gamma", "blur", "half")} == {"weaker"}
    assert seen["combination"] == "in part"


def test_augmentation_as_strong_as_the_card_is_seen():
    seen = seen_of(
        "augment=robust",
        "augment.gain=0.6",
        "augment.blur_px=2",
        "augment.scale_max=2",
        "data=folder",
        "data.root=x",
    )
    assert {seen[name] for name in ("gain", "offset", "gamma", "blur", "double", "inversion")} == {"yes"}
    assert {seen[name] for name in ("half", "contrast", "gaussian", "texture", "linear")} == {"weaker"}
    assert {seen[name] for name in ("poisson", "stripes", "jpeg")} == {"no"}


def test_the_stream_has_seen_what_its_recipe_draws():
    record = record_of("experiment=pretrain")
    found = kinds_seen(record)
    seen = {name: each.answer for name, each in found.items()}
    assert {seen[name] for name in ("stripes", "jpeg", "poisson", "linear", "texture")} == {"weaker"}
    assert {seen[name] for name in ("half", "double", "corner", "inversion", "contrast")} == {"yes"}
    assert "no" not in seen.values()
    assert seen["combination"] == "in part"
    assert found["texture"].words == "sd up to 0.05, of other wavelengths"  # the mottle's
    off, strong = (
        kinds_seen(TrainingRecord("", record.config | {"data": record.config["data"] | {"recipe": recipe}}))
        for recipe in (
            record.config["data"]["recipe"] | {"line_noise": [0, 0, 0], "jpeg_quality": [0, 0, 0]},
            record.config["data"]["recipe"]
            | {"illumination": [0.5, 0.1, 0.8], "defocus_px": [0.5, 0.5, 2.0], "electrons": [40.0, 5000.0]}
            | {"jpeg_quality": [0.5, 15.0, 95.0], "gamma": [0.5, 2.0]},
        )
    )
    assert off["stripes"].answer == off["jpeg"].answer == "no"
    assert strong["combination"].answer == "yes"


def test_what_pretraining_saw_counts_after_fine_tuning():
    plain, tuned = (
        seen_of("augment=none", "data=folder", "data.root=x", f"model.init={init}")
        for init in ("scratch", "generic")
    )
    assert plain["stripes"] == "no"
    assert tuned["stripes"] == "weaker"
    assert tuned["double"] == "yes"


def test_every_kind_has_an_answer_with_words():
    found = kinds_seen(record_of("augment=robust", "data=folder", "data.root=x"))
    assert set(found) == {kind.name for kind in KINDS}
    assert all(seen.words for seen in found.values())
    assert found["gain"].words == "× 1 ± 0.5"
