"""Prediction by an ensemble: the mean of its members' own predictions, and how far these differ."""

import csv
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from helpers import compose_predict
from torch import nn

from grainseg.config import PredictConfig, TrainConfig
from grainseg.errors import GrainsegError
from grainseg.grains.batches.budget import SegmentationError
from grainseg.grains.closing.partition import partition_probability
from grainseg.model.checkpoint import load_network
from grainseg.model.ensemble import write_ensemble
from grainseg.pipeline.predict import predict
from grainseg.pipeline.train import train

MEMBERS = 3


@pytest.fixture(scope="module")
def checkpoints(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """An ensemble, and each of its networks alone: none is trained, each sees other boundaries."""
    folder = tmp_path_factory.mktemp("ensemble")
    spec, _ = load_network(checkpoint)
    networks: list[nn.Module] = []
    for number in range(MEMBERS):
        _, network = load_network(checkpoint)
        generator = torch.Generator().manual_seed(number)
        weight = network.state_dict()["segmentation_head.0.weight"]
        weight.copy_(3 * torch.randn(weight.shape, generator=generator))  # some boundary in each map
        networks.append(network)
        write_ensemble(folder / f"{number}.ckpt", spec, [network])
    write_ensemble(folder / "best.ckpt", spec, networks)
    return folder / "best.ckpt", [folder / f"{number}.ckpt" for number in range(MEMBERS)]


def predicting(checkpoint: Path, fields: Path, output: Path) -> PredictConfig:
    composed = compose_predict("checkpoint=c", "images=i", "output=o", "accelerator=cpu")
    return replace(
        composed,
        checkpoint=str(checkpoint),
        images=str(fields / "images" / "f0.png"),
        output=str(output),
        pixel_size_um=0.5,
    )


@pytest.fixture(scope="module")
def outputs(
    checkpoints: tuple[Path, list[Path]], fields: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Path]]:
    """What the ensemble predicted, and what each network alone."""
    folder = tmp_path_factory.mktemp("outputs")
    found = []
    for number, path in enumerate((checkpoints[0], *checkpoints[1])):
        assert predict(predicting(path, fields, folder / str(number))).failures == []
        found.append(folder / str(number))
    return found[0], found[1:]


def field_rows(output: Path) -> list[dict[str, str]]:
    with (output / "fields.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def maps(outputs: list[Path], name: str) -> np.ndarray:
    return np.stack([tifffile.imread(output / name) for output in outputs])


def test_it_is_the_mean_of_the_members_and_their_spread(outputs: tuple[Path, list[Path]]) -> None:
    together, alone = outputs
    single = maps(alone, "f0_probability.tif")
    np.testing.assert_allclose(tifffile.imread(together / "f0_probability.tif"), single.mean(0), atol=1e-6)
    spread = tifffile.imread(together / "f0_uncertainty.tif")
    assert spread.dtype == np.float32
    np.testing.assert_allclose(spread, single.std(0), atol=1e-6)
    assert spread.max() > 0.01, "the members differ, or the test shows nothing"


def test_the_uncertainty_opens_calibrated(outputs: tuple[Path, list[Path]]) -> None:
    with tifffile.TiffFile(outputs[0] / "f0_uncertainty.tif") as tiff:
        assert tiff.imagej_metadata is not None
        assert tiff.imagej_metadata["unit"] == "um"
        numerator, denominator = tiff.pages[0].tags["XResolution"].value  # type: ignore[union-attr]
        assert numerator / denominator == pytest.approx(2.0)


def test_the_range_of_the_members_is_that_of_their_own_tables(outputs: tuple[Path, list[Path]]) -> None:
    together, alone = outputs
    rows, single = field_rows(together), [field_rows(output) for output in alone]
    for number, row in enumerate(rows):
        own = [float(rows[number]["mean_intercept_um"]) for rows in single]
        assert row["members"] == str(MEMBERS)
        assert float(row["mean_intercept_members_low_um"]) == pytest.approx(min(own))
        assert float(row["mean_intercept_members_high_um"]) == pytest.approx(max(own))
        assert float(row["mean_intercept_members_sd_ln"]) == pytest.approx(np.std(np.log(own), ddof=1))
    assert "members" not in single[0][0]


def test_the_report_says_who_predicted_and_where_they_disagree(outputs: tuple[Path, list[Path]]) -> None:
    page = (outputs[0] / "report.html").read_text(encoding="utf-8")
    assert "3, the mean of their probabilities" in page
    disagree = [row for row in field_rows(outputs[0]) if float(row["mean_intercept_members_sd_ln"]) > 0.05]
    assert all("3 networks disagree" in row["flags"] for row in disagree)
    assert disagree, "these members differ that much, or the test shows nothing"
    assert "greatest of the ensemble" in page


def test_all_views_are_asked_for_by_one_word(
    checkpoints: tuple[Path, list[Path]], outputs: tuple[Path, list[Path]], fields: Path, tmp_path: Path
) -> None:
    alone = checkpoints[1][0]
    predict(replace(predicting(alone, fields, tmp_path), tta="d4"))
    turned = tifffile.imread(tmp_path / "f0_probability.tif")
    assert np.abs(turned - tifffile.imread(outputs[1][0] / "f0_probability.tif")).max() > 1e-3
    assert (tmp_path / "f0_uncertainty.tif").is_file()
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "d4, the mean over 8 views, given by the user" in page
    predict(predicting(alone, fields, tmp_path))
    assert not (tmp_path / "f0_uncertainty.tif").exists(), "that of another prediction would mislead"


def test_views_are_the_checkpoints_and_its_error_is_that_of_its_own_settings(
    checkpoints: tuple[Path, list[Path]], fields: Path, tmp_path: Path
) -> None:
    spec, network = load_network(checkpoints[1][0])
    known = replace(spec, tta="d4", adapt=0.2, segmentation=SegmentationError(0.01, 0.02, 3, "three images"))
    write_ensemble(tmp_path / "d4.ckpt", known, [network])
    config = predicting(tmp_path / "d4.ckpt", fields, tmp_path / "own")
    same = replace(config.partition, depth=spec.partition.depth)
    predict(replace(config, partition=same))
    assert (tmp_path / "own" / "f0_uncertainty.tif").is_file()
    page = (tmp_path / "own" / "report.html").read_text(encoding="utf-8")
    assert "d4, the mean over 8 views, by the checkpoint" in page
    assert "0.2 of it by the picture's own statistics, by the checkpoint" in unescape(page)
    assert "three images: bias" in page
    assert page.count("fitted to labelled images") == 3, "also where the fit chose the defaults"
    other = replace(same, min_size=2 * spec.partition.min_size)
    by_hand = "Said by hand: partition.min_size, tta=none, adapt=0.5; the segmentation error"
    for said, flagged in ((None, True), (0.03, False)):
        predict(replace(config, partition=other, tta="none", adapt=0.5, segmentation_rel_unc=said))
        page = (tmp_path / "own" / "report.html").read_text(encoding="utf-8")
        assert (by_hand in page) == flagged
        assert "0.5 of it by the picture's own statistics, given by the user" in unescape(page)
        assert "three images: bias" not in page


def test_other_words_are_refused() -> None:
    with pytest.raises(GrainsegError, match="tta=d8: must be one of none, d4"):
        compose_predict("images=i", "output=o", "tta=d8")
    with pytest.raises(GrainsegError, match=r"adapt=1\.5: must lie between 0 and 1"):
        compose_predict("images=i", "output=o", "adapt=1.5")


def test_its_grains_are_those_of_the_mean(outputs: tuple[Path, list[Path]], checkpoint: Path) -> None:
    spec, _ = load_network(checkpoint)
    probability = tifffile.imread(outputs[0] / "f0_probability.tif")
    grains = tifffile.imread(outputs[0] / "f0_grains.tif")
    np.testing.assert_array_equal(grains, partition_probability(probability, spec.partition).grains)


def test_training_does_not_go_on_from_it(
    checkpoints: tuple[Path, list[Path]], smoke_config: TrainConfig, tmp_path: Path
) -> None:
    with pytest.raises(GrainsegError, match="holds an ensemble of 3 networks"):
        train(replace(smoke_config, resume=str(checkpoints[0])), tmp_path)
