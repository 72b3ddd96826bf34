"""Comparing tables of earlier runs: what is left out is said, and what cannot be compared is one line."""

from pathlib import Path

import pytest
from report_example import fields_of, image, report

from grainseg.pipeline.compare import compare
from grainseg.report.tables import write_fields, write_grains


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two batches of three fields, one of which has no pixel size."""
    fields = fields_of(report({"A": ["a1", "a2"], "B": ["b1", "b2", "b3"]}))
    fields["A"].append(image(5, "a3", "A", None).field)
    write_fields(tmp_path / "one" / "fields.csv", fields)
    write_grains(tmp_path / "one" / "grains.csv", fields)
    return tmp_path / "one"


def test_what_is_left_out_is_said(folder: Path) -> None:
    first, verdict, systematic = compare([folder], None, 0.25).splitlines()
    assert first == "A: without a pixel size, so left out: a3."
    assert verdict.startswith("The geometric mean of the fields' mean intercepts is")
    assert systematic.startswith("An error that both batches share")
