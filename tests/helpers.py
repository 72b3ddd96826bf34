"""What several test modules use."""

import csv
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from PIL import Image

from grainseg.config import (
    MeasureConfig,
    PredictConfig,
    StructureConfig,
    TrainConfig,
    parse_predict,
    parse_train,
)
from grainseg.hydra_app import CONF, main_predict, main_train
from grainseg.micrograph.plain.synthetic import generate

ROOT = Path(__file__).resolve().parent.parent
SMALL_ENCODER = "tu-mobilenetv3_small_100"
"""Trains five times as fast as the default one, and its checkpoints are a tenth as large."""


def write_field(folder: Path, stem: str, seed: int, shape: tuple[int, int]) -> None:
    """One synthetic field in the data-folder contract."""
    field = generate(seed, shape)
    for kind, values in (("images", field.pixels * 255), ("masks", (field.label == 1) * 255)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.round(values).astype(np.uint8)).save(folder / kind / f"{stem}.png")


def compose_train(*overrides: str) -> TrainConfig:
    """The checked configuration of ``train.py`` with these overrides."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return parse_train(compose("train", list(overrides)))


def compose_predict(*overrides: str) -> PredictConfig:
    """The checked configuration of ``predict.py`` with these overrides."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return parse_predict(compose("predict", list(overrides)))


def run_in_process(monkeypatch: pytest.MonkeyPatch, main: str, *arguments: str) -> int:
    """The exit status of ``train.py`` or ``predict.py`` with these arguments, run in this process."""
    monkeypatch.setattr(sys, "argv", [f"{main}.py", *arguments])
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    status = {"train": main_train, "predict": main_predict}[main]()
    os.environ.pop("HYDRA_FULL_ERROR", None)
    return status


def ways_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str
) -> list[str]:
    """What a training that is interrupted in a folder says on how to go on."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(folder)
    monkeypatch.setattr("grainseg.hydra_app.tasks._trained", interrupted)
    assert run_in_process(monkeypatch, "train", *arguments) == 130
    told = capsys.readouterr().out.splitlines()
    return [line.partition("to go on")[2] for line in told if "to go on" in line]


def measure_config(masks: Path, output: Path, **changes: Any) -> MeasureConfig:
    """The configuration of ``grainseg measure`` with nothing said but these changes."""
    plain = MeasureConfig(
        output=str(output),
        pixel_size_um=None,
        pixel_size_rel_unc=None,
        segmentation_rel_unc=None,
        segmentation_images=None,
        crop="auto",
        batches=None,
        excluded=None,
        ignored=None,
        structure=StructureConfig("unknown", "unknown", "unknown"),
        masks=str(masks),
        kind="boundary",
        boundary_value=255,
        zero=None,
        images=None,
        max_megapixels=500.0,
    )
    return replace(plain, **changes)


def csv_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table, by column."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def tensorboard_events(folder: Path) -> Any:
    """The accumulated events of a run, read whole."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # heavy

    accumulator = EventAccumulator(str(folder / "tensorboard"), size_guidance={"images": 0, "scalars": 0})
    accumulator.Reload()
    return accumulator
