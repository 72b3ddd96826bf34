"""A run and a prediction on the small fields; modules that need others define their own."""

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import compose_predict

from grainseg.config import PredictConfig, TrainConfig
from grainseg.pipeline.train import train


@pytest.fixture(scope="module")
def run(smoke_config: TrainConfig, module_folder: Path) -> tuple[Path, dict[str, float]]:
    return module_folder, train(replace(smoke_config, epochs=3), module_folder)


@pytest.fixture
def config(checkpoint: Path, fields: Path, tmp_path: Path) -> PredictConfig:
    composed = compose_predict("checkpoint=c", "images=i", "output=o", "accelerator=cpu")
    return replace(
        composed,
        checkpoint=str(checkpoint),
        images=str(fields / "images"),
        output=str(tmp_path / "out"),
    )
