"""What is written here is known again, as long as nobody changed it."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from grainseg.micrograph.files import write_grain_map, write_mask, write_probability
from grainseg.report.files.own_files import is_picture

IDS = np.arange(12, dtype=np.uint32).reshape(3, 4) * 70_000


def test_own_files_are_known(tmp_path: Path) -> None:
    write_mask(tmp_path / "mask.png", IDS > 100_000)
    write_grain_map(tmp_path / "grains.tif", IDS, (0.5, 0.5))
    write_probability(tmp_path / "probability.tif", np.float32(IDS / IDS.max()), None)
    assert all(is_picture(path) for path in tmp_path.iterdir())
    assert not is_picture(tmp_path / "none.png")


@pytest.mark.parametrize("library", ["tifffile", "pillow"])  # Pillow keeps the software of the file before
def test_a_corrected_map_is_its_makers(library: str, tmp_path: Path) -> None:
    path = tmp_path / "grains.tif"
    write_grain_map(path, IDS, None)
    if library == "tifffile":
        tifffile.imwrite(path, IDS)
    else:
        with Image.open(path) as opened:
            opened.load()
            opened.putpixel((0, 0), 999)
            opened.save(path)
    assert not is_picture(path)
