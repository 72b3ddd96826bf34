"""Weights to start from that are small."""

from dataclasses import asdict
from pathlib import Path

import pytest

from grainseg.config import TrainConfig
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.model.networks import build_network
from grainseg.model.weights_file import write_weights
from grainseg.pipeline.train import network_spec


@pytest.fixture
def shipped(smoke_config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An untrained network in place of the weights that ship: a file that ``model.init=generic`` takes."""
    network = network_spec(smoke_config)
    path = tmp_path / f"{network.architecture}_{network.encoder}.safetensors"
    spec = CheckpointSpec(**vars(network), tile_size=64, overlap=32, threshold=0.5, line_width_px=3.0, seed=0)
    write_weights(path, asdict(spec), build_network(network).state_dict())
    monkeypatch.setattr("grainseg.model.generic.WEIGHTS", tmp_path)
    return path
