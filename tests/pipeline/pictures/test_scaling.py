"""Prediction at another scale, from the configuration to the report."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from helpers import compose_predict, csv_rows
from PIL import Image

from grainseg.config import PredictConfig
from grainseg.errors import GrainsegError
from grainseg.grains.closing.partition import DEFAULT_SETTINGS
from grainseg.grains.measuring.left_out import LeftOut
from grainseg.grains.trust.doubt import Doubt
from grainseg.inference.scale import EstimatedScale
from grainseg.micrograph.image import FloatImage
from grainseg.model.checkpoint import KEY, load_network
from grainseg.pipeline.pictures.scaling import Scaling, _estimate, _note_and_doubt, scaling_of
from grainseg.pipeline.predict import predict

SIDE = 120


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Sizes that the network was shown. It takes what is bright for a boundary."""
    shapes: list[tuple[int, ...]] = []

    def bright(network: object, unit: FloatImage, tiles: object) -> FloatImage:
        shapes.append(unit.shape[:2])
        return unit[:, :, 0]

    monkeypatch.setattr("grainseg.inference.predictor._predict_view", bright)
    return shapes


@pytest.fixture
def config(tmp_path: Path) -> PredictConfig:
    """Pictures of bright lines of 3 px between dark, not black squares of 24 px."""
    lines = np.random.default_rng(0).integers(0, 40, (SIDE, SIDE)).astype(np.uint8)
    for offset in range(3):
        lines[offset + 21 :: 24] = 255
        lines[:, offset + 21 :: 24] = 255
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        Image.fromarray(lines).save(tmp_path / "in" / f"{name}.png")
    composed = compose_predict("checkpoint=c", "images=i", "output=o", "accelerator=cpu")
    return replace(composed, images=str(tmp_path / "in"), output=str(tmp_path / "out"))


@pytest.fixture
def knowing(checkpoint: Path, tmp_path: Path) -> Any:
    """A checkpoint that says what it is told of the scale of its training."""

    def write(**known: Any) -> str:
        content = torch.load(checkpoint, weights_only=True)
        content[KEY] |= known
        torch.save(content, tmp_path / "known.ckpt")
        return str(tmp_path / "known.ckpt")

    return write


def page(config: PredictConfig) -> str:
    return (Path(config.output) / "report.html").read_text(encoding="utf-8")


def test_without_a_scale_nothing_is_resampled(
    config: PredictConfig, checkpoint: Path, seen: list[tuple[int, ...]]
) -> None:
    predict(replace(config, checkpoint=str(checkpoint)))
    assert seen == [(SIDE, SIDE)] * 2
    assert "resampled" not in page(config)
    assert "Line width of the training labels" in page(config)
    assert "3.0 px" in page(config)


@pytest.mark.parametrize("factor", [0.5, 2])
def test_a_factor_changes_what_the_network_sees_and_not_the_outputs_size(
    factor: float, config: PredictConfig, checkpoint: Path, seen: list[tuple[int, ...]]
) -> None:
    predict(replace(config, checkpoint=str(checkpoint), scale=factor))
    assert seen == [(SIDE * factor, SIDE * factor)] * 2
    probability = tifffile.imread(Path(config.output) / "a_probability.tif")
    mask = np.asarray(Image.open(Path(config.output) / "a_mask.png"))
    assert probability.shape == mask.shape == (SIDE, SIDE)
    np.testing.assert_array_equal(mask > 0, probability > 0.5)
    assert f"resampled by {factor:g} for the network" in page(config)
    assert f"pictures resampled by {factor:g}, given by the user" in page(config)


def test_pictures_are_brought_to_the_pixel_size_of_the_training(
    config: PredictConfig, knowing: Any, seen: list[tuple[int, ...]]
) -> None:
    known = replace(config, checkpoint=knowing(pixel_size_um=0.5), scale="pixel_size")
    predict(replace(known, pixel_size_um=[0.25, 1.0]))
    assert seen == [(SIDE // 2, 2 * SIDE)] * 2
    assert "resampled by 0.5 (rows) and 2 (columns)" in page(config)
    unknown = predict(known)
    assert [line for line in unknown.failures if "a.png" in line] == [
        f"{Path(config.images) / 'a.png'}: scale=pixel_size needs its pixel size, which nobody says; "
        "say pixel_size_um=VALUE, or scale=grain_size"
    ]
    for size, factor in ((25.0, "50"), (0.025, "0.05")):
        far = predict(replace(known, pixel_size_um=size)).failures[0]
        assert f"would be resampled by {factor}, beyond 0.1 to 10; correct pixel_size_um" in far
    small = replace(known, pixel_size_um=2.0, data=replace(known.data, max_megapixels=0.1))
    assert "resampled by 4 it has 0.23 megapixels; say a smaller scale" in predict(small).failures[0]


def test_grains_are_brought_to_the_size_of_the_training(
    config: PredictConfig, knowing: Any, seen: list[tuple[int, ...]], caplog: pytest.LogCaptureFixture
) -> None:
    """Squares of 24 px: along rows, columns and diagonals 20 px, as measured without a scale."""
    predict(replace(config, checkpoint=knowing(intercept_px=20.0)))
    own_px = float(csv_rows(Path(config.output) / "fields.csv")[0]["mean_intercept_px"])
    seen.clear()
    scaled = replace(config, checkpoint=knowing(intercept_px=own_px / 2), scale="grain_size")
    with caplog.at_level("INFO"):
        assert predict(scaled).failures == []
    assert {shape[0] for shape in seen} >= {SIDE}
    assert seen[1][0] == pytest.approx(SIDE / 2, rel=0.1)
    assert any("a.png: resampled by 0.5" in record.getMessage() for record in caplog.records)
    assert f"grain_size: resampled towards a mean intercept of {own_px / 2:.3g} px" in page(config)
    after_px = float(csv_rows(Path(config.output) / "fields.csv")[0]["mean_intercept_px"])
    assert after_px == pytest.approx(own_px, rel=0.05)
    seen.clear()
    predict(replace(scaled, checkpoint=knowing(intercept_px=1.1 * own_px)))
    assert seen == [(SIDE, SIDE)] * 2  # the estimate is the answer
    assert "not resampled: its grains have a mean intercept of" in page(config)


def test_at_another_scale_the_known_error_is_another_one(
    config: PredictConfig, knowing: Any, seen: list[tuple[int, ...]]
) -> None:
    error = {"bias_ln": 0.02, "sd_ln": 0.03, "images": 5, "source": "5 validation images"}
    for scale, known in ((None, "true"), (2.0, "false")):
        predict(replace(config, checkpoint=knowing(segmentation=error), scale=scale))
        rows = csv_rows(Path(config.output) / "budget.csv")
        assert [row["known"] for row in rows if row["part"] == "segmentation"] == [known]
        told = "segmentation error that the checkpoint knows is that of its own settings" in page(config)
        assert told is (scale is not None)


def test_the_estimate_looks_at_what_is_measured(
    config: PredictConfig, knowing: Any, seen: list[tuple[int, ...]], tmp_path: Path
) -> None:
    """Half of the picture shows squares of 6 px, which nobody wants to know of."""
    ignored = np.zeros((SIDE, SIDE), np.uint8)
    ignored[:, 60:] = 255
    (tmp_path / "ignored").mkdir()
    for name in ("a", "b"):
        path = Path(config.images) / f"{name}.png"
        pixels = np.array(Image.open(path))
        pixels[::6, 60:] = pixels[:, 60::6] = 255
        Image.fromarray(pixels).save(path)
        Image.fromarray(ignored).save(tmp_path / "ignored" / f"{name}.png")
    scaled = replace(config, checkpoint=knowing(intercept_px=20.0), scale="grain_size")
    predict(scaled)
    assert max(seen) > (SIDE, SIDE)
    seen.clear()
    predict(replace(scaled, ignored=str(tmp_path / "ignored")))
    assert set(seen) == {(SIDE, SIDE)}


def test_grains_that_cannot_be_brought_there_are_flagged(
    config: PredictConfig, knowing: Any, seen: list[tuple[int, ...]]
) -> None:
    predict(replace(config, checkpoint=knowing(intercept_px=400.0), scale="grain_size"))
    assert "o factor from 0.25 to 4 was found that brings its grains to those of the training" in page(config)


def test_what_is_said_of_an_estimate() -> None:
    """Pictures with grains as usual are left alone without a word; those that cannot be helped are named."""
    nothing = np.zeros((1, 1, 1), np.float32)

    def said(choice: str, found_px: float | None, consistent: bool = True) -> tuple[str, ...]:
        scaling = Scaling(choice, None, 40.0, DEFAULT_SETTINGS, 1.0)
        return _note_and_doubt(scaling, EstimatedScale(nothing, nothing[0], 1.0, found_px, consistent))

    assert said("auto", 45.0) == said("auto", None) == ()
    assert said("grain_size", None) == ("not resampled: no boundary to estimate the grain size from",)
    for choice, largest in (("auto", "1"), ("grain_size", "4")):
        note, doubt = said(choice, 90.0, consistent=False)
        assert note.startswith("not resampled: its grains have a mean intercept of 90 px")
        assert f"no factor from 0.25 to {largest} was found" in doubt


def test_an_estimate_is_of_the_partition_that_was_said_and_within_the_size_that_is_allowed(
    config: PredictConfig, checkpoint: Path
) -> None:
    spec, _ = load_network(checkpoint)
    spec = replace(spec, intercept_px=400.0)
    asked = replace(
        config,
        scale="grain_size",
        partition=replace(config.partition, threshold=0.7),
        data=replace(config.data, max_megapixels=(2 * SIDE) ** 2 / 1e6),
    )
    scaling = scaling_of(asked, spec, checkpoint)
    assert scaling.partition == replace(spec.partition, threshold=0.7)
    lines = np.asarray(Image.open(Path(config.images) / "a.png"), np.float32)[:, :, None] / 255
    assert _estimate(scaling, LeftOut(), lines, lambda unit: unit[:, :, 0]).factor == 2


@pytest.mark.parametrize(("scale", "other"), [("pixel_size", "grain_size"), ("grain_size", "pixel_size")])
def test_a_checkpoint_that_does_not_know_its_scale_is_refused(
    scale: str, other: str, config: PredictConfig, checkpoint: Path
) -> None:
    with pytest.raises(
        GrainsegError, match=rf"scale={scale}: .*epoch=1\.ckpt does not know .*say scale={other}"
    ):
        predict(replace(config, checkpoint=str(checkpoint), scale=scale))


def test_the_weights_that_ship_know_the_grains_they_saw(
    config: PredictConfig, seen: list[tuple[int, ...]]
) -> None:
    predict(replace(config, checkpoint=None, scale="grain_size"))
    assert "resampled towards a mean intercept of 35 px" in page(config)
    assert max(seen) > (SIDE, SIDE)


@pytest.fixture
def enlarged(config: PredictConfig) -> PredictConfig:
    """The same pictures three times as large: squares of 72 px, lines of 9 px."""
    for path in Path(config.images).iterdir():
        small = np.asarray(Image.open(path))
        Image.fromarray(small.repeat(3, axis=0).repeat(3, axis=1)).save(path)
    return config


def test_the_weights_that_ship_see_large_grains_shrunk_and_small_ones_as_they_are(
    enlarged: PredictConfig, seen: list[tuple[int, ...]]
) -> None:
    predict(replace(enlarged, checkpoint=None, scale=None))
    own_px = float(csv_rows(Path(enlarged.output) / "fields.csv")[0]["mean_intercept_px"])
    assert own_px > 60
    seen.clear()
    assert enlarged.scale == "auto"
    assert predict(replace(enlarged, checkpoint=None)).failures == []
    assert min(seen)[0] == pytest.approx(3 * SIDE * 35 / own_px, rel=0.1)
    assert max(seen)[0] == 3 * SIDE
    assert "auto: grains of over 44 px mean intercept are shrunk to 35 px" in page(enlarged)
    assert "resampled by 0." in page(enlarged)
    measured = float(csv_rows(Path(enlarged.output) / "fields.csv")[0]["mean_intercept_px"])
    assert measured == pytest.approx(own_px, rel=0.05)


def test_small_grains_and_networks_of_ones_own_are_left_alone(
    config: PredictConfig, knowing: Any, seen: list[tuple[int, ...]]
) -> None:
    for checkpoint in (None, knowing(intercept_px=5.0)):
        seen.clear()
        predict(replace(config, checkpoint=checkpoint))
        assert set(seen) == {(SIDE, SIDE)}
        assert "resampled by" not in page(config)
        assert "not resampled" not in page(config)


def test_the_doubt_is_that_of_what_the_network_saw(
    config: PredictConfig, knowing: Any, seen: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines that are enlarged after the network look unsure, and are not."""
    asked: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def doubt_of(unit: FloatImage, probability: FloatImage, *others: Any) -> Doubt:
        asked.append((unit.shape[:2], probability.shape))
        return Doubt(0.0, "nothing")

    monkeypatch.setattr("grainseg.pipeline.predict.doubt_of", doubt_of)
    predict(replace(config, checkpoint=knowing(intercept_px=20.0), scale=0.5))
    assert asked == [((SIDE // 2, SIDE // 2), (SIDE // 2, SIDE // 2))] * 2
