"""The card in the report of a prediction: only that of the same network, and only a whole one."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from report_example import report

from grainseg.errors import GrainsegError
from grainseg.report.files.robustness_note import NOTE, PLOT, RobustnessNote, read_note, write_note
from grainseg.report.html.page import write_report

SHA = hashlib.sha256(b"network").hexdigest()
CARD = RobustnessNote(
    SHA, "Images: of <b>Monday</b>.", ("Mean over the card: 95 %.", "Worst cell: 67 %."), 0.1
)
PNG = b"\x89PNG\r\n\x1a\n and so on"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_note(tmp_path, CARD)
    (tmp_path / PLOT).write_bytes(PNG)
    return tmp_path


def test_a_note_reads_back(folder: Path) -> None:
    assert read_note(folder, SHA, 0.1) == (CARD, PNG)


def test_the_card_of_another_network_is_refused(folder: Path) -> None:
    with pytest.raises(GrainsegError, match="is the card of another checkpoint"):
        read_note(folder, hashlib.sha256(b"another").hexdigest(), 0.1)


def test_the_card_of_another_adaptation_is_refused(folder: Path) -> None:
    with pytest.raises(
        GrainsegError, match=r"adapts .* by 0\.1, this prediction's by 0; run .* --adapt 0, or"
    ):
        read_note(folder, SHA, 0.0)


def test_a_folder_without_a_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GrainsegError, match=rf"robustness={tmp_path}: holds no {NOTE}"):
        read_note(tmp_path, SHA, 0.1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "[" * 60_000,
        json.dumps({"checkpoint_sha256": SHA, "images": "x", "adapt": 0.1}),
        json.dumps({"checkpoint_sha256": SHA, "images": "x", "sentences": []}),
        json.dumps({"checkpoint_sha256": SHA, "images": 3, "sentences": [], "adapt": 0.1}),
        json.dumps({"checkpoint_sha256": SHA, "images": "x", "sentences": [], "adapt": "0.1"}),
        json.dumps({"checkpoint_sha256": SHA, "images": "x", "sentences": [1], "adapt": 0.1}),
        json.dumps({"checkpoint_sha256": SHA, "images": "x", "sentences": "x", "adapt": 0.1}),
        json.dumps({"checkpoint_sha256": SHA, "images": "x", "sentences": ["x" * 2**16], "adapt": 0.1}),
    ],
)
def test_a_damaged_note_is_refused(folder: Path, text: str) -> None:
    (folder / NOTE).write_text(text)
    with pytest.raises(GrainsegError, match="is damaged"):
        read_note(folder, SHA, 0.1)


def test_a_plot_that_is_none_is_refused(folder: Path) -> None:
    (folder / PLOT).write_bytes(b"<svg onload=alert(1)>")
    with pytest.raises(GrainsegError, match="is damaged"):
        read_note(folder, SHA, 0.1)


def test_the_report_takes_it_over_and_escapes_it(tmp_path: Path) -> None:
    plain = report({"A": ["a"]})
    write_report(tmp_path / "without.html", plain)
    write_report(tmp_path / "with.html", replace(plain, robustness=(CARD, PNG)))
    without, page = ((tmp_path / name).read_text() for name in ("without.html", "with.html"))
    assert 'id="robustness"' not in without
    assert 'href="#robustness"' in page
    assert "Mean over the card: 95 %." in page
    assert "&lt;b&gt;Monday" in page
    assert "data:image/png;base64,iVBORw0KGgo" in page
