"""An interrupted run goes on where it stopped, or not at all."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from helpers import tensorboard_events
from lightning import Trainer

from grainseg.config import TrainConfig
from grainseg.errors import GrainsegError
from grainseg.model.checkpoint import read_checkpoint
from grainseg.pipeline.export import export
from grainseg.pipeline.runs.resuming import (
    check_resume,
    differing,
    refused_if_damaged,
)
from grainseg.pipeline.train import train
from grainseg.training.callbacks import SaveOnInterrupt


class PowerCutError(Exception):
    """Ends a run without any farewell."""


def stop_within_epoch_2(
    self: object, trainer: Trainer, module: object, batch: object, batch_idx: int
) -> None:
    if trainer.current_epoch == 2 and batch_idx == 1:
        raise PowerCutError


@pytest.mark.slow
def test_a_resumed_run_goes_on_where_it_stopped(smoke_config: TrainConfig, tmp_path: Path) -> None:
    """Weights, dropout, epoch, optimizer and schedule: two halves equal one whole run."""
    config = replace(
        smoke_config,
        epochs=4,
        model=replace(smoke_config.model, architecture="deeplabv3plus"),
        trainer=replace(smoke_config.trainer, precision="32-true"),
    )
    train(config, tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grainseg.training.callbacks.SaveOnInterrupt.on_train_batch_start", stop_within_epoch_2)
        with pytest.raises(PowerCutError):
            train(config, tmp_path / "halves")
    last = tmp_path / "halves" / "checkpoints" / "last.ckpt"
    assert torch.load(last, weights_only=True)["epoch"] == 1
    train(replace(config, resume=str(last)), tmp_path / "halves")
    whole, halves = (
        torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True)
        for name in ("whole", "halves")
    )
    assert whole["epoch"] == halves["epoch"] == 3
    assert whole["global_step"] == halves["global_step"]
    for key, value in whole["state_dict"].items():
        torch.testing.assert_close(halves["state_dict"][key], value, rtol=1e-5, atol=1e-6)
    boards = [tensorboard_events(tmp_path / name) for name in ("whole", "halves")]
    rates = [{event.step: event.value for event in board.Scalars("train/lr")} for board in boards]
    assert rates[0] == pytest.approx(rates[1])
    for board in boards:  # the batch before the power cut was trained twice
        assert [event.step for event in board.Scalars("train/lr")] == list(range(8))
        assert [event.step for event in board.Scalars("val/iou")] == [1, 3, 5, 7]
        assert [event.step for event in board.Images("val/f2")] == [1, 3, 5, 7]
        assert [event.step for event in board.Scalars("hp/val_iou")] == [0, 8]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resume": "nowhere.ckpt"}, "resume=nowhere.ckpt: there is no such file; give the last.ckpt"),
        ({"resume": __file__}, "not a checkpoint"),
        ({"resume": "BEST"}, "holds no optimizer; give the last.ckpt beside it"),
        ({"resume": "EXPORTED"}, "holds no optimizer; give the last.ckpt beside it"),
        (
            {"resume": "LAST", "model": "wider"},
            r"has model\.decoder_width=16, this run .*=32; say the overrides",
        ),
        ({"resume": "LAST"}, r"its run had data\.root=.*, this one data\.root=nowhere; say the overrides"),
    ],
)
def test_a_wrong_checkpoint_is_found_before_the_data_are_read(
    changes: dict[str, str],
    message: str,
    smoke_config: TrainConfig,
    run: tuple[Path, dict[str, float]],
    tmp_path: Path,
) -> None:
    changed: dict[str, object] = {**changes}
    if changes["resume"] in ("BEST", "LAST"):
        changed["resume"] = str(run[0] / "checkpoints" / f"{changes['resume'].lower()}.ckpt")
    if changes["resume"] == "EXPORTED":
        changed["resume"] = str(tmp_path / "exported.safetensors")
        export(run[0] / "checkpoints" / "best.ckpt", tmp_path / "exported.safetensors")
    if "model" in changes:
        changed["model"] = replace(smoke_config.model, decoder_width=32)
    config = replace(smoke_config, **changed, data=replace(smoke_config.data, root="nowhere"))  # type: ignore[arg-type]
    with pytest.raises(GrainsegError, match=message):
        train(config, tmp_path)


@pytest.mark.parametrize(
    "parts",
    [
        {"loops": {"fit_loop": {"epoch_progress": {"current": {"processed": -5}}}}},
        {"callbacks": {}},
        {"lr_schedulers": 1},
        {"lr_schedulers": []},
        pytest.param({"loops": [1]}, marks=pytest.mark.slow),
        pytest.param({"callbacks": [1]}, marks=pytest.mark.slow),
        pytest.param({"pytorch-lightning_version": "x"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_damaged_checkpoint_is_one_line(
    parts: dict[str, object], run: tuple[Path, dict[str, float]], smoke_config: TrainConfig, tmp_path: Path
) -> None:
    last = tmp_path / "last.ckpt"
    torch.save(torch.load(run[0] / "checkpoints" / "last.ckpt", weights_only=True) | parts, last)
    with pytest.raises(GrainsegError, match=r"^resume=.*last\.ckpt: is damaged or was changed; give another"):
        train(replace(smoke_config, epochs=4, resume=str(last)), tmp_path / "new")


@pytest.mark.parametrize(
    ("error", "told"),
    [(ValueError(), GrainsegError), (OSError("full"), OSError), (MemoryError(), MemoryError)],
)
def test_a_machine_that_fails_is_no_damaged_checkpoint(error: Exception, told: type[Exception]) -> None:
    def restore_training_state() -> None:  # as Lightning calls it
        raise error

    with pytest.raises(told), refused_if_damaged(Path("last.ckpt")):
        restore_training_state()


def test_what_fails_in_training_is_not_laid_to_the_checkpoint() -> None:
    with pytest.raises(PowerCutError), refused_if_damaged(Path("last.ckpt")):
        raise PowerCutError


def test_an_image_that_has_trained_a_run_cannot_come_to_validate_it(
    run: tuple[Path, dict[str, float]], smoke_config: TrainConfig, tmp_path: Path
) -> None:
    last = run[0] / "checkpoints" / "last.ckpt"
    data = replace(smoke_config.data, val=["f0"])  # type: ignore[call-arg]
    with pytest.raises(GrainsegError, match=r"its run had data\.val=None, this one data\.val=\['f0'\]"):
        train(replace(smoke_config, epochs=4, resume=str(last), data=data), tmp_path)


def test_an_image_that_was_added_does_not_move_the_others_to_other_parts(
    run: tuple[Path, dict[str, float]], smoke_config: TrainConfig, fields: Path, tmp_path: Path
) -> None:
    """The run's configuration says nothing of that: without data.val the last image validates."""
    last = run[0] / "checkpoints" / "last.ckpt"
    shutil.copytree(fields, tmp_path / "now")
    for kind in ("images", "masks"):
        shutil.copy(fields / kind / "f0.png", tmp_path / "now" / kind / "g.png")
    config = replace(smoke_config, epochs=4, resume=str(last))
    data = replace(smoke_config.data, root=str(tmp_path / "now"))
    message = r"other images: 'f2' validated and would train, 'g' is new and would validate; bring data\.root"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grainseg.pipeline.runs.resuming._is_other_folder", lambda *_: False)
        with pytest.raises(GrainsegError, match=message):
            train(replace(config, data=data), run[0])


def test_without_its_configuration_a_run_is_compared_with_what_the_checkpoint_says(
    run: tuple[Path, dict[str, float]],
    smoke_config: TrainConfig,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    last = tmp_path / "checkpoints" / "last.ckpt"
    last.parent.mkdir()
    last.hardlink_to(run[0] / "checkpoints" / "last.ckpt")
    config = replace(smoke_config, epochs=4, resume=str(last))
    with pytest.raises(GrainsegError, match="its run had seed=0, this one seed=1; say the overrides"):
        train(replace(config, seed=1), tmp_path)
    moved = replace(config.data, label_offset=[0.5, 0.0])  # type: ignore[call-arg]
    with pytest.raises(GrainsegError, match=r"now 0\.5 and 0 px; say data\.label_offset=\[0\.0,0\.0\]"):
        train(replace(config, data=moved), tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grainseg.data.folder.mean_line_width_px", lambda _: 9.0)
        with pytest.raises(GrainsegError, match=r"px wide, now they are 9\.00 px; say the data\."):
            train(config, tmp_path)
    assert "last.ckpt: without config.yaml of its run beside checkpoints/ most settings" in caplog.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": {"name": "sgd"}}, r"had optimizer\.name=adamw, this one optimizer\.name=sgd; say"),
        (
            {"optimizer": {"lr": 1e-5, "encoder_lr_factor": 0.5}},
            r"had optimizer\.lr=0\.003, optimizer\.encoder_lr_factor=1\.0, this one optimizer\.lr=1e-05, opt",
        ),
        ({"optimized_metric": "val/are"}, "had optimized_metric=val/iou, this one optimized_metric=val/are"),
        ({"model": {"options": {"decoder_attention_type": "scse"}}}, r"has model\.options=\{\}, this run"),
        ({"inference": {"tta": "d4"}}, "has inference.tta=none, this run inference.tta=d4; say"),
        ({"inference": {"adapt": 0.1}}, "has inference.adapt=0.0, this run inference.adapt=0.1; say"),
        ({"trainer": {"gradient_clip": 0.5}}, r"had trainer\.gradient_clip=1\.0, this one"),
        ({"batch_size": 3, "seed": 5}, "had seed=0, batch_size=2, this one seed=5, batch_size=3"),
        ({"epochs": 2}, r"epochs=2: resume=.* has more already; say 3 or more"),
    ],
)
def test_other_settings_are_refused_and_leave_the_run_as_it_was(
    changes: dict[str, object], message: str, run: tuple[Path, dict[str, float]], smoke_config: TrainConfig
) -> None:
    before = {path: path.stat().st_mtime_ns for path in run[0].rglob("*")}
    changed = {
        key: replace(getattr(smoke_config, key), **value) if isinstance(value, dict) else value
        for key, value in changes.items()
    }
    config = replace(smoke_config, **{"epochs": 4, **changed})  # type: ignore[arg-type]
    with pytest.raises(GrainsegError, match=message):
        train(replace(config, resume=str(run[0] / "checkpoints" / "last.ckpt")), run[0])
    assert {path: path.stat().st_mtime_ns for path in run[0].rglob("*")} == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", r"config\.yaml: cannot be read; put back that of .*last\.ckpt, or remove it"),
        ("OTHER", r"config\.yaml: is the configuration of another training; put back"),
    ],
)
def test_without_its_own_record_a_run_does_not_go_on(
    text: str, message: str, run: tuple[Path, dict[str, float]], smoke_config: TrainConfig, tmp_path: Path
) -> None:
    """An image that has trained could come to validate."""
    last = tmp_path / "checkpoints" / "last.ckpt"
    last.parent.mkdir()
    last.hardlink_to(run[0] / "checkpoints" / "last.ckpt")
    other = (run[0] / "config.yaml").read_text().replace("seed: 0", "seed: 1")
    (tmp_path / "config.yaml").write_text(other if text == "OTHER" else text)
    with pytest.raises(GrainsegError, match=message):
        train(replace(smoke_config, epochs=4, resume=str(last)), tmp_path)


def test_a_run_may_go_on_on_another_machine_but_not_with_other_options() -> None:
    def run(precision: str, workers: int, **options: str) -> dict[str, object]:
        return {
            "trainer": {"precision": precision},
            "data": {"num_workers": workers},
            "model": {"options": options},
        }

    before, now = run("16-mixed", 8, a="b") | {"of_another_version": 1}, run("32-true", 0)
    assert list(differing(before, now)) == [("model.options", {"a": "b"}, {})]


def test_images_may_be_moved_but_not_exchanged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before, now = {"data": {"root": str(tmp_path)}}, {"data": {"root": str(tmp_path / "new"), "val": None}}
    assert list(differing(before, now)) == [("data.root", str(tmp_path), str(tmp_path / "new"))]
    assert list(differing({"data": {"root": str(tmp_path / "gone")}}, now)) == []
    assert "gone is gone, " in caplog.text
    assert list(differing(before, {"data": {"root": str(tmp_path / "new" / "..")}})) == []


def test_a_run_goes_on_with_pictures_as_it_saw_them(
    run: tuple[Path, dict[str, float]], smoke_config: TrainConfig, tmp_path: Path
) -> None:
    """A run of before there was a choice; its labels would have pictures shrunk now."""
    last = tmp_path / "old" / "checkpoints" / "last.ckpt"
    shutil.copytree(run[0], tmp_path / "old")
    (tmp_path / "old" / "config.yaml").unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grainseg.data.folder.suited_shrink", lambda _: 2)
        with pytest.raises(GrainsegError, match=r"sees pictures shrunk by 1, .* 2 now; say data\.shrink=1"):
            train(replace(smoke_config, epochs=4, resume=str(last)), tmp_path)


def test_fewer_epochs_than_a_run_has_are_refused(
    run: tuple[Path, dict[str, float]], smoke_config: TrainConfig, tmp_path: Path
) -> None:
    last = run[0] / "checkpoints" / "last.ckpt"
    with pytest.raises(GrainsegError, match=r"epochs=1: resume=.* has more already; say 3 or more"):
        train(replace(smoke_config, epochs=1, resume=str(last)), tmp_path)
    as_many = replace(smoke_config, epochs=3)  # which a run has that was interrupted before its scores
    spec = check_resume(as_many, read_checkpoint(last)[0].network, last)
    together = replace(spec, members=3), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grainseg.pipeline.runs.resuming.read_training", lambda _: together)
        with pytest.raises(GrainsegError, match="holds an ensemble of 3 networks, which can only predict"):
            check_resume(as_many, spec.network, last)


@pytest.mark.slow
@pytest.mark.parametrize("moved", [True, False])
def test_a_resumed_run_keeps_a_better_checkpoint_of_before(
    moved: bool, run: tuple[Path, dict[str, float]], smoke_config: TrainConfig, tmp_path: Path
) -> None:
    """The run's folder was renamed, or the run goes on in another folder."""
    shutil.copytree(run[0], tmp_path / "copy")
    checkpoints = tmp_path / "copy" / "checkpoints"
    last = torch.load(checkpoints / "last.ckpt", weights_only=True)
    for name, state in last["callbacks"].items():
        if "val/iou" in name:
            state["best_model_score"] = torch.tensor(0.99)
    torch.save(last, checkpoints / "last.ckpt")
    before = (checkpoints / "best.ckpt").read_bytes()
    target = tmp_path / "copy" if moved else tmp_path / "elsewhere"
    metrics = train(replace(smoke_config, epochs=4, resume=str(checkpoints / "last.ckpt")), target)
    assert (target / "checkpoints" / "best.ckpt").read_bytes() == before
    assert metrics["val/iou"] == pytest.approx(run[1]["val/iou"], abs=1e-6)
    assert "train/seconds" not in metrics


def test_ctrl_c_within_the_first_epoch_saves_and_later_keeps_the_whole_epoch(tmp_path: Path) -> None:
    saved: list[Path] = []
    trainer = SimpleNamespace(global_step=3, save_checkpoint=saved.append)
    callback = SaveOnInterrupt(tmp_path / "last.ckpt")
    callback.on_exception(trainer, None, ValueError())  # type: ignore[arg-type]
    assert saved == []
    callback.on_exception(trainer, None, KeyboardInterrupt())  # type: ignore[arg-type]
    assert saved == [tmp_path / "last.ckpt"]
    (tmp_path / "last.ckpt").touch()
    callback.on_exception(trainer, None, KeyboardInterrupt())  # type: ignore[arg-type]
    assert len(saved) == 1
