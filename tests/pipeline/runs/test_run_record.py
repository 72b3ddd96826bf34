"""What a run used, in the log and in ``run.json``."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grainseg.config import TrainConfig
from grainseg.micrograph.files import file_sha256
from grainseg.model.generic import WEIGHTS
from grainseg.pipeline.runs.run_record import RunRecord, StartingWeights, log_start
from grainseg.pipeline.train import _build_network
from grainseg.versions import versions

DATA: Any = SimpleNamespace(
    train_images=(SimpleNamespace(stem="f0"),),
    val_images=(SimpleNamespace(stem="f1"), SimpleNamespace(stem="f2")),
    test_images=(),
)


def trainer(processes: int = 1, step: int = 0, first: bool = True) -> Any:
    return SimpleNamespace(is_global_zero=first, world_size=processes, global_step=step)


def record(config: TrainConfig, run_dir: Path, start: StartingWeights | None, step: int) -> dict[str, Any]:
    callback = RunRecord(config, run_dir, start, DATA)
    callback.on_train_start(trainer(step=step), None)  # type: ignore[arg-type]
    return dict(json.loads((run_dir / "run.json").read_text()))


@pytest.fixture
def exact(smoke_config: TrainConfig) -> TrainConfig:
    return replace(smoke_config, trainer=replace(smoke_config.trainer, precision="32-true"))


def test_the_weights_that_ship_are_named_with_their_steps(smoke_config: TrainConfig) -> None:
    model = replace(smoke_config.model, encoder="resnet18", decoder_width=128, init="generic")
    config = replace(smoke_config, model=model)
    _, start = _build_network(config)
    assert start is not None
    assert start.words(config) == ("the generic weights of unet with resnet18 (4608 steps of pretraining)")
    assert start.file == "unet_resnet18.safetensors"
    assert start.sha256 == file_sha256(WEIGHTS / start.file)


def test_other_starts(smoke_config: TrainConfig) -> None:
    assert _build_network(smoke_config)[1] == StartingWeights("scratch")
    assert StartingWeights("scratch").words(smoke_config) == "random weights"
    of_encoder = StartingWeights("imagenet").words(smoke_config)
    assert of_encoder == f"ImageNet weights of {smoke_config.model.encoder}"
    assert _build_network(replace(smoke_config, resume="last.ckpt"))[1] is None


def told(caplog: pytest.LogCaptureFixture, config: TrainConfig, trainer: Any, steps: int = 0) -> list[str]:
    caplog.clear()
    start = None if config.resume else StartingWeights("scratch")
    with caplog.at_level(logging.INFO, "grainseg"):
        log_start(config, trainer, start, steps, DATA)
    return caplog.messages


def test_a_run_says_how_it_trains(exact: TrainConfig, caplog: pytest.LogCaptureFixture) -> None:
    how = "trains on cpu in 32-true; validates on f1, f2"
    assert told(caplog, exact, trainer()) == ["starts from random weights", how]
    resumed = replace(exact, resume="RUN/last.ckpt")
    assert told(caplog, resumed, trainer(), 8) == ["goes on after step 8 of RUN/last.ckpt", how]


def test_the_patches_of_a_step_are_those_of_all_processes(
    exact: TrainConfig, caplog: pytest.LogCaptureFixture
) -> None:
    assert told(caplog, exact, trainer(3))[2:] == ["6 patches a step: batch_size=2 in each of 3 processes"]
    twice = replace(exact, trainer=replace(exact.trainer, accumulate_grad_batches=2))
    (line,) = told(caplog, twice, trainer(3))[2:]
    assert line.startswith("12 patches a step: ")
    assert line.endswith("of 3 processes, 2 times (trainer.accumulate_grad_batches)")
    assert told(caplog, exact, trainer(3, first=False)) == []


def test_the_record_of_a_new_run(exact: TrainConfig, tmp_path: Path) -> None:
    found = record(exact, tmp_path, StartingWeights("generic", "a.safetensors", "0f", 5), 0)
    assert len(found.pop("revision") or "") in (0, 40, len("-dirty") + 40)
    assert found.pop("versions").items() >= versions("torch", "lightning").items()
    assert found == {
        "accelerator": "cpu",
        "precision": "32-true",
        "processes": 1,
        "train": ["f0"],
        "val": ["f1", "f2"],
        "test": [],
        "starting_weights": {"init": "generic", "file": "a.safetensors", "sha256": "0f", "steps": 5},
        "from_step": 0,
        "earlier": [],
    }


def test_a_resumed_run_keeps_the_records_of_before(exact: TrainConfig, tmp_path: Path) -> None:
    first = record(exact, tmp_path, StartingWeights("scratch"), 0)
    faster = replace(exact.trainer, precision="bf16-mixed")
    resumed = replace(exact, trainer=faster, resume=str(tmp_path / "checkpoints" / "last.ckpt"))
    second = record(resumed, tmp_path, None, 4)
    assert (second["precision"], second["from_step"]) == ("bf16-mixed", 4)
    assert second["starting_weights"] == first["starting_weights"]
    third = record(resumed, tmp_path, None, 6)
    del second["earlier"], first["earlier"]
    assert third["earlier"] == [first, second]


@pytest.mark.parametrize("text", [None, "[", "[]", '"earlier"', "{}", 200_000 * "["])
def test_a_run_whose_record_is_lost_is_resumed_all_the_same(
    text: str | None, exact: TrainConfig, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    resumed = replace(exact, resume=str(tmp_path / "checkpoints" / "last.ckpt"))
    found = record(resumed, tmp_path, None, 4)
    assert (found["starting_weights"], found["earlier"], found["from_step"]) == (None, [], 4)


def test_without_a_batch_what_is_there_is_kept(exact: TrainConfig, tmp_path: Path) -> None:
    """No epoch was left to train: only in another folder than the run's own there is nothing yet."""
    callback = RunRecord(exact, tmp_path, StartingWeights("scratch"), DATA)
    callback.on_fit_end(trainer(first=False), None)  # type: ignore[arg-type]
    assert not (tmp_path / "run.json").exists()
    callback.on_fit_end(trainer(step=4), None)  # type: ignore[arg-type]
    written = (tmp_path / "run.json").read_bytes()
    callback.on_fit_end(trainer(step=5), None)  # type: ignore[arg-type]
    assert (tmp_path / "run.json").read_bytes() == written
