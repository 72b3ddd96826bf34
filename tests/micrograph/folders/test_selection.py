"""Which files of a folder are pictures to predict."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grainseg.errors import GrainsegError
from grainseg.micrograph.files import write_grain_map
from grainseg.micrograph.folders.selection import OUTPUT_ENDS, find_mask, list_images, require_masks

SYSTEM = ("lost+found", "System Volume Information", "$RECYCLE.BIN")


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_a_mask_has_the_name_of_its_picture_however_that_is_encoded(tmp_path: Path) -> None:
    touch(tmp_path, "sub/Gef\u00fcge.png", "sub/Gef.png")
    found = find_mask(tmp_path, Path("sub/Gefu\N{COMBINING DIAERESIS}ge.tif"))
    assert found == tmp_path / "sub" / "Gef\u00fcge.png"
    assert find_mask(tmp_path, Path("Gefüge.tif")) is None


def test_what_an_earlier_prediction_wrote_is_no_picture(tmp_path: Path) -> None:
    outputs = [f"old/a_b{end}" for end in OUTPUT_ENDS.values()]
    pictures = ["a_b.png", "old/a_mask.png", "old/a_b_c.png", "other/a_b_mask.png"]
    touch(tmp_path, *outputs, *pictures)
    found = [image.relative.as_posix() for image in list_images(str(tmp_path), tmp_path / "new").images]
    assert found == sorted(pictures)
    asked = list_images(str(tmp_path / "old" / "a_b_mask.png"), tmp_path / "new").images
    assert len(asked) == 1
    masks = list_images(str(tmp_path / "old"), tmp_path / "new", "masks").images
    assert {image.path.name for image in masks} >= {Path(name).name for name in outputs}


def test_a_grain_map_without_its_prediction_is_no_picture_if_grainseg_wrote_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path, "a.png", "drawn_grains.tif")
    for name in ("a", "b"):
        write_grain_map(tmp_path / "measured" / f"{name}_grains.tif", np.ones((9, 9), np.uint32), None)
    found = [image.relative.as_posix() for image in list_images(str(tmp_path), tmp_path / "new").images]
    assert found == ["a.png", "drawn_grains.tif"]
    assert f"left out: 2, {tmp_path / 'measured' / 'a_grains.tif'} first" in caplog.text


def test_what_a_command_drew_is_no_picture_and_one_of_that_name_alone_is(tmp_path: Path) -> None:
    drawn = ["next/suggestions.png", "card/robustness.png", "five/masks/e.png", "five/grains/e.tif"]
    records = ["next/suggested_images.csv", "card/robustness.json", "five/synthetic.json"]
    pictures = ["a.png", "card/suggestions.png", "five/images/e.png", "next/b.png", "other/robustness.png"]
    touch(tmp_path, *drawn, *records, *pictures)
    found = [image.relative.as_posix() for image in list_images(str(tmp_path), tmp_path / "new").images]
    assert found == pictures


def test_a_folder_that_exists_is_no_wildcard(tmp_path: Path) -> None:
    touch(tmp_path, "m [1] ü/A/a.png", "m [1] ü/B/b.png", "m 1 ü/A/c.png")
    found = list_images(str(tmp_path / "m [1] ü" / "*" / "?.png"), tmp_path / "new").images
    assert [image.relative.as_posix() for image in found] == ["A/a.png", "B/b.png"]
    found = list_images(str(tmp_path / "m [12] ü" / "**" / "*.png"), tmp_path / "new").images
    assert [image.relative.as_posix() for image in found] == ["m 1 ü/A/c.png"]


@pytest.mark.parametrize(
    ("names", "refused"), [(["b.png"], True), (["a.tif"], False), (["a.tif", "a.png"], False)]
)
def test_masks_of_other_pictures_are_found_before_any_work(
    names: list[str], refused: bool, tmp_path: Path
) -> None:
    """Two masks of one picture concern that picture alone, later on."""
    touch(tmp_path, "images/a.png", *(f"masks/{name}" for name in names))
    images = list_images(str(tmp_path / "images"), tmp_path / "new").images
    if refused:
        with pytest.raises(GrainsegError, match=r"holds no mask of any picture, .* the path of a\.png there"):
            require_masks(tmp_path / "masks", images)
    else:
        require_masks(tmp_path / "masks", images)


@pytest.mark.parametrize("pattern", ["", "*/*.png", "**/*.png"])
def test_a_folder_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    touch(tmp_path, "in/open/a.png", "in/closed/b.png", *(f"in/{name}/c.png" for name in SYSTEM))
    scan = os.scandir

    def scanning(path: str) -> Any:
        if Path(path).name in ("closed", *SYSTEM):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scanning)
    images = str(tmp_path / "in" / pattern)
    found = list_images(images, tmp_path / "new")
    assert [image.relative.as_posix() for image in found.images] == ["open/a.png"]
    (line,) = found.unlisted
    assert line.startswith(f"{tmp_path / 'in' / 'closed'}: cannot be listed (Permission denied)")


def test_hidden_folders_are_passed_over_unless_one_is_asked_for(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", ".Trash-0/b.png", "c/.cache/d.png", "lost+found/e.png")
    found = list_images(str(tmp_path), tmp_path / "new").images
    assert [image.relative.as_posix() for image in found] == ["a.png", "lost+found/e.png"]
    (image,) = list_images(str(tmp_path / ".Trash-0"), tmp_path / "new").images
    assert image.path.name == "b.png"


def test_a_folder_of_outputs_alone_holds_no_pictures(tmp_path: Path) -> None:
    touch(tmp_path, *(f"a{end}" for end in OUTPUT_ENDS.values()))
    with pytest.raises(GrainsegError, match="no pictures there"):
        list_images(str(tmp_path), tmp_path / "new")


def test_what_is_a_picture_of_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "a.TIF", ".b.png", "c.txt", "out/a.png", "d_mask.png", "d_overlay.png")
    for images in (str(tmp_path), str(tmp_path / "**")):
        found = list_images(images, tmp_path / "out").images
        names = [image.relative.as_posix() for image in found]
        assert names == ["a.TIF", "d_mask.png", "d_overlay.png"]
    with pytest.raises(GrainsegError, match="is the folder of the images"):
        list_images(str(tmp_path), tmp_path)
    with pytest.raises(GrainsegError, match=r"output=.*a\.TIF: is a file; give a folder"):
        list_images(str(tmp_path), tmp_path / "a.TIF")
    with pytest.raises(GrainsegError, match="is one mask for 3 pictures"):
        require_masks(tmp_path / "d_mask.png", found)
    touch(tmp_path, "a.png")
    with pytest.raises(GrainsegError, match="would write the same outputs"):
        list_images(str(tmp_path), tmp_path / "out")
    with pytest.raises(GrainsegError, match="could both be the mask"):
        find_mask(tmp_path, Path("a.png"))
