"""Scores that any JSON reader takes."""

import json
import math
from pathlib import Path

import pytest

from grainseg.errors import GrainsegError
from grainseg.report.files.metrics_file import read_metrics, write_metrics
from grainseg.report.files.own_files import is_metrics


def test_what_is_not_finite_is_null(tmp_path: Path) -> None:
    scores = {"a/b.png": {"iou": 0.1 + 0.2, "voi": math.inf}, "all": {"iou": math.nan, "count": 3}}
    write_metrics(tmp_path / "new" / "metrics.json", scores)
    text = (tmp_path / "new" / "metrics.json").read_text(encoding="utf-8")
    read = json.loads(text, parse_constant=lambda name: name)
    assert read == {"a/b.png": {"iou": 0.1 + 0.2, "voi": None}, "all": {"iou": None, "count": 3}}


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    write_metrics(path, {"val/iou": 0.1 + 0.2, "val/are": math.inf})
    found = read_metrics(path, "train again")
    assert found["val/iou"] == 0.1 + 0.2
    assert math.isnan(found["val/are"])


DEEP = "[" * 200_000


@pytest.mark.parametrize(
    "text", [None, "", "[1]", '{"a.png": {"iou": 1}}', "\xff", '{"iou": 1%s}' % ("0" * 400), DEEP]
)
def test_what_holds_no_numbers_is_said_to(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    if text is not None:
        path.write_text(text, encoding="latin-1")
    with pytest.raises(GrainsegError, match=r"metrics\.json: cannot be read; train again"):
        read_metrics(path, "train again")
    assert not is_metrics(path, "all")
