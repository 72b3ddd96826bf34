"""Comparing tables of earlier runs: what is left out is said, and what cannot be compared is one line."""

from pathlib import Path

import pytest
from report_example import fields_of, image, report, write_fields

from grainseg.errors import GrainsegError
from grainseg.pipeline.compare import compare


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two batches of three fields, and a fourth that has no pixel size."""
    fields = fields_of(report({"A": ["a1", "a2", "a4"], "B": ["b1", "b2", "b3"]}))
    fields["A"].append(image(1, "a3", "A", None).field)
    write_fields(tmp_path / "one", fields)
    return tmp_path / "one"


def test_what_is_left_out_is_said(folder: Path) -> None:
    first, verdict, systematic = compare([folder], None, 0.25).splitlines()
    assert first == "A: without a pixel size, so left out: a3."
    assert verdict.startswith("The geometric mean of the fields' mean intercepts is")
    assert systematic.startswith("An error that both batches share")


@pytest.mark.parametrize("margin", [float("inf"), float("nan"), 0.0, -1.0, 1e-300, 1e-6, 0.0099, 5.01, 1e6])
def test_a_margin_that_says_nothing_is_refused(folder: Path, margin: float) -> None:
    with pytest.raises(GrainsegError, match=r"^--margin-g=.*: must be from 0.01 to 5 grain size numbers$"):
        compare([folder], None, margin)


@pytest.mark.parametrize("margin", [0.01, 5.0])
def test_the_largest_and_smallest_margin_lead_to_a_verdict(folder: Path, margin: float) -> None:
    assert f"±{margin:g} G" in compare([folder], None, margin)


def test_one_folder_under_two_spellings_is_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    (folder.parent / "link").symlink_to(folder, target_is_directory=True)
    for spelling in ("one", "./one", "one/../one", str(folder), "link"):
        with pytest.raises(GrainsegError) as caught:
            compare([Path("one"), Path(spelling)], None, 0.25)
        assert f"{Path(spelling)}: is given twice" in str(caught.value)
        assert ("also as one" in str(caught.value)) == (Path(spelling) != Path("one"))


def test_a_copied_folder_is_no_second_batch(folder: Path, tmp_path: Path) -> None:
    """Not under another name of the folder, nor of the batch, nor with another pixel size."""
    write_fields(tmp_path / "copy", fields_of(report({"C": ["a1", "c2"]})))
    with pytest.raises(GrainsegError, match=r"^a1 in C has the very grains of a1 in A: one picture counts"):
        compare([folder, tmp_path / "copy"], None, 0.25)


def test_batches_of_one_name_are_told_apart_by_their_folders(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    two = [image(seed, f"a{seed}", "A").field for seed in (6, 7)]
    write_fields(other, {"A": two})
    said = compare([folder, other], None, 0.25)
    assert f"{other}:A" in said
    assert f"{folder}:A" in said
    write_fields(other, {"A": two, f"{folder}:A": [image(8, "x1", "X").field]})
    with pytest.raises(GrainsegError, match=r"rename a folder$"):
        compare([folder, other], None, 0.25)
