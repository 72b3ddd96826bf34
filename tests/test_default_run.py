"""The default recipe for real: five synthetic fields, the default budget, and what is promised of it."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT

from grainseg.inference.predictor import TileSettings, predict_probability
from grainseg.micrograph.normalization import to_unit_range
from grainseg.micrograph.plain.synthetic import generate
from grainseg.model.checkpoint import load_network

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(module_folder: Path) -> Path:
    command = [
        sys.executable,
        ROOT / "train.py",
        "callbacks.progress_bar=false",
        "hydra.run.dir=run",
    ]
    subprocess.run(command, cwd=module_folder, check=True)
    return module_folder / "run"


def test_the_demo_reaches_its_floor(run: Path) -> None:
    assert json.loads((run / "metrics.json").read_text())["val/iou"] >= 0.6


def test_tiles_leave_no_seams(run: Path) -> None:
    """Default tile and overlap against one pass over the whole picture, in float32."""
    spec, network = load_network(run / "checkpoints" / "best.ckpt")
    unit = to_unit_range(generate(11, (1280, 1120)).pixels)[:, :, None]
    tiled = predict_probability(network, unit, TileSettings(spec.tile_size, spec.overlap))
    whole = predict_probability(network, unit, TileSettings(1280, 0))
    difference = np.abs(tiled - whole)
    assert 0 < difference.max() < 0.3
    assert difference.mean() < 3e-4
    assert ((tiled > 0.5) != (whole > 0.5)).mean() < 3e-4


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the code is not a git checkout")
def test_the_deliverable_works_elsewhere(run: Path, tmp_path: Path) -> None:
    """Its zip, unpacked in another folder, predicts the same IoU with the command that it names."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", ROOT, clone], check=True)
    environment = {"PYTHONPATH": str(clone), "PATH": "/usr/bin:/bin:/usr/local/bin"}
    module = [sys.executable, "-m", "grainseg.pipeline.deliverable", run]
    # The run was started in its parent folder, where its relative data folder lies.
    made = subprocess.run(
        module, cwd=run.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    shutil.unpack_archive(run.parent / made.stdout.strip(), tmp_path / "elsewhere")
    (unpacked,) = (tmp_path / "elsewhere").iterdir()
    text = (unpacked / "DELIVERABLE.md").read_text()
    (predict,) = [line for line in text.splitlines() if line.startswith("python predict.py")]
    assert "crop=auto" in predict  # as in training, whatever predict.py has by default
    arguments = [sys.executable, *shlex.split(predict)[1:]]
    environment["PYTHONPATH"] = str(unpacked)
    subprocess.run(arguments, cwd=unpacked, env=environment, check=True)
    delivered = json.loads((unpacked / "results" / "metrics.json").read_text())["val/iou"]
    again = json.loads((unpacked / "check" / "metrics.json").read_text())["all"]["iou"]
    assert again == pytest.approx(delivered, abs=1e-6)
    assert f"IoU {delivered:.6f}" in text
    assert 'train.py --config-path "$PWD/results" --config-name config' in text
    for name in ("mask.png", "probability.tif", "overlay.png"):
        assert (unpacked / "results" / "predictions" / f"field_5_{name}").is_file()
