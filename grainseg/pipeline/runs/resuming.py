"""Check that an interrupted run can be resumed from a checkpoint."""

import logging
import math
import shutil
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from grainseg.config import TrainConfig, to_plain
from grainseg.data.source import TrainingData
from grainseg.errors import GrainsegError
from grainseg.micrograph.folders.used_images import changes
from grainseg.micrograph.formats.replacing import replacing
from grainseg.model.checkpoint import CheckpointSpec, read_training, require_single
from grainseg.model.networks import NetworkSpec
from grainseg.pipeline.runs.training_record import recorded_config
from grainseg.training.averaging import require_same_averaging
from grainseg.training.run_folder import CHECKPOINTS, CONFIG, checkpoint_path, require_free

log = logging.getLogger(__name__)

_MAY_DIFFER = (
    "name",
    "resume",
    "epochs",
    "logger",
    "data.num_workers",
    "inference.tile_size",
    "inference.overlap",
    "trainer.accelerator",
    "trainer.strategy",
    "trainer.precision",
    "callbacks.progress_bar",
    "callbacks.panels",
    "callbacks.early_stopping_patience",
)
"""Settings in which a resumed run may differ. Its steps and patches stay the same. Its weights and scores may
change: by the rounding of other hardware, by the dropout that a GPU or another number of processes draws, by
the seams of other tiles, and by the statistics that a network which adapts to each picture takes from other
parts of it. Without such a difference they are those of an uninterrupted run, unless the interruption was in
the first epoch."""
_WHOLE = ("data.regimes", "model.options")
"""Settings with free keys; they are compared as a whole, so a key that only one run has is a difference."""
_SAME_WIDTH = 0.01
"""Tolerated relative difference of the labels' mean line width: a few pixels may have been corrected."""
_SAME_OFFSET_PX = 0.1
"""Tolerated difference of the label offset, which is measured again, perhaps on other hardware."""
_RESTORING = {"_restore_modules_and_callbacks", "restore_training_state"}
"""Functions in which Lightning restores the contents of a checkpoint; it has no hook around them."""


def check_resume(config: TrainConfig, network: NetworkSpec, checkpoint: Path) -> CheckpointSpec:
    """Check that a checkpoint can be resumed with this configuration.

    Args:
        config: The run.
        network: The network that it trains.
        checkpoint: Checkpoint to resume from.

    Returns:
        The specification in the checkpoint.

    Raises:
        GrainsegError: There is no such checkpoint, it is damaged or cannot be resumed, or its run had other
            settings or more epochs.
    """
    if not checkpoint.is_file():
        raise GrainsegError(f"resume={checkpoint}: there is no such file; give the last.ckpt of a run")
    spec, content = read_training(checkpoint)
    require_single(spec, checkpoint)
    for key, was, now in (
        *((f"model.{key}", vars(spec.network)[key], value) for key, value in vars(network).items()),
        ("inference.tta", spec.tta, config.inference.tta),
        ("inference.adapt", spec.adapt, config.inference.adapt),
    ):
        if was != now:
            raise GrainsegError(
                f"resume={checkpoint}: has {key}={was}, this run {key}={now}; "
                "say the overrides of the interrupted run again"
            )
    if not content.get("optimizer_states"):
        raise GrainsegError(f"resume={checkpoint}: holds no optimizer; give the last.ckpt beside it")
    try:
        require_same_averaging(checkpoint, content["callbacks"], config)
        done = int(content["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])
        if done < 0 or len(content["lr_schedulers"]) != 1:  # without, Lightning would restart the schedule
            raise ValueError
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(checkpoint) from error
    recorded = recorded_config(checkpoint, spec)
    if recorded is None:
        log.warning(
            "resume=%s: without %s of its run beside %s/ most settings cannot be compared; see that these "
            "overrides are those of the interrupted run",
            checkpoint,
            CONFIG,
            CHECKPOINTS,
        )
        recorded = {"seed": spec.seed}
    _require_same_settings(config, recorded, checkpoint)
    _require_epochs(config, done, checkpoint)
    return spec


@contextmanager
def refused_if_damaged(checkpoint: Path) -> Iterator[None]:
    """Turn an error that occurs while Lightning restores a checkpoint, and no other, into a GrainsegError.

    Args:
        checkpoint: Checkpoint to resume from; any path if none is resumed, since nothing is restored then.

    Raises:
        GrainsegError: Parts of the checkpoint do not fit together, are of the wrong type, or are missing.
    """
    try:
        yield
    except (GrainsegError, OSError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # wrong values make Lightning and PyTorch raise errors of any type
        frames = traceback.walk_tb(error.__traceback__)
        if _RESTORING.isdisjoint(frame.f_code.co_name for frame, _ in frames):
            raise
        raise _damaged(checkpoint) from error


def _damaged(checkpoint: Path) -> GrainsegError:
    return GrainsegError(f"resume={checkpoint}: is damaged or was changed; give another last.ckpt")


def require_own_or_free(checkpoint: Path, run_dir: Path) -> None:
    """Check that a run is resumed in its own folder, or in one that holds no run.

    Args:
        checkpoint: Checkpoint that the run is resumed from.
        run_dir: Folder of the resumed run.

    Raises:
        GrainsegError: The folder holds another run, or files that a run would overwrite.
    """
    if (run_dir / CHECKPOINTS).resolve() not in (checkpoint.parent.resolve(), checkpoint.resolve().parent):
        require_free(run_dir, checkpoint.with_name(checkpoint_path(run_dir).name))


def copy_best_checkpoint(checkpoint: Path, run_dir: Path) -> None:
    """Copy the best checkpoint of the interrupted run into the run's folder, unless there is one already.

    Args:
        checkpoint: Checkpoint that the run is resumed from.
        run_dir: Folder of the resumed run.

    Raises:
        GrainsegError: It cannot be written.
    """
    here = checkpoint_path(run_dir)
    best = checkpoint.with_name(here.name)
    if best.is_file() and not here.exists():
        # Replaced at once: the next start would take a partial copy for a complete one.
        with best.open("rb") as source, replacing(here) as target:
            shutil.copyfileobj(source, target)


def require_same_data(config: TrainConfig, spec: CheckpointSpec, data: TrainingData) -> None:
    """Check that a resumed run has the images and labels of the interrupted run.

    Args:
        config: The resumed run.
        spec: Specification in the checkpoint that it is resumed from.
        data: Data of the resumed run.

    Raises:
        GrainsegError: The interrupted run had other images, or saw them shrunk by another factor. If its
            configuration is missing, also: the lines of its labels had another width or another offset.
    """
    other = "" if spec.images is None else changes(spec.images, data.images)
    if other:
        raise GrainsegError(
            f"resume={config.resume}: its run had other images: {other}; "
            "bring data.root back to what it held then, or start a new run"
        )
    if spec.shrink != data.shrink:
        raise GrainsegError(
            f"resume={config.resume}: its network sees pictures shrunk by {spec.shrink}, the labels ask for "
            f"{data.shrink} now; say data.shrink={spec.shrink}"
        )
    if recorded_config(Path(str(config.resume)), spec) is None:
        _require_same_labels(config, spec, data)


def _require_same_labels(config: TrainConfig, spec: CheckpointSpec, data: TrainingData) -> None:
    if not math.isclose(spec.line_width_px, data.line_width_px, rel_tol=_SAME_WIDTH):
        raise GrainsegError(
            f"resume={config.resume}: the lines of its labels were {spec.line_width_px:.2f} px wide, now "
            f"they are {data.line_width_px:.2f} px; say the data.… overrides of the interrupted run again"
        )
    if math.dist(spec.label_offset_px, data.label_offset_px) > _SAME_OFFSET_PX:
        down, right = spec.label_offset_px
        now_down, now_right = data.label_offset_px
        raise GrainsegError(
            f"resume={config.resume}: its labels were taken to lie {down:g} px down and {right:g} px to the "
            f"right, now {now_down:g} and {now_right:g} px; say data.label_offset=[{down},{right}]"
        )


def _require_same_settings(config: TrainConfig, recorded: Mapping[str, Any], checkpoint: Path) -> None:
    """Check that the settings that may not differ are those of the interrupted run."""
    others = list(differing(recorded, to_plain(config)))
    if others:
        was = ", ".join(f"{key}={value}" for key, value, _ in others)
        now = ", ".join(f"{key}={value}" for key, _, value in others)
        raise GrainsegError(
            f"resume={checkpoint}: its run had {was}, this one {now}; say the overrides of the interrupted "
            "run again, or start a new run"
        )


def differing(
    before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, object, object]]:
    """Yield the differences that prevent one run from continuing another.

    Args:
        before: Configuration of the earlier run; keys that it lacks, as in a file of another version, are not
            compared.
        now: Configuration of the later run.
        prefix: Prefix of the keys.

    Yields:
        Key, earlier value and later value.
    """
    for name in now:
        key = prefix + name
        if name not in before or key in _MAY_DIFFER:
            continue
        was, value = before[name], now[name]
        if isinstance(was, Mapping) and isinstance(value, Mapping) and key not in _WHOLE:
            yield from differing(was, value, f"{key}.")
        elif key == "data.root":
            if _is_other_folder(Path(str(was)), Path(str(value))):
                yield key, was, value
        elif was != value:
            yield key, was, value


def _is_other_folder(was: Path, now: Path) -> bool:
    """Return whether two paths are different folders; a folder that is gone is taken to have been moved."""
    if was.resolve() == now.resolve():
        return False
    if not was.exists():
        log.warning("data.root: %s is gone, %s is taken for the same images", was, now)
        return False
    return True


def _require_epochs(config: TrainConfig, done: int, checkpoint: Path) -> None:
    """Check that the run asks for at least the epochs done; with exactly these, it is only scored."""
    if config.epochs < done:
        raise GrainsegError(
            f"epochs={config.epochs}: resume={checkpoint} has more already; say {done} or more"
        )
