"""What is doubtful about labelled pictures and about pictures to measure is said before they are used."""

from pathlib import Path

import numpy as np
import pytest
from helpers import compose_train
from PIL import Image

from grainseg.config import FolderDataConfig
from grainseg.data.folder import read_folder
from grainseg.data.images import network_unit
from grainseg.errors import GrainsegError
from grainseg.grains.measuring.left_out import LeftOut
from grainseg.micrograph.drawing import crack_pixels
from grainseg.micrograph.folders.selection import SelectedImage
from grainseg.micrograph.image import Micrograph
from grainseg.micrograph.plain.synthetic import generate
from grainseg.pipeline.pictures.picture import OpenedPicture

STEMS = ("a", "b", "c")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three fields in colours that say more than their brightness."""
    folder = tmp_path_factory.mktemp("coloured")
    for seed, stem in enumerate(STEMS):
        field = generate(seed, (96, 120))
        hue = np.stack([field.grains % 3 == channel for channel in range(3)], axis=2)
        save(folder / "images" / f"{stem}.png", 100 * field.pixels[:, :, None] + 150 * hue)
        save(folder / "masks" / f"{stem}.png", (field.label == 1) * 255)
    return folder


@pytest.fixture(scope="module")
def barred(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in grey with a data bar of 14 px below, and lines of 1 px."""
    folder = tmp_path_factory.mktemp("barred")
    for seed, stem in enumerate(STEMS):
        field = generate(seed, (96, 120))
        pixels = np.pad(255 * field.pixels, ((0, 14), (0, 0)))
        save(folder / "images" / f"{stem}.png", pixels)
        save(folder / "masks" / f"{stem}.png", 255 * np.pad(crack_pixels(field.grains), ((0, 14), (0, 0))))
    return folder


def save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(values.astype(np.uint8)).save(path)


def warnings(root: Path, channels: int, *overrides: str) -> str:
    config = compose_train("data=folder", f"data.root={root}", *overrides)
    assert isinstance(config.data, FolderDataConfig)
    data = read_folder(config.data, config.augment, channels, 0)
    return "\n".join(data.warnings)


def test_colour_that_a_network_of_one_channel_does_not_see_is_said_once(root: Path) -> None:
    assert "a, b, c: much of its contrast is colour" in warnings(root, 1)
    assert "colour" not in warnings(root, 3)


def test_so_it_is_of_a_picture_to_measure(root: Path) -> None:
    path = root / "images" / "a.png"
    pixels = np.asarray(Image.open(path), np.float32) / 255
    opened = OpenedPicture(SelectedImage(path, Path("a.png")), Micrograph(pixels), LeftOut())
    found = [opened.with_picture_warnings(network_unit(pixels, channels)).warnings for channels in (1, 3)]
    assert [len(lines) for lines in found] == [1, 0]
    assert "colour" in found[0][0]


def test_a_data_bar_that_trains_is_said_with_the_crop(barred: Path) -> None:
    found = warnings(barred, 1)
    assert "rows are mostly of one grey level" in found
    assert "cut it with data.crop=[0,14,0,0]" in found
    assert "data bar" not in warnings(barred, 1, "data.crop=[0,14,0,0]")
    words = r"a\.png: a side is shorter than 32 px; data\.crop=.*bottom 80.* leaves 120 × 30 px: cut less"
    with pytest.raises(GrainsegError, match=words):
        warnings(barred, 1, "data.crop=[0,80,0,0]")


def test_a_thin_drawing_that_is_taken_as_wide_as_it_is_drawn_is_said(barred: Path, root: Path) -> None:
    fix = "data.label_kind=lines data.label_width_px=3"
    assert f"a, b, c: the lines of its mask are thinner than 1.6 px: thin drawings are {fix}" in warnings(
        barred, 1
    )
    assert "thin drawings" not in warnings(barred, 1, *fix.split())
    assert "thin drawings" not in warnings(root, 1)


def test_a_picture_that_shows_nothing_is_said_before_it_trains(root: Path, tmp_path: Path) -> None:
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
        for stem in STEMS:
            (tmp_path / kind / f"{stem}.png").symlink_to(root / kind / f"{stem}.png")
    (tmp_path / "images" / "b.png").unlink()
    save(tmp_path / "images" / "b.png", np.full((96, 120), 90))
    assert "b: the picture has one grey level only: it shows nothing" in warnings(tmp_path, 3)
    assert "grey level" not in warnings(root, 3)
