"""Scores that any JSON reader takes."""

import json
import math
from pathlib import Path

from grainseg.report.metrics_file import write_metrics


def test_what_is_not_finite_is_null(tmp_path: Path) -> None:
    scores = {"a/b.png": {"iou": 0.1 + 0.2, "voi": math.inf}, "all": {"iou": math.nan, "count": 3}}
    write_metrics(tmp_path / "new" / "metrics.json", scores)
    text = (tmp_path / "new" / "metrics.json").read_text(encoding="utf-8")
    read = json.loads(text, parse_constant=lambda name: name)
    assert read == {"a/b.png": {"iou": 0.1 + 0.2, "voi": None}, "all": {"iou": None, "count": 3}}
