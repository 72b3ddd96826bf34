"""Ctrl-C: never lost, and nothing left behind. Early stopping: by patience alone."""

import io
import logging
import math
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.trainer.states import TrainerFn

from grainseg.training.callbacks import (
    LossAndScoreBar,
    MovableCheckpoint,
    ResumableEarlyStopping,
    SaveOnInterrupt,
    board_panel,
)

NOBODY = SimpleNamespace(global_step=3, save_checkpoint=lambda path: None)


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class InterruptedWhileFinalised(io.RawIOBase):
    """What Python asks of a file when it is finalised, and when what is raised is cleared."""

    @property
    def closed(self) -> bool:
        signal.raise_signal(signal.SIGINT)
        return True


@pytest.fixture
def listening(tmp_path: Path) -> SaveOnInterrupt:
    callback = SaveOnInterrupt(tmp_path / "last.ckpt")
    callback.on_fit_start(NOBODY, None)  # type: ignore[arg-type]
    return callback


def test_a_ctrl_c_that_python_loses_stops_the_next_batch(listening: SaveOnInterrupt) -> None:
    listening.on_train_batch_start(NOBODY, None, None, 0)  # type: ignore[arg-type]
    InterruptedWhileFinalised()  # gone at once; the KeyboardInterrupt is cleared in its finaliser
    with pytest.raises(KeyboardInterrupt):
        listening.on_train_batch_start(NOBODY, None, None, 1)  # type: ignore[arg-type]


def test_a_ctrl_c_lost_in_the_last_epoch_stops_the_run(listening: SaveOnInterrupt) -> None:
    InterruptedWhileFinalised()
    with pytest.raises(KeyboardInterrupt):
        listening.on_fit_end(NOBODY, None)  # type: ignore[arg-type]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ordinary_ctrl_c_stops_at_once_and_the_handler_goes(listening: SaveOnInterrupt) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        signal.raise_signal(signal.SIGINT)
    listening.on_exception(NOBODY, None, caught.value)  # type: ignore[arg-type]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize(("epoch", "shown"), [(0, "Epoch 1 of 10"), (9, "Epoch 10 of 10")])
def test_the_bar_counts_epochs_from_one(epoch: int, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bar, told = LossAndScoreBar(), []
    trainer: Any = SimpleNamespace(current_epoch=epoch, max_epochs=10, num_training_batches=5)
    bar._trainer, bar.progress = trainer, SimpleNamespace()  # type: ignore[assignment]
    monkeypatch.setattr(bar, "_add_task", lambda total, description: told.append((total, description)))
    monkeypatch.setattr(bar, "refresh", lambda: None)
    bar.on_train_epoch_start(trainer, trainer)
    assert told == [(5, shown)]


def test_a_signal_that_the_shell_turned_off_stays_off(tmp_path: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    SaveOnInterrupt(tmp_path / "last.ckpt").on_fit_start(NOBODY, None)  # type: ignore[arg-type]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_early_stopping_goes_on_with_what_checkpoints_of_before_say() -> None:
    assert stopper(3).state_key == EarlyStopping("val/are", mode="min").state_key


def epochs_until_stop(callback: ResumableEarlyStopping, scores: list[float]) -> int:
    """After how many epochs of these scores a run stops; one more than there are where it does not."""
    trainer = SimpleNamespace(
        state=SimpleNamespace(fn=TrainerFn.FITTING),
        strategy=SimpleNamespace(reduce_boolean_decision=lambda stop, all: stop),
        fast_dev_run=False, sanity_checking=False, should_stop=False, is_global_zero=True,
    )  # fmt: skip
    for epoch, score in enumerate(scores):
        trainer.callback_metrics, trainer.current_epoch = {"val/are": torch.tensor(score)}, epoch
        callback.on_train_epoch_end(trainer, None)  # type: ignore[arg-type]
        if trainer.should_stop:
            return epoch + 1
    return len(scores) + 1


def stopper(patience: int) -> ResumableEarlyStopping:
    return ResumableEarlyStopping(
        "val/are", mode="min", patience=patience, check_finite=False, check_on_train_epoch_end=True
    )


@pytest.mark.parametrize(
    ("scores", "stop"),
    [
        ([math.inf, 0.5, math.nan, 0.4, 0.6], 6),
        ([math.inf, 0.5, 0.4, math.nan, math.inf], 5),
        ([math.nan, math.inf, 0.5], 2),
    ],
)
def test_what_is_not_finite_is_no_better_and_no_more(
    scores: list[float], stop: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert epochs_until_stop(stopper(2), scores) == stop
    said = f"stopped after epoch {stop}: val/are was no better for 2 epochs"
    assert [said in message for message in caplog.messages] == [True] * (stop <= len(scores))


def test_a_resumed_run_has_its_own_patience() -> None:
    before, after = stopper(2), stopper(4)
    epochs_until_stop(before, [0.5, 0.6])
    after.load_state_dict(before.state_dict())
    assert epochs_until_stop(after, [0.6, 0.7, 0.8, 0.9]) == 3


@pytest.mark.parametrize(("patience", "trains"), [(2, False), (3, True)])
def test_a_run_that_had_stopped_trains_on_only_with_more_patience(patience: int, trains: bool) -> None:
    stopped, resumed = stopper(2), stopper(patience)
    epochs_until_stop(stopped, [0.5, 0.6, 0.7])
    resumed.load_state_dict(stopped.state_dict())
    trainer: Any = SimpleNamespace(should_stop=False, is_global_zero=True)
    resumed.on_fit_start(trainer, None)  # type: ignore[arg-type]
    assert trainer.should_stop is not trains


@pytest.mark.parametrize("score", ["x", torch.zeros(2)])
def test_the_best_score_of_a_resumed_run_is_one_number(score: object, tmp_path: Path) -> None:
    """Else it would fail at the end of the first epoch, when it is compared."""
    (tmp_path / "best.ckpt").touch()
    callback = MovableCheckpoint(dirpath=tmp_path, filename="best", monitor="val/iou", mode="max")
    with pytest.raises((AttributeError, RuntimeError)):
        callback.load_state_dict(callback.state_dict() | {"best_model_score": score})


@pytest.mark.parametrize(
    ("shape", "shown"),
    [((600, 2560, 3), (480, 2048, 3)), ((2560, 600, 3), (2048, 480, 3)), ((30, 2048, 3), (30, 2048, 3))],
)
def test_panels_in_tensorboard_have_a_longest_side(
    shape: tuple[int, int, int], shown: tuple[int, int, int]
) -> None:
    drawn = board_panel(np.full(shape, 200, np.uint8))
    assert drawn.shape == shown
    assert drawn.dtype == np.uint8
    assert (drawn == 200).all()
