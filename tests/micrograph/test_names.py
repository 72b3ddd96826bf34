"""Names of files in lines of a log."""

import os
from pathlib import Path

from grainseg.micrograph.names import is_file, natural_key, shown


def test_a_name_stays_in_its_line() -> None:
    assert shown(Path("a\nERROR: b\x1b[31m.png")) == r"a\nERROR: b\x1b[31m.png"
    assert shown(os.fsdecode(b"a\xff.png")) == r"a\udcff.png"
    assert shown("Gefüge µ 1 {x}.png: 3 × 4") == "Gefüge µ 1 {x}.png: 3 × 4"


def test_a_name_that_is_too_long_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    assert is_file(tmp_path / "a.png")
    assert not is_file(tmp_path)
    assert not is_file(tmp_path / ("a" * 5000 + ".png"))


def test_numbers_in_names_count_as_numbers() -> None:
    names = ["a10", "b", "2", "a", "B", "a2b", "10", "A2"]
    assert sorted(names, key=natural_key) == ["2", "10", "a", "A2", "a2b", "a10", "B", "b"]
