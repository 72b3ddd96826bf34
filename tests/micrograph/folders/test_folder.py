import numpy as np
import pytest
from PIL import Image

from grainseg.errors import GrainsegError
from grainseg.micrograph.folders.folder import list_folder, split_stems, split_with_test

STEMS = ["e", "b", "a", "d", "c"]


def fill(root, images, masks):
    for folder, names in (("images", images), ("masks", masks)):
        (root / folder).mkdir(parents=True)
        for name in names:
            suffix = name.rpartition(".")[2].lower()
            kind = {"tif": "TIFF", "jpg": "JPEG", "jpeg": "JPEG"}.get(suffix, "PNG")
            Image.fromarray(np.zeros((4, 4), np.uint8)).save(root / folder / name, format=kind)
    return root


def message(call, *arguments):
    with pytest.raises(GrainsegError) as caught:
        call(*arguments)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_pairs_by_stem_whatever_the_extension(tmp_path):
    odd = "a=b (1) ü,#"
    root = fill(tmp_path, ["b.TIF", "a.v2.jpg", f"{odd}.png"], ["a.v2.png", f"{odd}.png", "b.Png"])
    listing = list_folder(root)
    assert [item.stem for item in listing.labelled] == ["a.v2", odd, "b"]
    assert [item.image.name for item in listing.labelled] == ["a.v2.jpg", f"{odd}.png", "b.TIF"]
    assert [item.mask for item in listing.labelled] == [
        root / "masks" / name for name in ("a.v2.png", f"{odd}.png", "b.Png")
    ]
    assert listing.without_mask == ()


def test_names_that_two_systems_write_in_two_ways_are_one(tmp_path):
    """macOS decomposes the ü of a file's name; the mask may come from elsewhere, and so may the command."""
    root = fill(tmp_path, ["Gefu\N{COMBINING DIAERESIS}ge.png", "a.png"], ["Gef\u00fcge.png", "a.png"])
    stems = [item.stem for item in list_folder(root).labelled]
    assert stems == ["Gef\u00fcge", "a"]
    assert split_stems(stems, ["Gefu\N{COMBINING DIAERESIS}ge"], None, None) == (["a"], ["Gef\u00fcge"])


def test_images_without_mask_and_masks_without_image_are_listed(tmp_path):
    root = fill(tmp_path, ["c.png", "a.png", "b.png"], ["b.png", "c_mask.png", "a_mask.png"])
    listing = list_folder(root)
    assert [item.stem for item in listing.labelled] == ["b"]
    assert listing.by_stem == {"b": listing.labelled[0]}
    assert listing.without_mask == (root / "images" / "a.png", root / "images" / "c.png")
    assert listing.without_image == (root / "masks" / "a_mask.png", root / "masks" / "c_mask.png")


def test_other_files_are_left_out(tmp_path):
    root = fill(tmp_path, ["a.png", ".hidden.png", "._a.png"], ["a.png", ".a.png"])
    (root / "images" / "Thumbs.db").touch()
    (root / "images" / "notes.txt").touch()
    (root / "images" / "folder.png").mkdir()
    listing = list_folder(root)
    assert [item.stem for item in listing.labelled] == ["a"]
    assert listing.without_mask == ()


def test_missing_root(tmp_path):
    text = message(list_folder, tmp_path / "absent")
    assert "data.root" in text
    assert str(tmp_path / "absent") in text


@pytest.mark.parametrize("folder", ["images", "masks"])
def test_missing_or_empty_subfolder(tmp_path, folder):
    root = fill(tmp_path, ["a.png"], ["a.png"])
    (root / folder / "a.png").unlink()
    text = message(list_folder, root)
    assert f"{root / folder}: holds no image" in text
    assert ".png" in text
    (root / folder).rmdir()
    text = message(list_folder, root)
    assert str(root / folder) in text
    assert "data.root" in text


def test_no_pair(tmp_path):
    text = message(list_folder, fill(tmp_path, ["a.png", "b.png"], ["a_mask.png"]))
    for words in (str(tmp_path / "images"), str(tmp_path / "masks"), "holds a …", "a_mask"):
        assert words in text


@pytest.mark.parametrize("folder", ["images", "masks"])
def test_two_files_of_one_stem(tmp_path, folder):
    names = {"images": ["a.png"], "masks": ["a.png"]}
    names[folder] = ["a.png", "a.tif"]
    text = message(list_folder, fill(tmp_path, **names))
    assert str(tmp_path / folder) in text
    assert "a.png and a.tif" in text


def test_last_stem_validates_by_default():
    assert split_stems(STEMS, None, None, None) == (["a", "b", "c", "d"], ["e"])


def test_named_stems_validate():
    assert split_stems(STEMS, ["d", "a"], None, None) == (["b", "c", "e"], ["a", "d"])


@pytest.mark.parametrize("folds", [2, 3, 5])
def test_every_image_validates_in_one_fold(folds):
    validated = []
    for fold in range(folds):
        train, val = split_stems(STEMS, None, fold, folds)
        assert sorted(train + val) == sorted(STEMS)
        assert split_stems(sorted(STEMS), None, fold, folds) == (train, val)
        validated += val
    assert sorted(validated) == sorted(STEMS)


def test_folds_take_every_nth_image():
    assert split_stems(STEMS, None, 1, 3) == (["a", "c", "d"], ["b", "e"])


@pytest.mark.parametrize(
    ("stems", "val", "fold", "folds", "words"),
    [
        (STEMS, ["x", "a"], None, None, ["data.val", "x", "a, b, c, d, e"]),
        (STEMS, ["a", "a"], None, None, ["data.val", "a twice"]),
        (STEMS, [], None, None, ["data.val"]),
        (STEMS, STEMS, None, None, ["data.val", "train"]),
        (STEMS, ["a"], 0, 5, ["data.val", "data.fold"]),
        (STEMS, ["a"], None, 5, ["data.val", "data.fold"]),
        (STEMS, None, 0, None, ["data.folds"]),
        (STEMS, None, None, 5, ["data.fold:"]),
        (STEMS, None, 5, 5, ["data.fold=5", "0 to 4"]),
        (STEMS, None, -1, 5, ["data.fold=-1"]),
        (STEMS, None, 0, 1, ["data.folds=1", "2 to 5"]),
        (STEMS, None, 0, 6, ["data.folds=6", "2 to 5"]),
        (["a"], None, None, None, ["data.root", "at least 2"]),
        ([], None, None, None, ["data.root", "at least 2"]),
    ],
)
def test_split_that_cannot_be(stems, val, fold, folds, words):
    text = message(split_stems, stems, val, fold, folds)
    for word in words:
        assert word in text


def test_test_images_are_taken_out_before_the_split() -> None:
    stems = ["e", "a", "c", "b", "d"]
    assert split_with_test(stems, None, ["e", "b"], None, None) == (["a", "c"], ["d"], ["e", "b"])
    assert split_with_test(stems, None, ["a"], 1, 2) == (["b", "d"], ["c", "e"], ["a"])
    assert split_with_test(stems, ["a"], None, None, None) == (["b", "c", "d", "e"], ["a"], [])


@pytest.mark.parametrize(
    ("val", "test", "message"),
    [
        (None, ["a", "a"], "data.test names 'a' twice"),
        (None, ["x"], "data.test names 'x'; labelled images are a, b, c"),
        (["b"], ["b"], "data.test and data.val both name 'b'"),
        (None, ["a", "b"], "holds 1 labelled image"),
    ],
)
def test_test_images_that_cannot_be(val: list[str] | None, test: list[str], message: str) -> None:
    with pytest.raises(GrainsegError, match=message):
        split_with_test(["a", "b", "c"], val, test, None, None)


def test_an_image_that_is_a_link_to_nothing_does_not_go_missing(tmp_path):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").touch()
    (tmp_path / "images" / "b.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(GrainsegError, match=r"b\.png: is a link to nothing, or no file"):
        list_folder(tmp_path)
