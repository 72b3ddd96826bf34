import hashlib
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from grainseg.errors import GrainsegError
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.files import read_micrograph
from grainseg.micrograph.plain import synthetic_folder
from grainseg.micrograph.plain.synthetic_folder import ensure_synthetic_folder

CALL = """
import sys
from pathlib import Path
from grainseg.micrograph.plain.synthetic_folder import ensure_synthetic_folder
ensure_synthetic_folder(Path(sys.argv[1]))
"""
LABELS = {
    "99e13e46e71aae5a": 152,
    "21b1d81e87843a2c": 148,
    "83346497dcdfd40c": 163,
    "5835182f66f89646": 159,
    "921e419ba4316242": 158,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder as two processes leave it that ask for it at the same time."""
    root = tmp_path_factory.mktemp("data") / "sets" / "synthetic"
    command = [sys.executable, "-W", "error", "-c", CALL, str(root)]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    return root


def files(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_folder_is_complete_and_nothing_is_left_beside_it(written):
    numbers = range(1, 6)
    expected = [f"grains/field_{n}.tif" for n in numbers] + [f"images/field_{n}.png" for n in numbers]
    expected += ["images/pixel_sizes.csv", *(f"masks/field_{n}.png" for n in numbers), "synthetic.json"]
    assert files(written) == expected
    assert list(written.parent.iterdir()) == [written]


def test_labels_are_the_same_on_every_machine(written):
    manifest = json.loads((written / "synthetic.json").read_text())
    assert {entry["label_sha256"][:16]: entry["grains"] for entry in manifest["images"]} == LABELS


def test_files_agree_with_the_manifest(written):
    manifest = json.loads((written / "synthetic.json").read_text())
    assert (manifest["seed"], manifest["pixel_size_um"], manifest["line_width_px"]) == (0, 0.5, 3)
    for entry in manifest["images"]:
        picture = np.asarray(Image.open(written / "images" / f"{entry['name']}.png"))
        mask = np.asarray(Image.open(written / "masks" / f"{entry['name']}.png"))
        grains = tifffile.imread(written / "grains" / f"{entry['name']}.tif")
        assert (picture.dtype, mask.dtype, grains.dtype) == (np.uint8, np.uint8, np.uint16)
        assert picture.shape == mask.shape == grains.shape == (512, 512)
        assert np.unique(mask).tolist() == [0, 255]
        micrograph = read_micrograph(written / "images" / f"{entry['name']}.png")
        assert micrograph.pixel_size_um == (0.5, 0.5)
        np.testing.assert_array_equal(mask == 255, boundary_lines(grains.astype(np.int32), 3) == 1)
        assert hashlib.sha256((mask // 255).tobytes()).hexdigest() == entry["label_sha256"]
        assert grains.max() == entry["grains"]
        assert 100 <= entry["grains"] <= 170


def test_grain_map_carries_the_pixel_size_as_imagej_does(written):
    with tifffile.TiffFile(written / "grains" / "field_1.tif") as tif:
        pixels, unit = tif.pages[0].tags["XResolution"].value
        assert tif.imagej_metadata["unit"] == "um"
    assert unit / pixels == pytest.approx(0.5)


def test_second_call_writes_nothing(written):
    before = {path: path.stat().st_mtime_ns for path in written.rglob("*")}
    ensure_synthetic_folder(written)
    assert {path: path.stat().st_mtime_ns for path in written.rglob("*")} == before


@pytest.mark.parametrize("name", ["notes.txt", "synthetic.json"])
def test_foreign_folder_is_refused_and_kept(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(GrainsegError, match=r"not written by the synthetic generator; give another folder"):
        ensure_synthetic_folder(tmp_path)
    assert (tmp_path / name).read_text() == "mine"
    assert files(tmp_path) == [name]


def test_other_seed_is_refused(written):
    with pytest.raises(GrainsegError, match=r"holds seed 0 .*, not seed 1 .*delete this one and run again"):
        ensure_synthetic_folder(written, seed=1)


def test_missing_file_is_named(written, tmp_path):
    damaged = tmp_path / "synthetic"
    shutil.copytree(written, damaged)
    (damaged / "masks" / "field_3.png").unlink()
    with pytest.raises(GrainsegError, match=r"field_3\.png: is missing; delete .*synthetic and run again"):
        ensure_synthetic_folder(damaged)


def test_empty_folder_is_filled_and_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    root = tmp_path / "synthetic"
    root.mkdir()

    def fail(folder, seed):
        (folder / "half").touch()
        raise OSError("disk full")

    monkeypatch.setattr(synthetic_folder, "_write_folder", fail)
    with pytest.raises(GrainsegError, match="cannot write the synthetic micrographs here: disk full"):
        ensure_synthetic_folder(root)
    assert list(tmp_path.iterdir()) == [root]
    monkeypatch.setattr(synthetic_folder, "_write_folder", lambda folder, seed: (folder / "done").touch())
    ensure_synthetic_folder(root)
    assert files(root) == ["done"]


def test_folder_finished_by_another_process_meanwhile_is_kept(written, tmp_path, monkeypatch):
    root = tmp_path / "synthetic"
    monkeypatch.setattr(
        synthetic_folder, "_write_folder", lambda folder, seed: shutil.copytree(written, root)
    )
    ensure_synthetic_folder(root)
    assert files(root) == files(written)
    assert list(tmp_path.iterdir()) == [root]


def test_negative_seed_is_refused(tmp_path):
    with pytest.raises(GrainsegError, match="seed = -1: give 0 or more"):
        ensure_synthetic_folder(tmp_path / "synthetic", seed=-1)
