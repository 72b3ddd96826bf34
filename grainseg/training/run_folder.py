"""Layout of the folder of a training run, and checks that a run may use a folder."""

import filecmp
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from grainseg.errors import GrainsegError
from grainseg.micrograph.formats.replacing import replacing
from grainseg.report.files.metrics_file import METRICS
from grainseg.report.files.prediction_files import PREDICTIONS

CONFIG = "config.yaml"
RUN = "run.json"
CHECKPOINTS = "checkpoints"
BEST, LAST = "best", "last"
TENSORBOARD = "tensorboard"
FOLDS = "folds.csv"

_MAX_CHARACTERS = 200_000
_MAX_DEPTH = 20
"""Limits for a ``config.yaml``: about a hundred times the length and four times the depth of a run's file."""


def checkpoint_path(run_dir: Path, name: str = BEST) -> Path:
    """Return the path of a run's checkpoint, ``best.ckpt`` or ``last.ckpt``."""
    return run_dir / CHECKPOINTS / f"{name}.ckpt"


def fold_dir(run_dir: Path, number: int) -> Path:
    """Return the folder of a fold of a leave-one-out run; it has the layout of an ordinary run."""
    return run_dir / f"fold_{number}"


def remove_events(folder: Path) -> None:
    """Delete the TensorBoard events of an earlier start, which would be mixed with new ones in one curve."""
    for old in folder.glob("events.out.tfevents.*"):
        old.unlink()


def write_config(path: Path, plain: Mapping[str, Any]) -> None:
    """Write plain values as YAML, such as the ``config.yaml`` of a run.

    Args:
        path: File to write; missing folders are created.
        plain: Nested mappings, lists, strings, numbers and None.

    Raises:
        GrainsegError: The file cannot be written.
    """
    with replacing(path) as handle:
        handle.write(OmegaConf.to_yaml(OmegaConf.create(dict(plain))).encode())


def read_config(path: Path, advice: str) -> dict[str, Any]:
    """Read the values of a ``config.yaml``, plain and unchecked; empty if it does not hold a mapping.

    Args:
        path: The file.
        advice: What the error message tells the user to do.

    Raises:
        GrainsegError: The file cannot be read, or no run writes such a file.
    """
    try:
        with path.open(encoding="utf-8") as handle:
            text = handle.read(_MAX_CHARACTERS + 1)
        _require_plain(text)
        values = OmegaConf.to_container(OmegaConf.load(io.StringIO(text)))
    except Exception as error:  # the text may be anything, and the YAML readers raise errors of their own
        raise GrainsegError(f"{path}: cannot be read; {advice}") from error
    return {str(key): value for key, value in values.items()} if isinstance(values, dict) else {}


def is_of_training(config: Mapping[str, Any]) -> bool:
    """Check whether plain values are those of the ``config.yaml`` of a training run."""
    return all(isinstance(config.get(group), dict) for group in ("data", "augment", "model"))


def _require_plain(text: str) -> None:
    """Raise a ValueError for a text that no run writes and that, from a stranger, may take hours to read."""
    if len(text) > _MAX_CHARACTERS:
        raise ValueError(f"longer than {_MAX_CHARACTERS} characters")
    depth = 0
    for event in yaml.parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise ValueError(f"nested more than {_MAX_DEPTH} deep")
        if isinstance(event, AliasEvent):  # nested aliases can expand ten lines to 10⁹ values
            raise ValueError("holds aliases")


def require_free(run_dir: Path, brought: Path | None = None) -> None:
    """Check that a run would not overwrite another run or other files in its folder.

    A run that was interrupted before its first checkpoint leaves its configuration and TensorBoard events; a
    new run may overwrite these.

    Args:
        run_dir: The folder.
        brought: The best checkpoint of the run that is resumed into this folder. A copy of it does not count
            as a run: it remains from an earlier start that was interrupted before its first checkpoint.

    Raises:
        GrainsegError: The folder holds a run, or files that a run would overwrite.
    """
    last = checkpoint_path(run_dir, LAST)
    if last.exists():
        way = f"say resume={last} to go on with it, or another folder"
    elif fold_dir(run_dir, 0).is_dir():
        way = "say leave_one_out=true to go on with its folds, or another folder"
    elif (best := checkpoint_path(run_dir)).exists() and not _is_copy(best, brought):
        way = "say another folder"
    else:
        _require_nothing_else(run_dir, METRICS, PREDICTIONS)
        return
    raise GrainsegError(f"hydra.run.dir={run_dir}: holds a run already; {way}")


def _is_copy(path: Path, of: Path | None) -> bool:
    return of is not None and of.is_file() and filecmp.cmp(path, of, shallow=False)


def require_free_or_folds(run_dir: Path) -> None:
    """Check that a leave-one-out run would not overwrite another run or other files in its folder.

    Raises:
        GrainsegError: The folder holds an ordinary run, or files that a run would overwrite.
    """
    begun = fold_dir(run_dir, 0).is_dir()
    if checkpoint_path(run_dir, LAST).exists() or (checkpoint_path(run_dir).exists() and not begun):
        raise GrainsegError(
            f"hydra.run.dir={run_dir}: holds a run that is not leave-one-out; say another folder"
        )
    if not begun:  # a leave-one-out run replaces existing TensorBoard events
        _require_nothing_else(run_dir, METRICS, PREDICTIONS, FOLDS, TENSORBOARD)


def _require_nothing_else(run_dir: Path, *names: str) -> None:
    """Check that a folder holds none of these names, nor a ``config.yaml`` that no training run wrote."""
    found = [name for name in names if (run_dir / name).exists()]
    config = run_dir / CONFIG
    if not config.exists():  # a run writes it first
        found += [RUN] if (run_dir / RUN).exists() else []
    elif not is_of_training(read_config(config, "say another hydra.run.dir")):
        found.append(CONFIG)
    if found:
        raise GrainsegError(
            f"hydra.run.dir={run_dir}: holds {', '.join(found)}, which a run would overwrite; "
            "say another folder, or move them away"
        )
