"""What is said of a prediction's checkpoint."""

from dataclasses import replace
from pathlib import Path

import pytest

from grainseg.config import PredictConfig
from grainseg.grains.trust.doubt import DEFAULT_REFERENCE
from grainseg.model.ensemble import load_networks
from grainseg.model.generic import default_checkpoint
from grainseg.pipeline.predict import predict
from grainseg.pipeline.prediction_plan import unfinished_warning


def test_a_checkpoint_of_a_run_that_was_not_finished_is_named(
    config: PredictConfig, checkpoint: Path, fields: Path, caplog: pytest.LogCaptureFixture
) -> None:
    predict(replace(config, images=str(fields / "images" / "f0.png")))
    assert f"{checkpoint}: knows no partition and no reference of the doubt" in caplog.text
    spec, _ = load_networks(checkpoint)
    assert unfinished_warning(replace(spec, doubt_reference=DEFAULT_REFERENCE), checkpoint) is None
    shipped = default_checkpoint()
    assert unfinished_warning(load_networks(shipped)[0], shipped) is None
