"""Names of files in lines of a log."""

import os
from pathlib import Path

from grainseg.micrograph.names import shown


def test_a_name_stays_in_its_line() -> None:
    assert shown(Path("a\nERROR: b\x1b[31m.png")) == r"a\nERROR: b\x1b[31m.png"
    assert shown(os.fsdecode(b"a\xff.png")) == r"a\udcff.png"
    assert shown("Gefüge µ 1 {x}.png: 3 × 4") == "Gefüge µ 1 {x}.png: 3 × 4"
