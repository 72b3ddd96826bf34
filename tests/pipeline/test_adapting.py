"""A network that cannot adapt to a picture is refused by all that would have it adapt."""

from dataclasses import replace
from pathlib import Path

import pytest
from helpers import compose_predict

from grainseg.config import LabelledFolderConfig, RobustnessConfig, TrainConfig
from grainseg.errors import GrainsegError
from grainseg.inference import adaptation
from grainseg.pipeline.predict import predict
from grainseg.pipeline.robustness import robustness
from grainseg.pipeline.train import train


@pytest.fixture(autouse=True)
def nothing_to_adapt(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a network without batch normalisation."""
    monkeypatch.setattr(adaptation, "batch_norms", lambda _: [])


def test_training_refuses_before_it_reads_any_data(smoke_config: TrainConfig, tmp_path: Path) -> None:
    data = replace(smoke_config.data, root=str(tmp_path / "nowhere"))
    config = replace(smoke_config, data=data, inference=replace(smoke_config.inference, adapt=0.2))
    with pytest.raises(
        GrainsegError, match=r"inference\.adapt=0\.2: this network has no batch normalisation"
    ):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_prediction_refuses_before_it_writes(checkpoint: Path, fields: Path, tmp_path: Path) -> None:
    composed = compose_predict("checkpoint=c", "images=i", "output=o", "adapt=0.2")
    images, output = str(fields / "images"), str(tmp_path / "out")
    config = replace(composed, checkpoint=str(checkpoint), images=images, output=output)
    with pytest.raises(GrainsegError, match=r"^adapt=0\.2: this network .* say adapt=0"):
        predict(config)
    assert not (tmp_path / "out").exists()


def test_the_robustness_card_refuses(checkpoint: Path, fields: Path, tmp_path: Path) -> None:
    data = LabelledFolderConfig(
        label_kind="boundary", boundary_value=255, ignore_value=None, max_megapixels=10, root=str(fields),
        val=None, test=None, fold=None, folds=None, crop=None, label_width_px=None, zero=None,
    )  # fmt: skip
    config = RobustnessConfig(
        checkpoint=str(checkpoint), data=data, output=str(tmp_path / "out"), references=False, adapt=0.2,
        tensorboard=None, seed=0, boundary_tolerance_px=3.0, accelerator="cpu",
    )  # fmt: skip
    with pytest.raises(GrainsegError, match=r"^adapt=0\.2: this network"):
        robustness(config)
    assert not (tmp_path / "out").exists()
