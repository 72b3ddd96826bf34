"""The contact sheet of synthetic pictures by the ranges of a run."""

from pathlib import Path

import numpy as np
import pytest
from helpers import compose_train
from omegaconf import OmegaConf
from PIL import Image

from grainseg.config import StreamDataConfig
from grainseg.errors import GrainsegError
from grainseg.micrograph.wide.contact_sheet import contact_sheet
from grainseg.pipeline.synth import synth


@pytest.fixture
def run(tmp_path: Path) -> tuple[Path, StreamDataConfig]:
    """The configuration of a run on grains of 20 to 30 px, in a file and as that run has it."""
    config = compose_train("experiment=pretrain", "data.recipe.grain_px=[20,30]")
    path = tmp_path / "config.yaml"
    OmegaConf.save(OmegaConf.structured(config), path)
    assert isinstance(config.data, StreamDataConfig)
    return path, config.data


def test_the_sheet_shows_the_ranges_of_a_run_and_of_its_regimes(
    run: tuple[Path, StreamDataConfig], tmp_path: Path
) -> None:
    path, data = run
    sheets = []
    for regime, recipe in ((None, data.training_recipe()), *data.regime_recipes().items()):
        synth(tmp_path / "sheet.png", 3, 2, 32, 0, path, regime)
        sheets.append(np.asarray(Image.open(tmp_path / "sheet.png")))
        np.testing.assert_array_equal(sheets[-1], contact_sheet(0, 3, 2, 32, recipe))
    assert len({sheet.tobytes() for sheet in (*sheets, contact_sheet(0, 3, 2, 32))}) == len(sheets) + 1


@pytest.mark.parametrize(
    ("text", "regime", "message"),
    [
        (None, "texture_only", "--regime=texture_only: is of a configuration; say --config, too"),
        (
            "data: {root: x}",
            None,
            "config.yaml: has no data.recipe; give the config.yaml of a run with data=",
        ),
        ("[1, 2]", None, "config.yaml: has no data.recipe"),
        ("data: [", None, "config.yaml: cannot be read; give the config.yaml of a run with data=stream"),
        ("data: {recipe: {grain_px: 3}}", None, "config.yaml: data.recipe.line_width_px is missing"),
        (
            "data: {recipe: {a: 1}, regimes: {x: {}, 2: {}}}",
            "y",
            "--regime=y: there is none of that name; data.regimes has x, 2",
        ),
        ("data: {recipe: {a: 1}}", "y", "--regime=y: there is none of that name; data.regimes has none"),
    ],
)
def test_a_configuration_that_has_no_such_ranges_is_refused(
    text: str | None, regime: str | None, message: str, tmp_path: Path
) -> None:
    path = None if text is None else tmp_path / "config.yaml"
    if path is not None and text is not None:
        path.write_text(text)
    with pytest.raises(GrainsegError) as raised:
        synth(tmp_path / "sheet.png", 1, 1, 32, 0, path, regime)
    assert message in str(raised.value)
    assert not (tmp_path / "sheet.png").exists()


def test_a_range_that_cannot_be_is_named_with_its_regime(
    run: tuple[Path, StreamDataConfig], tmp_path: Path
) -> None:
    path, _ = run
    plain = OmegaConf.load(path)
    plain.data.regimes.texture_only = {"contrasts": ["texture"], "gamma": [3, 1]}
    OmegaConf.save(plain, path)
    synth(tmp_path / "sheet.png", 1, 1, 32, 0, path)
    with pytest.raises(
        GrainsegError, match=r"--config=.*config\.yaml: data\.regimes\.texture_only: synthetic gamma"
    ):
        synth(tmp_path / "sheet.png", 1, 1, 32, 0, path, "texture_only")
