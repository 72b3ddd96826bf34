"""A fold or a job that an earlier start left: taken, gone on with or trained again, if it is this one."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from grainseg.config import TrainConfig, to_plain
from grainseg.data.folder import images_of
from grainseg.errors import GrainsegError
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.pipeline import resumable_training
from grainseg.pipeline.resumable_training import require_same, train_or_resume
from grainseg.report.files.metrics_file import write_metrics
from grainseg.training.run_folder import write_config

BEST, LAST, METRICS = "checkpoints/best.ckpt", "checkpoints/last.ckpt", "metrics.json"


@pytest.mark.parametrize(
    ("left", "trained"),
    [
        ([BEST, LAST, METRICS], None),
        ([BEST, METRICS], None),  # a fold, whose last checkpoint goes
        ([BEST, LAST], LAST),
        ([BEST, METRICS, LAST], LAST),  # gone on with after its scores, and interrupted
        ([BEST], ""),
        ([METRICS], ""),  # scores of a network that is gone
        ([], ""),
    ],
)
def test_what_an_earlier_start_left(
    left: list[str],
    trained: str | None,
    smoke_config: TrainConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The files are there in the order in which they were written."""
    asked = []

    def train(config: TrainConfig, folder: Path, *, fold: bool) -> dict[str, float]:
        asked.append(config.resume)
        assert fold
        assert (folder / BEST).exists() == (config.resume is not None)
        return {"val/iou": 0.9}

    monkeypatch.setattr(resumable_training, "train", train)
    write_config(tmp_path / "config.yaml", to_plain(smoke_config))
    (tmp_path / "checkpoints").mkdir()
    for second, name in enumerate(left):
        write_metrics(tmp_path / name, {"val/iou": 0.5})
        os.utime(tmp_path / name, (second, second))
    metrics = train_or_resume(smoke_config, tmp_path, fold=True)
    assert metrics == {"val/iou": 0.5 if trained is None else 0.9}
    assert asked == ([] if trained is None else [str(tmp_path / trained) if trained else None])


def test_what_is_finished_has_its_configuration_and_may_be_as_old_as_its_last_checkpoint(
    smoke_config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose the scores are is not known without; some disks tell the time to two seconds."""
    monkeypatch.setattr(resumable_training, "train", lambda *_, **__: {"val/iou": 0.9})
    for name in (BEST, LAST, METRICS):
        write_metrics(tmp_path / name, {"val/iou": 0.5})
        os.utime(tmp_path / name, (2, 2))
    assert train_or_resume(smoke_config, tmp_path) == {"val/iou": 0.9}
    write_config(tmp_path / "config.yaml", to_plain(smoke_config))
    assert train_or_resume(smoke_config, tmp_path) == {"val/iou": 0.5}


def test_a_job_of_another_configuration_or_other_images_is_refused(
    smoke_config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A study proposes other values under the same number."""
    require_same(smoke_config, tmp_path, "hydra.sweep.dir")
    write_config(tmp_path / "config.yaml", to_plain(smoke_config))
    require_same(smoke_config, tmp_path, "hydra.sweep.dir")
    other = replace(smoke_config, optimizer=replace(smoke_config.optimizer, lr=0.5))
    with pytest.raises(GrainsegError, match=r"has optimizer\.lr=0\.5; say .* or another hydra\.sweep\.dir"):
        require_same(other, tmp_path, "hydra.sweep.dir")
    longer = replace(smoke_config, epochs=smoke_config.epochs + 1)
    with pytest.raises(GrainsegError, match=r"this run has epochs=\d+; say the same overrides"):
        require_same(longer, tmp_path, "hydra.sweep.dir")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / BEST).touch()
    images = replace(images_of(smoke_config.data), val={})
    spec = CheckpointSpec("unet", "resnet18", 1, None, {}, 64, 32, 0.5, 3.0, 0, images=images)
    with monkeypatch.context() as patch:
        patch.setattr(resumable_training, "read_checkpoint", lambda _: (spec, {}))
        with pytest.raises(GrainsegError, match=r"images: 'f2' is new and would validate; bring data\.root"):
            require_same(smoke_config, tmp_path, "hydra.sweep.dir")
        gone = replace(smoke_config, data=replace(smoke_config.data, root=str(tmp_path / "gone")))
        write_config(tmp_path / "config.yaml", to_plain(gone))
        require_same(gone, tmp_path, "hydra.sweep.dir")  # what is finished needs no data
    write_config(tmp_path / "config.yaml", {"jobs": 3})
    with pytest.raises(GrainsegError, match=r"config\.yaml that no training run wrote; say another hydra"):
        require_same(smoke_config, tmp_path, "hydra.sweep.dir")
