"""What the HPARAMS tab lists: runs, by the values that they used, and not the folds of a run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import compose_train, tensorboard_events
from lightning.pytorch.loggers import TensorBoardLogger

from grainseg.config import to_plain
from grainseg.training.board import log_configuration, log_scores
from grainseg.training.run_folder import TENSORBOARD
from grainseg.training.runtime import hardware_used

METRICS = {"val/iou": 0.5, "val/are_fitted": 0.1, "train/parameters": 7.0}
PLAIN = to_plain(compose_train("trainer=cpu"))


@pytest.fixture
def logger(tmp_path: Path) -> Iterator[TensorBoardLogger]:
    logger = TensorBoardLogger(tmp_path, name="", version=TENSORBOARD, default_hp_metric=False)
    yield logger
    logger.finalize("success")


def test_a_run_is_listed_by_what_it_used(logger: TensorBoardLogger, tmp_path: Path) -> None:
    used = hardware_used(compose_train("trainer=cpu", "trainer.precision=bf16-mixed").trainer)
    assert used == {"trainer.accelerator": "cpu", "trainer.precision": "bf16-mixed"}
    assert PLAIN["trainer"]["precision"] == "auto"
    log_configuration(logger, PLAIN, used)
    log_scores(logger, PLAIN, METRICS, 3, fold=False)
    board = tensorboard_events(tmp_path)
    started = board.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    assert b"bf16-mixed" in started
    assert [board.Scalars(tag)[-1].value for tag in ("hp/val_iou", "hp/parameters")] == [0.5, 7]


def test_a_fold_is_not_listed_but_has_its_curves(logger: TensorBoardLogger, tmp_path: Path) -> None:
    log_configuration(logger, PLAIN, None)
    log_scores(logger, PLAIN, METRICS, 3, fold=True)
    tags = tensorboard_events(tmp_path).Tags()
    assert tags["scalars"] == ["val/are_fitted"]
    assert tags["tensors"] == ["config/text_summary"]  # no session of the HPARAMS tab
