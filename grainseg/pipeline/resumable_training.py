"""Train, resume or reuse one of several runs: a fold of leave-one-out or a job of a sweep."""

import logging
from dataclasses import replace
from pathlib import Path

from grainseg.config import FolderDataConfig, TrainConfig, to_plain
from grainseg.data.folder import images_of
from grainseg.errors import GrainsegError
from grainseg.micrograph.folders.used_images import changes
from grainseg.model.checkpoint import read_checkpoint
from grainseg.pipeline.runs.resuming import differing
from grainseg.pipeline.train import train
from grainseg.report.files.metrics_file import METRICS, read_metrics
from grainseg.training.run_folder import BEST, CONFIG, LAST, checkpoint_path, is_of_training, read_config

log = logging.getLogger(__name__)


def train_or_resume(config: TrainConfig, folder: Path, *, fold: bool = False) -> dict[str, float]:
    """Train a run, resume it if it was interrupted, or read its metrics if it is finished.

    Args:
        config: The run, without ``resume``; :func:`require_same` has checked what its folder holds.
        folder: Folder of the run.
        fold: Whether it is a fold of a leave-one-out run.

    Returns:
        The contents of ``metrics.json``.

    Raises:
        GrainsegError: The run cannot be trained, or a file in the folder cannot be read.
    """
    last, best, metrics = checkpoint_path(folder, LAST), checkpoint_path(folder), folder / METRICS
    if all(path.is_file() for path in (folder / CONFIG, metrics, best)) and not _is_newer(last, metrics):
        log.info("%s: is finished", folder)
        return read_metrics(metrics, f"remove {folder}, and it is trained again")
    if last.is_file():
        config = replace(config, resume=str(last))
    elif (folder / CONFIG).is_file():  # interrupted before its first last.ckpt was complete
        best.unlink(missing_ok=True)
    return train(config, folder, fold=fold)


def require_same(config: TrainConfig, folder: Path, key: str) -> None:
    """Check that a folder holds this run or no run.

    Args:
        config: The run.
        folder: Folder of the run.
        key: Configuration key that sets where the folders of all runs are, for the message.

    Raises:
        GrainsegError: The folder holds a run with another configuration or other images.
    """
    if not (folder / CONFIG).is_file():
        return
    before = read_config(folder / CONFIG, f"remove {folder}")
    if not is_of_training(before):
        raise GrainsegError(f"{folder}: holds a {CONFIG} that no training run wrote; say another {key}")
    others = list(differing(before, to_plain(config)))
    if before.get("epochs") != config.epochs:  # some of the runs may be finished
        others.append(("epochs", before.get("epochs"), config.epochs))
    for name, was, now in others:
        raise GrainsegError(
            f"{folder}: was trained with {name}={was}, this run has {name}={now}; "
            f"say the same overrides again, or another {key}"
        )
    other = _other_images(config, folder)
    if other:
        raise GrainsegError(
            f"{folder}: was trained with other images: {other}; bring data.root back to what it held then, "
            f"or say another {key}"
        )


def _other_images(config: TrainConfig, folder: Path) -> str:
    """Return in words how the images of a run differ from those in its data folder now; empty if equal.

    If the data folder is gone, nothing is compared: a finished run does not need it.
    """
    checkpoints = [path for name in (BEST, LAST) if (path := checkpoint_path(folder, name)).is_file()]
    data = config.data
    if not checkpoints or not isinstance(data, FolderDataConfig) or not Path(data.root).is_dir():
        return ""
    spec, _ = read_checkpoint(checkpoints[0])
    return "" if spec.images is None else changes(spec.images, images_of(data))


def _is_newer(last: Path, metrics: Path) -> bool:
    """Return whether a scored run was resumed and interrupted again, so that its metrics are outdated."""
    return last.is_file() and last.stat().st_mtime_ns > metrics.stat().st_mtime_ns
