"""What only a GPU can show."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from helpers import compose_train

from grainseg.config import TrainConfig
from grainseg.inference.predictor import TileSettings, predict_probability
from grainseg.micrograph.plain.synthetic import generate
from grainseg.model.checkpoint import load_network
from grainseg.pipeline.train import train

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def test_training_on_a_gpu_predicts_as_the_cpu_does(smoke_config: TrainConfig, tmp_path: Path) -> None:
    config = replace(smoke_config, trainer=compose_train("trainer=gpu").trainer)
    train(config, tmp_path)
    probability = tifffile.imread(tmp_path / "predictions" / "f2_probability.tif")
    assert np.isfinite(probability).all()
    spec, network = load_network(tmp_path / "checkpoints" / "best.ckpt")
    unit = generate(0, (100, 120)).pixels[:, :, None]
    for adapt in (0.0, 0.3):
        tiles = TileSettings(spec.tile_size, spec.overlap, adapt=adapt)
        on_cpu = predict_probability(network.cpu(), unit, tiles)
        np.testing.assert_allclose(predict_probability(network.cuda(), unit, tiles), on_cpu, atol=1e-4)
