"""Hydra callback for sweeps: one folder for all jobs, a check of the direction, a summary at the end."""

import math
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, read_write

from grainseg.config import VALIDATION_METRICS
from grainseg.console import say
from grainseg.errors import GrainsegError
from grainseg.overrides import as_typed, shortened

OmegaConf.register_new_resolver("shortened", shortened, replace=True)  # for conf/train.yaml


class SweepSummary(Callback):
    """Prints after a sweep which of its jobs were best, also if one of them failed.

    Hydra creates the callback itself, and does not end a sweep properly if a job failed. The folder of the
    sweep is therefore kept in the class, where `show` finds it.
    """

    _sweep: ClassVar[tuple[Path, str] | None] = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Give all jobs one folder, whatever their names, in an override, as they may run in other processes.

        Raises:
            SystemExit: The sweep would search for the worst job; Hydra would continue after any other error.
        """
        direction = config.hydra.sweeper.get("direction")
        direction = getattr(direction, "name", direction)  # Optuna's is an Enum
        if direction not in (None, "maximize"):
            raise SystemExit(
                f"error: hydra.sweeper.direction={direction}: more of the objective is always better, "
                "also of errors; say hydra.sweeper.direction=maximize"
            )
        with read_write(config.hydra):
            folder = str(config.hydra.sweep.dir).replace("${", r"\${")
            config.hydra.overrides.hydra.append(as_typed(f"hydra.sweep.dir={folder}"))
        metric = config.get("optimized_metric")
        if metric in VALIDATION_METRICS:
            SweepSummary._sweep = Path(config.hydra.sweep.dir), metric

    @classmethod
    def show(cls) -> None:
        """Print the jobs of the last sweep, the best first; nothing without a sweep."""
        if cls._sweep is not None:
            for line in sweep_lines(*cls._sweep):
                say(line)
            cls._sweep = None


def sweep_lines(folder: Path, metric: str) -> list[str]:
    """A heading and a line for each finished job of a sweep, the best first; none if no job finished.

    Args:
        folder: Folder of the sweep; each job has a folder of its own in it.
        metric: Metric by which the jobs are ranked, one of ``VALIDATION_METRICS``.
    """
    from grainseg.report.files.metrics_file import METRICS, read_metrics

    found: list[tuple[float, str]] = []
    for path in sorted(folder.glob(f"*/{METRICS}")):
        with suppress(GrainsegError):  # other files in the folder need not be a job's
            value = read_metrics(path, "it is left out").get(metric, math.nan)
            if math.isfinite(value):
                found.append((value, path.parent.name))
    found.sort(key=lambda each: each[0], reverse=VALIDATION_METRICS[metric] == "max")
    best = [f"{metric}  job, the best first ({folder})"] if found else []
    return best + [f"{value:<{len(metric)}.4f}  {job}" for value, job in found]
