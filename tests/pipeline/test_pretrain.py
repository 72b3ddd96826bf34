"""Pretraining on the stream: scores of each regime, and a run that goes on as if it had never stopped."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from grainseg.config import TrainConfig
from grainseg.errors import GrainsegError
from grainseg.model.checkpoint import read_checkpoint
from grainseg.pipeline.deliverable import make_deliverable
from grainseg.pipeline.train import train

REGIMES = ("etched_dark", "bright_grooves", "orientation_contrast", "texture_only", "unseen_instrument")


@pytest.mark.slow
def test_a_run_is_scored_on_every_regime(stream_config: TrainConfig, tmp_path: Path) -> None:
    metrics = train(stream_config, tmp_path)
    logged = EventAccumulator(str(tmp_path / "tensorboard"))
    logged.Reload()
    best = int(torch.tensor([event.value for event in logged.Scalars("val/iou")]).argmax())
    for name in ("val/iou", *(f"val/iou_{regime}" for regime in REGIMES)):
        events = logged.Scalars(name)
        assert len(events) == 2
        assert metrics[name] == pytest.approx(events[best].value, abs=1e-6)
    assert sorted(path.name for path in (tmp_path / "predictions").glob("*_mask.png")) == sorted(
        f"{regime}_0_mask.png" for regime in REGIMES
    )
    spec, _ = read_checkpoint(tmp_path / "checkpoints" / "last.ckpt")
    assert (spec.steps, spec.line_width_px) == (4, 3.0)
    with pytest.raises(GrainsegError, match="was trained on data=stream; give a run on a data folder"):
        make_deliverable(tmp_path, tmp_path / "run.zip")


@pytest.mark.slow
def test_a_resumed_run_equals_one_that_never_stopped(stream_config: TrainConfig, tmp_path: Path) -> None:
    """The rate is constant, so a run of one epoch is the first half of one of two."""
    config = replace(
        stream_config,
        scheduler=replace(stream_config.scheduler, name="constant", warmup=0.0),
        trainer=replace(stream_config.trainer, precision="32-true"),
    )
    last = Path("checkpoints") / "last.ckpt"
    train(config, tmp_path / "whole")
    train(replace(config, epochs=1), tmp_path / "half")
    train(replace(config, resume=str(tmp_path / "half" / last)), tmp_path / "half")
    whole, half = (torch.load(tmp_path / name / last, weights_only=True) for name in ("whole", "half"))
    assert whole["global_step"] == half["global_step"] == 4
    for key, value in whole["state_dict"].items():
        torch.testing.assert_close(half["state_dict"][key], value, rtol=1e-2, atol=1e-3)
