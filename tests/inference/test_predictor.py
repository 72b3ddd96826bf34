"""Whole-picture prediction: exact where the halo covers the network's view, right for any size."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from grainseg.errors import GrainsegError
from grainseg.inference.predictor import (
    TileSettings,
    moved,
    named_if_diverged,
    predict_probability,
    tile_settings,
)
from grainseg.micrograph.plain.synthetic import generate
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.model.networks import NetworkSpec, build_network


def stride_one_network(channels: int) -> nn.Module:
    """Receptive field of 3 + 4 + 4 = 11 px to each side."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(channels, 6, 7, padding=3),
        nn.ReLU(),
        nn.Conv2d(6, 6, 9, padding=4),
        nn.ReLU(),
        nn.Conv2d(6, 1, 9, padding=4),
    )


@pytest.mark.parametrize("shape", [(1, 1), (5, 200), (64, 64), (100, 131), (193, 97)])
@pytest.mark.parametrize(("tile_size", "overlap"), [(64, 32), (96, 32), (96, 64), (128, 96)])
@pytest.mark.parametrize("channels", [1, 3])
def test_stitching_is_exact(shape: tuple[int, int], tile_size: int, overlap: int, channels: int) -> None:
    network = stride_one_network(channels)
    unit = np.random.default_rng(0).random((*shape, channels), dtype=np.float32)
    tiles = TileSettings(tile_size, overlap)
    assert tiles.halo >= 11
    stitched = predict_probability(network, unit, tiles)
    whole = predict_probability(network, unit, TileSettings(256, 0))
    assert stitched.shape == shape
    assert stitched.dtype == np.float32
    np.testing.assert_allclose(stitched, whole, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (31, 45), (64, 96), (150, 97)])
@pytest.mark.parametrize("architecture", ["unet", "unetplusplus", "deeplabv3plus"])
def test_any_size_comes_out_as_it_went_in(architecture: str, shape: tuple[int, int]) -> None:
    network = build_network(NetworkSpec(architecture, "tu-mobilenetv3_small_100", 1, 16))
    probability = predict_probability(network, np.zeros((*shape, 1), np.float32), TileSettings(64, 32))
    assert probability.shape == shape
    assert np.isfinite(probability).all()
    assert probability.min() >= 0
    assert probability.max() <= 1


def test_a_checkpoint_says_how_its_network_predicts() -> None:
    spec = CheckpointSpec(
        "unet", "resnet18", 1, 16, {}, 64, 16, 0.5, 3.0, 0, label_offset_px=(0.5, -0.25), shrink=3
    )
    tiles = TileSettings(tile_size=192, overlap=48, offset_px=(0.5, -0.25), stride=96)
    assert tile_settings(spec) == tiles
    seen = replace(tiles, views=8, adapt=0.25)
    assert tile_settings(replace(spec, tta="d4", adapt=0.25)) == seen


def test_inference_is_float32_even_within_autocast() -> None:
    network = build_network(NetworkSpec("unet", "tu-mobilenetv3_small_100", 1, 16))
    unit = generate(0, (64, 64)).pixels[:, :, None]
    plain = predict_probability(network, unit, TileSettings(64, 32))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        within = predict_probability(network, unit, TileSettings(64, 32))
    np.testing.assert_array_equal(plain, within)


def test_a_diverged_network_is_one_line() -> None:
    class Diverged(torch.nn.Conv2d):
        def forward(self, unit: torch.Tensor) -> torch.Tensor:
            return super().forward(unit) * float("nan")

    network, unit = Diverged(1, 1, 1), np.zeros((40, 50, 1), np.float32)
    with pytest.raises(GrainsegError, match=r"its training has diverged; lower optimizer\.lr"):
        predict_probability(network, unit, TileSettings(64, 32))
    words = "^a.png: the network of checkpoint b.ckpt answers with NaN: .*; give another checkpoint$"
    with pytest.raises(GrainsegError, match=words), named_if_diverged("a.png", "b.ckpt"):
        predict_probability(network, unit, TileSettings(64, 32))


def test_a_network_that_is_certain_stays_a_probability() -> None:
    """Shares of overlapping tiles add up to 1 with the rounding of float32, and not beyond."""

    class Certain(nn.Conv2d):
        def forward(self, unit: torch.Tensor) -> torch.Tensor:
            return super().forward(unit) * 0 + 100

    tiles = TileSettings(768, 256)
    probability = predict_probability(Certain(1, 1, 1), np.zeros((800, 800, 1), np.float32), tiles)
    assert probability.max() <= 1


@pytest.mark.parametrize("offset", [(0.5, 0.25), (-0.3, 0.0), (1.5, -2.0)])
def test_a_line_is_moved_by_parts_of_a_pixel(offset: tuple[float, float]) -> None:
    """A blurred spot's centre of mass moves by the offset; its sum stays."""
    rows, columns = np.mgrid[:40, :50]
    spot = np.exp(-((rows - 20) ** 2 + (columns - 25) ** 2) / 8).astype(np.float32)
    found = moved(spot, offset)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
    assert (found * rows).sum() / found.sum() == pytest.approx(20 + offset[0], abs=0.01)
    assert (found * columns).sum() / found.sum() == pytest.approx(25 + offset[1], abs=0.01)
    assert found.sum() == pytest.approx(spot.sum(), rel=1e-3)


def test_what_need_not_move_is_not_touched() -> None:
    map_ = np.random.default_rng(0).random((9, 9), dtype=np.float32)
    assert moved(map_, (0.0, 0.0)) is map_


def test_no_memory_is_called_so() -> None:
    """It fails one picture, where another of PyTorch's errors would be a bug."""

    class Greedy(nn.Conv2d):
        def forward(self, unit: torch.Tensor) -> torch.Tensor:
            return super().forward(unit) + torch.empty(10**14)

    with pytest.raises(MemoryError):
        predict_probability(Greedy(1, 1, 1), np.zeros((40, 50, 1), np.float32), TileSettings(64, 32))
