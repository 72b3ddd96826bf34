"""What lies where in the folder of a training run, and whether a run may take a folder."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from grainseg.errors import GrainsegError
from grainseg.micrograph.replacing import replacing

CONFIG = "config.yaml"
CHECKPOINTS = "checkpoints"
BEST, LAST = "best", "last"
TENSORBOARD = "tensorboard"

_MAX_CHARACTERS = 200_000
_MAX_DEPTH = 20
"""Of a ``config.yaml``: about a hundred times the length and four times the depth of a run's."""


def checkpoint_path(run_dir: Path, name: str = BEST) -> Path:
    """One of a run's checkpoints, ``best.ckpt`` or ``last.ckpt``."""
    return run_dir / CHECKPOINTS / f"{name}.ckpt"


def fold_dir(run_dir: Path, number: int) -> Path:
    """Folder of a fold of a leave-one-out run: one of an ordinary run."""
    return run_dir / f"fold_{number}"


def write_config(path: Path, plain: Mapping[str, Any]) -> None:
    """Write plain values as YAML, as ``config.yaml`` of a run.

    Args:
        path: File to write; missing folders are made.
        plain: Nested mappings, lists, strings, numbers and None.

    Raises:
        GrainsegError: The file cannot be written.
    """
    with replacing(path) as handle:
        handle.write(OmegaConf.to_yaml(OmegaConf.create(dict(plain))).encode())


def read_config(path: Path, advice: str) -> dict[str, Any]:
    """The values of a ``config.yaml``, plain and unchecked; none where it holds something else.

    Args:
        path: The file.
        advice: What to do if it cannot be read.

    Raises:
        GrainsegError: It cannot be read, or no run writes such a file.
    """
    try:
        with path.open(encoding="utf-8") as handle:
            text = handle.read(_MAX_CHARACTERS + 1)
        _require_plain(text)
        found = OmegaConf.to_container(OmegaConf.load(io.StringIO(text)))
    except Exception as error:  # a text of any kind: the readers of YAML raise errors of their own
        raise GrainsegError(f"{path}: cannot be read; {advice}") from error
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def _require_plain(text: str) -> None:
    """Raise a ValueError where no run wrote this and reading it may take hours: run folders are passed on."""
    if len(text) > _MAX_CHARACTERS:
        raise ValueError(f"longer than {_MAX_CHARACTERS} characters")
    depth = 0
    for event in yaml.parse(text):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise ValueError(f"nested more than {_MAX_DEPTH} deep")
        if isinstance(event, AliasEvent):  # of aliases of aliases: ten lines become 10⁹ values
            raise ValueError("holds aliases")


def require_free(run_dir: Path) -> None:
    """See that a run that goes on with none overwrites none.

    Raises:
        GrainsegError: The folder holds a run.
    """
    last = checkpoint_path(run_dir, LAST)
    if last.exists():
        way = f"say resume={last} to go on with it, or another folder"
    elif fold_dir(run_dir, 0).is_dir():
        way = "say leave_one_out=true to go on with its folds, or another folder"
    elif checkpoint_path(run_dir).exists():
        way = "say another folder"
    else:
        return
    raise GrainsegError(f"hydra.run.dir={run_dir}: holds a run already; {way}")


def require_free_or_folds(run_dir: Path) -> None:
    """See that a leave-one-out run overwrites no other run.

    Raises:
        GrainsegError: The folder holds an ordinary run.
    """
    if checkpoint_path(run_dir, LAST).exists() or (
        checkpoint_path(run_dir).exists() and not fold_dir(run_dir, 0).is_dir()
    ):
        raise GrainsegError(
            f"hydra.run.dir={run_dir}: holds a run that is not leave-one-out; say another folder"
        )
