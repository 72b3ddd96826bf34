"""docs/tables.md says what every column of every table is, and names none that is not there."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from report_example import report, write_tables

from grainseg.grains.fields.members import MemberRange, MemberSpread
from grainseg.grains.scoring.scores import score_prediction
from grainseg.report.files.sweep_jobs import SweepJob, write_sweep

DOCS = Path(__file__).resolve().parents[3] / "docs" / "tables.md"


def documented(title: str) -> list[str]:
    """The names in the first column of a section's table."""
    section = DOCS.read_text(encoding="utf-8").split(f"## {title}")[1].split("\n## ")[0]
    cells = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def require(columns: list[str], names: list[str]) -> None:
    patterns = {name: re.compile(re.escape(name).replace("…", ".*")) for name in names}
    for column in columns:
        assert any(pattern.fullmatch(column) for pattern in patterns.values()), f"{column} is not documented"
    for name, pattern in patterns.items():
        assert any(pattern.fullmatch(column) for column in columns), f"there is no column {name}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("tables")
    example = report({"A": ["a1", "a2"], "B": ["b1", "b2"]})
    size = MemberRange(1.0, 2.0, 0.1)
    of_ensemble = [
        replace(each, field=replace(each.field, members=MemberSpread(2, size, size)))
        for each in example.images
    ]
    write_tables(found, replace(example, images=tuple(of_ensemble)))
    return found


@pytest.mark.parametrize("name", ["grains", "fields", "batches", "budget", "comparisons"])
def test_every_column_is_documented_and_no_other(folder: Path, name: str) -> None:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        require(next(csv.reader(handle)), documented(f"{name}.csv"))


def test_every_column_of_a_sweep_is_documented_and_no_other(tmp_path: Path) -> None:
    kinds = [f"{part}/{name}{end}" for part in ("val", "test") for name in ("iou", "boundary_f1",
             "grain_count_error", "intercept_error") for end in ("", "_fitted", "_ensemble")]  # fmt: skip
    scores = dict.fromkeys([*kinds, "out_of_fold/iou", "train/seconds", "train/parameters"], 0.5)
    path = write_sweep(tmp_path, [SweepJob(0, tmp_path, {}, metrics=scores)])
    with path.open(encoding="utf-8", newline="") as handle:
        require(next(csv.reader(handle)), documented("sweep.csv"))


def test_every_score_is_documented_and_no_other() -> None:
    label = np.zeros((8, 8), np.uint8)
    label[:, 4] = 1
    scores = score_prediction(label == 1, np.ones((8, 8), np.uint32), label, 3.0)
    require(list(scores.metrics()), documented("metrics.json"))
