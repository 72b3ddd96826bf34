"""Sweeps: one folder for all jobs, a check of the direction, a record of each job, and tables at the end."""

import math
import shlex
import statistics
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, read_write

from grainseg.config import VALIDATION_METRICS
from grainseg.console import aligned, say
from grainseg.errors import GrainsegError
from grainseg.hydra_app.messages import one_line
from grainseg.overrides import quote_override, shortened

if TYPE_CHECKING:  # imports NumPy, so it is imported only where it is used
    from grainseg.report.files.sweep_jobs import JobState, SweepJob

OmegaConf.register_new_resolver("shortened", shortened, replace=True)  # for conf/train.yaml

_SHOWN = ("val/iou", "val/boundary_f1")
"""Scores that the tables show in addition to the objective."""
_SEED = "seed"


class SweepSummary(Callback):
    """Prints at the end of a sweep which jobs were best and which failed, and writes ``sweep.csv``.

    Hydra creates the callback itself, and does not end a sweep properly if a job failed. The folder of the
    sweep is therefore kept in the class, where `show` finds it.
    """

    _sweep: ClassVar["tuple[Path, str, Mapping[Path, JobState]] | None"] = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Give all jobs one folder, whatever their names, in an override, as they may run in other processes.

        Raises:
            SystemExit: The sweep would search for the worst job, or would overwrite a ``sweep.csv`` of
                something else; Hydra would continue after any other error.
        """
        direction = config.hydra.sweeper.get("direction")
        direction = getattr(direction, "name", direction)  # Optuna's is an Enum
        if direction not in (None, "maximize"):
            raise SystemExit(
                f"error: hydra.sweeper.direction={direction}: more of the objective is always better, "
                "also of errors; say hydra.sweeper.direction=maximize"
            )
        _require_own_table(Path(config.hydra.sweep.dir))
        with read_write(config.hydra):
            folder = str(config.hydra.sweep.dir).replace("${", r"\${")
            config.hydra.overrides.hydra.append(quote_override(f"hydra.sweep.dir={folder}"))
        metric = config.get("optimized_metric")
        if metric in VALIDATION_METRICS:
            from grainseg.report.files.sweep_jobs import job_states

            sweep = Path(config.hydra.sweep.dir)
            SweepSummary._sweep = sweep, metric, job_states(sweep)

    @classmethod
    def show(cls) -> None:
        """Print the closing lines of the last sweep; nothing without a sweep."""
        if cls._sweep is None:
            return
        sweep, cls._sweep = cls._sweep, None
        try:
            for line in sweep_lines(*sweep):
                say(line)
        except GrainsegError as error:  # not raised, since it would replace the error that ended the sweep
            say(f"warning: {error}", sys.stderr)


@contextmanager
def recorded_job() -> Iterator[None]:
    """Record in the folder of a sweep's job whether it finishes or why it fails; nothing in a single run.

    Raises:
        GrainsegError: The job failed, and the message names it; or the record cannot be written.
    """
    hydra = HydraConfig.get()
    if hydra.mode != RunMode.MULTIRUN:
        yield
        return
    from grainseg.report.files.sweep_jobs import FAILED, FINISHED, SweepJob, write_job

    shared = hydra.job.config.override_dirname.exclude_keys
    job = hydra.job.num, Path(hydra.runtime.output_dir), swept_values(hydra.overrides.task, shared)
    write_job(SweepJob(*job))
    try:
        yield
    except Exception as error:
        failed = SweepJob(*job, FAILED, one_line(error))
        write_job(failed)
        raise GrainsegError(f"{failed.title}: {failed.error}") from error
    write_job(SweepJob(*job, FINISHED))


def swept_values(overrides: Sequence[str], shared: Collection[str]) -> dict[str, str | float]:
    """Return the value of each key or group in which the jobs of a sweep differ.

    Args:
        overrides: All overrides of one job.
        shared: Keys and groups that have the same value in all jobs.
    """
    values: dict[str, str | float] = {}
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        if override.key_or_group not in shared:
            value = override.value()
            # Numbers stay numbers and texts lose their quotes; true, null and lists become texts.
            if not isinstance(value, str | int | float) or isinstance(value, bool):
                value = override.get_value_element_as_str()
            values[override.key_or_group] = value
    return values


def sweep_lines(
    folder: Path, metric: str, before: Mapping[Path, "JobState"] = MappingProxyType({})
) -> list[str]:
    """Write ``sweep.csv``, and return the closing lines of a sweep; do neither if it has no jobs.

    The lines are a table of the finished jobs, a table of the means over seeds if seeds are swept, a line for
    each job that did not finish, and the paths of the results.

    Args:
        folder: Folder of the sweep, which holds a folder per job.
        metric: Metric by which the jobs are ranked, one of ``VALIDATION_METRICS``.
        before: Records that were there before the sweep; jobs that it did not run are not listed.

    Raises:
        GrainsegError: ``sweep.csv`` cannot be written.
    """
    from grainseg.report.files.sweep_jobs import FAILED, FINISHED, read_jobs, swept_keys, write_sweep

    jobs = read_jobs(folder, before)
    if not jobs:
        return []
    finished, keys = [job for job in jobs if job.status == FINISHED], swept_keys(jobs)
    lines = _job_table(finished, metric, keys) if finished else []
    if _SEED in keys:
        lines += _seed_table(finished, metric, [key for key in keys if key != _SEED])
    for job in jobs:
        if job.status != FINISHED:
            lines.append(
                f"{job.title}: " + (f"failed: {job.error}" if job.status == FAILED else "not finished")
            )
    lines.append(f"all scores:   {write_sweep(folder, jobs)}")
    if any(folder.glob("*/tensorboard")):
        lines.append(f"TensorBoard:  tensorboard --logdir {shlex.quote(str(folder))}")
    return lines


def _job_table(jobs: Sequence["SweepJob"], metric: str, keys: Sequence[str]) -> list[str]:
    names = _shown(metric)
    rows = [[*names, "job", *keys]]
    for job in sorted(jobs, key=lambda job: _rank(job.score(metric), metric)):
        scores = [_number(job.score(name)) for name in names]
        rows.append([*scores, str(job.number), *_cells(job.overrides, keys)])
    return [f"jobs, the best {metric} first:", *aligned(rows)]


def _seed_table(jobs: Sequence["SweepJob"], metric: str, keys: Sequence[str]) -> list[str]:
    """Return means and standard deviations (n - 1) over seeds; empty if no setting has two seeds."""
    groups: dict[tuple[str | float, ...], list[SweepJob]] = {}
    for job in jobs:
        groups.setdefault(tuple(job.overrides.get(key, "") for key in keys), []).append(job)
    if all(len(group) < 2 for group in groups.values()):
        return []

    def mean(group: Sequence["SweepJob"], name: str) -> float:
        return statistics.fmean(job.score(name) for job in group)

    names = _shown(metric)
    rows = [[*names, "n", *keys]]
    for group in sorted(groups.values(), key=lambda group: _rank(mean(group, metric), metric)):
        scores = [_mean_and_sd([job.score(name) for job in group]) for name in names]
        rows.append([*scores, str(len(group)), *_cells(group[0].overrides, keys)])
    return ["mean ± standard deviation over seeds:", *aligned(rows)]


def _shown(metric: str) -> list[str]:
    return list(dict.fromkeys((metric, *_SHOWN)))


def _rank(value: float, metric: str) -> float:
    """Return a sort key by which the best value comes first, and a missing one last."""
    if not math.isfinite(value):
        return math.inf
    return -value if VALIDATION_METRICS[metric] == "max" else value


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "-"


def _mean_and_sd(values: Sequence[float]) -> str:
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return _number(statistics.fmean(values))
    return f"{statistics.fmean(values):.4f} ± {statistics.stdev(values):.4f}"


def _cells(overrides: Mapping[str, str | float], keys: Sequence[str]) -> list[str]:
    values = (overrides.get(key, "") for key in keys)
    return [f"{value:.4g}" if isinstance(value, float) else str(value) for value in values]


def _require_own_table(folder: Path) -> None:
    """Raise a SystemExit if the folder holds a ``sweep.csv`` that no sweep wrote."""
    from grainseg.report.files.tables import SWEEP, is_table

    if (folder / SWEEP).exists() and not is_table(folder / SWEEP):
        raise SystemExit(
            f"error: hydra.sweep.dir={folder}: holds a {SWEEP} that no sweep wrote; choose another folder"
        )
