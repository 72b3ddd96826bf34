import shutil
from dataclasses import replace

import pytest
from helpers import compose_train
from omegaconf import OmegaConf

from grainseg.config import to_plain
from grainseg.micrograph.files import file_sha256
from grainseg.micrograph.folders.folder import list_folder
from grainseg.micrograph.folders.used_images import UsedImages
from grainseg.model import generic
from grainseg.model.checkpoint import add_to_checkpoint, read_checkpoint
from grainseg.pipeline.runs.training_record import (
    FOREIGN,
    STREAM_AUGMENT,
    TESTED,
    TRAINED,
    UNKNOWN,
    VALIDATED,
    TrainingRecord,
    image_roles,
    read_record,
    seen_in_training_warning,
)

MODEL = ("model.init=scratch", "model.encoder=tu-mobilenetv3_small_100", "model.decoder_width=16")


@pytest.fixture
def run(checkpoint, tmp_path):
    """A run folder with a checkpoint, and a way to write its configuration."""

    def write(*overrides):
        (tmp_path / "run" / "checkpoints").mkdir(parents=True, exist_ok=True)
        path = tmp_path / "run" / "checkpoints" / "best.ckpt"
        shutil.copy(checkpoint, path)
        config = to_plain(compose_train(*MODEL, *overrides))
        OmegaConf.save(OmegaConf.create(config), tmp_path / "run" / "config.yaml")
        return path

    return write


def record_of(path):
    return read_record(path, read_checkpoint(path)[0])


def test_roles_are_told_by_the_files_content_whatever_they_are_called(run, fields, tmp_path):
    record = record_of(run("data=folder", f"data.root={fields}", "data.val=[f1]", "data.test=[f2]"))
    copies = tmp_path / "copies"
    for kind in ("images", "masks"):
        (copies / kind).mkdir(parents=True)
        for old, new in (("f0", "x"), ("f1", "y"), ("f2", "z")):
            shutil.copy(fields / kind / f"{old}.png", copies / kind / f"{new}.png")
    shutil.copy(fields / "masks" / "f0.png", copies / "images" / "w.png")  # another picture
    shutil.copy(fields / "masks" / "f0.png", copies / "masks" / "w.png")
    assert image_roles(record, list_folder(copies).labelled) == {
        "w": FOREIGN, "x": TRAINED, "y": VALIDATED, "z": TESTED,
    }  # fmt: skip
    w, x, y, z = (copies / "images" / f"{name}.png" for name in "wxyz")
    said = "of 4 scored pictures 1 trained the network and 1 chose the checkpoint: such scores flatter"
    assert seen_in_training_warning(record, [w, x, y, z]) == said
    assert (
        seen_in_training_warning(record, [y])
        == "of 1 scored picture 1 chose the checkpoint: such scores flatter"
    )
    assert seen_in_training_warning(record, [z, w]) is None


def test_roles_are_those_that_the_checkpoint_lists_whatever_the_folder_holds_now(run, fields, tmp_path):
    path = run("data=folder", "data.root=gone")
    digests = {stem: file_sha256(fields / "images" / f"{stem}.png") for stem in ("f0", "f1")}
    images = UsedImages({"a": digests["f1"]}, {"b": digests["f0"]}, {})
    add_to_checkpoint(path, replace(read_checkpoint(path)[0], images=images))
    expected = {"f0": VALIDATED, "f1": TRAINED, "f2": FOREIGN}
    for _ in range(2):  # with the configuration and without
        assert image_roles(record_of(path), list_folder(fields).labelled) == expected
        (tmp_path / "run" / "config.yaml").unlink(missing_ok=True)


def test_of_a_moved_or_relative_data_folder_nothing_is_told(run, fields, tmp_path, monkeypatch):
    images = list_folder(fields).labelled
    gone = record_of(run("data=folder", f"data.root={tmp_path / 'gone'}"))
    assert set(image_roles(gone, images).values()) == {UNKNOWN}
    monkeypatch.chdir(tmp_path)
    for kind in ("images", "masks"):
        (tmp_path / "here" / kind).mkdir(parents=True)
        for stem, source in (("p", "f0"), ("q", "f1")):
            shutil.copy(fields / kind / f"{source}.png", tmp_path / "here" / kind / f"{stem}.png")
    relative = record_of(run("data=folder", "data.root=here"))
    assert image_roles(relative, images) == {"f0": TRAINED, "f1": VALIDATED, "f2": UNKNOWN}


def test_without_a_configuration_nothing_is_known(checkpoint, fields):
    record = record_of(checkpoint)
    assert record == TrainingRecord()
    assert seen_in_training_warning(record, [fields / "images" / "f0.png"]) is None
    assert set(image_roles(record, list_folder(fields).labelled).values()) == {UNKNOWN}


OWN = "seed: 0\nmodel: {architecture: unet, encoder: tu-mobilenetv3_small_100}"


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text(
            "seed: 1\nmodel: {architecture: unet, encoder: tu-mobilenetv3_small_100}"
        ),
        lambda path: path.write_text(
            "seed: 0\nmodel: {architecture: fpn, encoder: tu-mobilenetv3_small_100}"
        ),
        lambda path: path.write_text(f"{OWN}\ndata: {{}}"),
        lambda path: path.write_text(f"{OWN}\naugment: 3\ndata: 4"),
        lambda path: path.write_text("[1, 2"),
        lambda path: path.write_text("- 1"),
        lambda path: path.write_bytes(b"\xff\xfe\x00"),
        lambda path: path.unlink(),
    ],
    ids=["seed", "architecture", "no_group", "no_groups", "yaml", "list", "bytes", "absent"],
)
def test_a_configuration_that_is_not_this_checkpoints_is_not_taken(run, change):
    path = run("augment=robust")
    change(path.parent.parent / "config.yaml")
    assert record_of(path) == TrainingRecord()


def test_weights_that_ship_have_seen_the_recipe_that_ships(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(generic, "WEIGHTS", tmp_path)
    path = tmp_path / "best.ckpt"
    shutil.copy(checkpoint, path)
    assert record_of(path).source
    stream = compose_train("experiment=pretrain").augment
    assert {name: getattr(stream, name) for name in STREAM_AUGMENT} == STREAM_AUGMENT
    without = compose_train("experiment=pretrain", "augment=none").augment
    differ = {name for name, value in vars(stream).items() if getattr(without, name) != value}
    assert differ - {"name"} == set(STREAM_AUGMENT)


def test_the_stream_has_seen_no_picture_of_anybodys(run, fields):
    record = record_of(run("experiment=pretrain", "seed=0"))
    assert set(image_roles(record, list_folder(fields).labelled).values()) == {FOREIGN}
