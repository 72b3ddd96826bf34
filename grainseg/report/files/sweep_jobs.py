"""Record each job of a sweep in its folder, read the records with the scores, and write sweep.csv."""

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from grainseg.errors import GrainsegError
from grainseg.micrograph.formats.replacing import replacing
from grainseg.report.files.batch_rows import Value
from grainseg.report.files.metrics_file import METRICS, read_metrics
from grainseg.report.files.tables import SWEEP, write_csv

JOB = ".hydra/job.json"
"""The record of a job, in its folder."""
FINISHED, FAILED, UNFINISHED = "finished", "failed", "unfinished"

JobState = tuple[int, int]
"""Time of change and number of the file of a record; a record that is written again has another."""

_METRICS = ("val/", "test/", "out_of_fold/", "train/seconds", "train/parameters")
"""Beginnings of the metrics in the table, each only if a job has it."""


@dataclass(frozen=True)
class SweepJob:
    """A job of a sweep.

    Attributes:
        number: Number of the job.
        folder: Folder of the job.
        overrides: Value of each key that is swept.
        status: ``FINISHED``, ``FAILED``, or ``UNFINISHED`` if the job runs or was interrupted.
        error: Why the job failed, in one line.
        metrics: Contents of ``metrics.json`` of a finished job.
    """

    number: int
    folder: Path
    overrides: Mapping[str, str | float]
    status: str = UNFINISHED
    error: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Return the job in words, such as ``job 3 (model=unet seed=0)``."""
        said = " ".join(f"{key}={value}" for key, value in self.overrides.items())
        return f"job {self.number} ({said})" if said else f"job {self.number}"

    def score(self, name: str) -> float:
        """Return a metric; nan if the job does not have it."""
        return self.metrics.get(name, math.nan)


def write_job(job: SweepJob) -> None:
    """Write the record of a job into its folder, without the metrics.

    Raises:
        GrainsegError: The file cannot be written.
    """
    record = {"job": job.number, "status": job.status, "overrides": job.overrides, "error": job.error}
    with replacing(job.folder / JOB) as handle:
        handle.write((json.dumps(record, indent=2) + "\n").encode())


def job_states(sweep: Path) -> dict[Path, JobState]:
    """Return the state of each record in the folder of a sweep.

    Args:
        sweep: Folder of the sweep; it need not be there yet.
    """
    states = {}
    for path in sweep.glob(f"*/{JOB}"):
        with suppress(OSError):
            status = path.stat()
            states[path] = status.st_mtime_ns, status.st_ino
    return states


def read_jobs(sweep: Path, before: Mapping[Path, JobState] = MappingProxyType({})) -> list[SweepJob]:
    """Read the jobs of a sweep, in the order of their numbers; files that are not records are ignored.

    Args:
        sweep: Folder of the sweep, which holds a folder per job.
        before: States of the records before the sweep; those that did not change are of another sweep.
    """
    jobs = []
    for path, state in job_states(sweep).items():
        if before.get(path) == state:
            continue
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            jobs.append(_read_job(path))
    return sorted(jobs, key=lambda job: (job.number, job.folder))


def swept_keys(jobs: Sequence[SweepJob]) -> list[str]:
    """Return the keys that are swept, in the order in which the jobs list them."""
    return list(dict.fromkeys(key for job in jobs for key in job.overrides))


def write_sweep(sweep: Path, jobs: Sequence[SweepJob]) -> Path:
    """Write ``sweep.csv`` with one row per job, and return its path.

    Args:
        sweep: Folder of the sweep.
        jobs: The jobs; metrics keep their names in ``metrics.json``.

    Raises:
        GrainsegError: The file cannot be written.
    """
    named = dict.fromkeys(name for job in jobs for name in job.metrics)
    metrics = [name for start in _METRICS for name in named if name.startswith(start)]
    rows: list[dict[str, Value]] = [
        {
            "job": job.number,
            "folder": job.folder.name,
            **job.overrides,
            "status": job.status,
            **job.metrics,
            "error": job.error,
        }
        for job in jobs
    ]
    write_csv(sweep / SWEEP, rows, ["job", "folder", *swept_keys(jobs), "status", *metrics, "error"])
    return sweep / SWEEP


def _read_job(path: Path) -> SweepJob:
    record = json.loads(path.read_text(encoding="utf-8"))
    folder, status = path.parent.parent, str(record["status"])
    overrides = {
        key: value if isinstance(value, int | float) else str(value)
        for key, value in record["overrides"].items()
    }
    metrics: Mapping[str, float] = {}
    if status == FINISHED:
        with suppress(GrainsegError):  # the job stays in the list, without scores
            metrics = read_metrics(folder / METRICS, "train again")
    return SweepJob(int(record["job"]), folder, overrides, status, str(record["error"]), metrics)
