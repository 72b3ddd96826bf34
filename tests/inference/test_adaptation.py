"""Batch normalisation by the picture's own statistics: what it comes to, and that nothing of it stays."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from grainseg.errors import GrainsegError
from grainseg.inference.adaptation import adapted, batch_norms, parts_of, require_adaptable
from grainseg.inference.predictor import TileSettings, predict_probability
from grainseg.model.networks import NetworkSpec, build_network

SPEC = NetworkSpec("unet", "tu-mobilenetv3_small_100", 1, 16)


def trained_network() -> nn.Module:
    """A network whose statistics are of some other pictures."""
    torch.manual_seed(0)
    network = build_network(SPEC)
    with torch.no_grad():
        network.train()
        network(0.3 * torch.randn(4, 1, 64, 64))
    return network.eval()


def same_state(network: nn.Module, before: dict[str, torch.Tensor]) -> bool:
    after = network.state_dict()
    return all(torch.equal(after[name], value) for name, value in before.items())


def test_all_of_the_picture_is_what_training_mode_computes() -> None:
    network, parts = trained_network(), torch.rand(9, 1, 64, 64)
    as_in_training = copy.deepcopy(network)
    for layer in batch_norms(as_in_training):
        layer.train()  # which takes the batch's own mean and variance, in code of PyTorch's
    with torch.inference_mode(), adapted(network, parts, 1.0):
        found = network(parts)
    torch.testing.assert_close(found, as_in_training(parts).detach(), atol=1e-4, rtol=1e-4)


def test_a_share_is_a_mixture_of_means_and_of_variances() -> None:
    layer = nn.BatchNorm2d(1).eval()
    layer.running_mean.fill_(2.0)  # type: ignore[union-attr]
    layer.running_var.fill_(5.0)  # type: ignore[union-attr]
    parts = torch.tensor([0.0, 2.0, 4.0, 6.0]).reshape(1, 1, 2, 2)  # mean 3, variance 5
    with adapted(layer, parts + 7, 0.25):
        assert layer.running_mean.item() == pytest.approx(0.75 * 2 + 0.25 * 10)  # type: ignore[union-attr]
        assert layer.running_var.item() == pytest.approx(5.0)  # type: ignore[union-attr]


def test_the_network_is_as_it_was_afterwards_whatever_happens() -> None:
    network, parts = trained_network(), torch.rand(1, 1, 64, 64)
    before = copy.deepcopy(network.state_dict())
    with adapted(network, parts, 0.5):
        assert not same_state(network, before)
        network(parts)
        once = copy.deepcopy(network.state_dict())
        network(parts)
        assert same_state(network, once), "later tiles change nothing"
    assert same_state(network, before)
    with pytest.raises(ZeroDivisionError), adapted(network, parts, 0.5):
        _ = 1 / 0
    assert same_state(network, before)
    with pytest.raises(RuntimeError), adapted(network, torch.rand(1, 5, 64, 64), 0.5):
        pytest.fail("these parts fit no layer")
    assert same_state(network, before)
    assert not any(layer._forward_pre_hooks for layer in batch_norms(network))


def test_a_prediction_with_all_of_it_knows_no_gain_and_no_offset() -> None:
    """The first layer undoes them; by the training's statistics they would stay."""
    torch.manual_seed(1)
    network = nn.Sequential(
        nn.BatchNorm2d(1), nn.Conv2d(1, 4, 3), nn.ReLU(), nn.ConvTranspose2d(4, 1, 3)
    ).eval()
    unit = np.random.default_rng(0).random((96, 90, 1), dtype=np.float32)
    tiles = TileSettings(64, 32, adapt=1.0)
    found, duller = (predict_probability(network, each, tiles) for each in (unit, 0.5 * unit + 0.2))
    np.testing.assert_allclose(found, duller, atol=1e-3)
    plain = [predict_probability(network, each, TileSettings(64, 32)) for each in (unit, 0.5 * unit + 0.2)]
    assert np.abs(plain[0] - plain[1]).max() > 0.01


def test_no_share_changes_nothing_and_a_small_one_little() -> None:
    network = trained_network()
    unit = np.random.default_rng(0).random((70, 90, 1), dtype=np.float32)
    plain, little, much = (
        predict_probability(network, unit, TileSettings(64, 32, adapt=share)) for share in (0.0, 0.01, 0.5)
    )
    np.testing.assert_array_equal(plain, predict_probability(network, unit, TileSettings(64, 32)))
    assert 0 < np.abs(little - plain).max() < np.abs(much - plain).max()


@pytest.mark.parametrize("stride", [32, 64])
def test_a_small_picture_is_taken_whole_and_a_large_one_in_nine_parts(stride: int) -> None:
    side = 8 * stride
    tile = 3 * side
    small = np.zeros((1, 4 * side, 2 * side), np.float32)
    assert parts_of(small, tile, stride).shape == (1, *small.shape)
    rows, columns = np.mgrid[: 5 * side, : 2 * side]
    large = np.stack([rows, columns]).astype(np.float32)
    parts = parts_of(large, tile, stride)
    assert parts.shape == (9, 2, side, side)
    corners = {tuple(part[:, 0, 0].astype(int)) for part in parts}
    assert corners == {(top, left) for top in (0, 2 * side, 4 * side) for left in (0, side // 2, side)}
    columns = np.broadcast_to(np.arange(600 * stride, dtype=np.float32), (1, stride, 600 * stride))
    for long, turned in ((columns, False), (columns.transpose(0, 2, 1), True)):
        parts = parts_of(long, tile, stride)
        assert parts.shape == ((9, 1, side, stride) if turned else (9, 1, stride, side))
        assert len(set(parts[:, 0, 0, 0])) == 9, "each at a place of its own"
    # A network that takes 224 px only has tiles of that, and sees no larger part.
    assert parts_of(np.zeros((1, 512, 512), np.float32), 224, 32).shape == (9, 1, 224, 224)


def test_what_is_pooled_to_one_value_keeps_the_statistics_of_training() -> None:
    """It has no variance of its own, by which other tiles would be divided."""
    layer = nn.BatchNorm2d(3).eval()
    before = copy.deepcopy(layer.state_dict())
    with adapted(layer, torch.rand(1, 3, 1, 1), 1.0):
        assert same_state(layer, before)


def test_a_network_without_batch_normalisation_is_named() -> None:
    network = nn.Conv2d(1, 1, 3)
    require_adaptable(network, 0.0, "adapt")
    require_adaptable(trained_network(), 0.5, "adapt")
    with pytest.raises(
        GrainsegError, match=r"adapt=0\.5: this network has no batch normalisation .* adapt=0"
    ):
        require_adaptable(network, 0.5, "adapt")
