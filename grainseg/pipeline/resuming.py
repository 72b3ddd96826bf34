"""Whether an interrupted run can go on from a checkpoint."""

import shutil
from pathlib import Path

from grainseg.config import TrainConfig, to_plain
from grainseg.errors import GrainsegError
from grainseg.model.checkpoint import CheckpointSpec, can_resume, read_checkpoint, require_single
from grainseg.model.networks import NetworkSpec
from grainseg.pipeline.training_record import read_record
from grainseg.training.averaging import require_same_kept
from grainseg.training.run_folder import checkpoint_path


def check_resume(
    config: TrainConfig, network: NetworkSpec, checkpoint: Path, run_dir: Path
) -> CheckpointSpec:
    """See that the checkpoint can go on as this run, and bring its best one along.

    Args:
        config: The run.
        network: That it trains.
        checkpoint: To go on from.
        run_dir: Folder of the run.

    Returns:
        What the checkpoint says of itself.

    Raises:
        GrainsegError: There is no such checkpoint, or its network, data or averages are others.
    """
    if not checkpoint.is_file():
        raise GrainsegError(f"resume={checkpoint}: there is no such file; give the last.ckpt of a run")
    spec, _ = read_checkpoint(checkpoint)
    require_single(spec, checkpoint)
    wanted, found = vars(network), vars(spec.network)
    for key, value in wanted.items():
        if found[key] != value:
            raise GrainsegError(
                f"resume={checkpoint}: has model.{key}={found[key]}, this run model.{key}={value}; "
                "say the overrides of the interrupted run again"
            )
    if not can_resume(checkpoint):
        raise GrainsegError(f"resume={checkpoint}: holds no optimizer; give the last.ckpt beside it")
    require_same_kept(checkpoint, config)
    _require_same_data(config, spec, checkpoint)
    here = checkpoint_path(run_dir)
    best = checkpoint.with_name(here.name)
    if best.is_file() and not here.exists():
        here.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(best, here)
    return spec


def require_same_shrink(config: TrainConfig, spec: CheckpointSpec, shrink: int) -> None:
    """See that a network goes on with pictures on the grid that it knows; checkpoints of before have but one.

    Args:
        config: The run.
        spec: What the checkpoint says that it goes on from.
        shrink: What the data of the resumed run ask for.

    Raises:
        GrainsegError: The interrupted run had another.
    """
    if spec.shrink != shrink:
        raise GrainsegError(
            f"resume={config.resume}: its network sees pictures shrunk by {spec.shrink}, the labels ask for "
            f"{shrink} now; say data.shrink={spec.shrink}"
        )


def _require_same_data(config: TrainConfig, spec: CheckpointSpec, checkpoint: Path) -> None:
    """See that the run goes on with its own images: one that has trained it must not come to validate it."""
    before = read_record(checkpoint, spec).config.get("data", {})
    now = to_plain(config)["data"]
    for key in before.keys() & now.keys() - {"num_workers"}:
        same = before[key] == now[key]
        if key == "root":
            same = Path(str(before[key])).resolve() == Path(str(now[key])).resolve()
        if not same:
            raise GrainsegError(
                f"resume={checkpoint}: its run had data.{key}={before[key]}, this one data.{key}={now[key]}; "
                "say the overrides of the interrupted run again"
            )
