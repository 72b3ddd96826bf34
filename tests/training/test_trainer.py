"""Checkpoints are whole or the old ones, whatever happens while they are written."""

import resource
from pathlib import Path

import pytest
import torch
from helpers import compose_train

from grainseg.errors import GrainsegError
from grainseg.training.callbacks import RecordConfiguration
from grainseg.training.trainer import WholeCheckpoints, build_trainer


def test_a_full_disk_is_one_line_and_leaves_the_checkpoint_of_before(tmp_path: Path) -> None:
    path = tmp_path / "new" / "last.ckpt"
    plugin = WholeCheckpoints()
    plugin.save_checkpoint({"epoch": 1}, path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, hard))  # a write beyond fails as on a full disk
    try:
        with pytest.raises(GrainsegError, match=r"last\.ckpt: cannot be written \(File too large\)"):
            plugin.save_checkpoint({"epoch": 2, "weights": torch.zeros(2**18)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert plugin.load_checkpoint(path, weights_only=True) == {"epoch": 1}
    assert [each.name for each in path.parent.iterdir()] == ["last.ckpt"]


def test_every_run_writes_its_checkpoints_so(tmp_path: Path) -> None:
    trainer = build_trainer(compose_train("trainer=cpu"), tmp_path, 0)
    assert isinstance(trainer.strategy.checkpoint_io, WholeCheckpoints)


def test_steps_of_several_batches(tmp_path: Path) -> None:
    trainer = build_trainer(compose_train("trainer=cpu", "trainer.accumulate_grad_batches=3"), tmp_path, 0)
    assert trainer.accumulate_grad_batches == 3


@pytest.mark.parametrize("fold", [False, True])
def test_a_fold_is_no_run_of_its_own_in_tensorboard(
    fold: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[dict[str, str] | None] = []
    monkeypatch.setattr("grainseg.training.callbacks.log_configuration", lambda *given: used.append(given[2]))
    trainer = build_trainer(compose_train("trainer=cpu"), tmp_path, 0, fold=fold)
    (record,) = (each for each in trainer.callbacks if isinstance(each, RecordConfiguration))  # type: ignore[attr-defined]
    record.on_train_start(trainer, None)  # type: ignore[arg-type]
    shown = {"trainer.accelerator": "cpu", "trainer.precision": trainer.precision}
    assert used == [None if fold else shown]


def test_half_precision_is_the_gpus(tmp_path: Path) -> None:
    with pytest.raises(GrainsegError, match=r"trainer\.precision=16-mixed: needs a GPU, .*; say"):
        build_trainer(compose_train("trainer=cpu", "trainer.precision=16-mixed"), tmp_path, 0)
