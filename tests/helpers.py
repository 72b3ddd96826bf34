"""What several test modules use."""

from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_dir
from PIL import Image

from grainseg.config import PredictConfig, TrainConfig, parse_predict, parse_train
from grainseg.hydra_app import CONF
from grainseg.micrograph.synthetic import generate

ROOT = Path(__file__).resolve().parent.parent


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
