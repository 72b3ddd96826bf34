"""What is left out of a picture, and which pictures of a folder are left out."""

from pathlib import Path

import numpy as np
import pytest
from helpers import measure_config
from PIL import Image

from grainseg.config import StructureConfig
from grainseg.errors import GrainsegError
from grainseg.micrograph.crop import Crop
from grainseg.pipeline.pictures.failures import log_left_out
from grainseg.pipeline.pictures.picture import read_left_out


@pytest.mark.parametrize(
    ("excluded", "ignored", "words"),
    [
        (None, "whole", r"whole/a\.png: is nowhere 0, so ignored=.*whole leaves nothing of the picture"),
        ("whole", "above", r"whole/a\.png: is nowhere 0, so excluded=.*whole leaves nothing of the picture"),
        ("above", "below", r"^a\.tif: excluded=.*above and ignored=.*below together leave nothing"),
        ("above", None, None),
    ],
)
def test_masks_that_leave_nothing_of_a_picture_are_refused(
    excluded: str | None, ignored: str | None, words: str | None, tmp_path: Path
) -> None:
    """Also where the crop has cut all that they leave."""
    rows = np.indices((10, 8))[0]
    for name, mask in {"whole": rows < 9, "above": rows < 5, "below": rows >= 5}.items():
        (tmp_path / name).mkdir()
        Image.fromarray(mask * np.uint8(255)).save(tmp_path / name / "a.png")
    folders = {
        key: None if name is None else str(tmp_path / name)
        for key, name in {"excluded": excluded, "ignored": ignored}.items()
    }
    structure = StructureConfig("unknown", "unknown", "excluded" if excluded else "unknown")
    config = measure_config(tmp_path, tmp_path / "out", structure=structure, **folders)
    arguments = config, Path("a.tif"), (9, 8), Crop(bottom=1), 1.0
    if words is None:
        assert read_left_out(*arguments).mask is not None
    else:
        with pytest.raises(GrainsegError, match=words):
            read_left_out(*arguments)


def test_files_without_a_partner_are_one_line_with_the_rule(caplog: pytest.LogCaptureFixture) -> None:
    images, masks = [Path("images/a.png"), Path("images/b.png")], [Path("masks/a_mask.png")]
    log_left_out([], [])
    log_left_out(images[:1], [])
    log_left_out(images, masks)
    assert caplog.messages == [
        "images/a.png has no mask: left out",
        "images/a.png, images/b.png have no mask, masks/a_mask.png has no image: left out; a mask has the "
        "name of its image",
    ]
