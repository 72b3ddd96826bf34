"""Several networks and views of a picture: their plain mean and spread, whatever the picture's shape."""

import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from grainseg.inference.ensemble import predict_members
from grainseg.inference.predictor import TileSettings, moved, predict_probability
from grainseg.micrograph.image import FloatImage

TILES = TileSettings(64, 32)


def one_sided_network(seed: int) -> nn.Module:
    """Sees further to some sides than to others, so every view says something else."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 7, padding=3), nn.ReLU(), nn.Conv2d(4, 1, 5, padding=2))


def picture(*shape: int) -> FloatImage:
    return np.random.default_rng(0).random((*shape, 1), dtype=np.float32)


def explicit_views(network: nn.Module, unit: FloatImage) -> list[FloatImage]:
    """The eight views, each by numpy's own name for it, undone the way it was made."""
    found = []
    for turns in range(4):
        turned = np.rot90(unit, turns, axes=(0, 1))
        found.append(np.rot90(predict_probability(network, turned, TILES), turns, axes=(1, 0)))
        mirrored = np.fliplr(turned)
        answer = predict_probability(network, mirrored, TILES)
        found.append(np.rot90(np.fliplr(answer), turns, axes=(1, 0)))
    return found


def test_each_network_adapts_to_the_picture_in_each_view_by_itself() -> None:
    networks = [
        nn.Sequential(one_sided_network(seed), nn.BatchNorm2d(1), nn.Conv2d(1, 1, 3, padding=1)).eval()
        for seed in range(3)
    ]
    unit, tiles = picture(97, 33), replace(TILES, views=8, adapt=0.4)
    alone = np.stack([predict_probability(network, unit, tiles) for network in networks])
    forecast = predict_members(networks, unit, tiles)
    np.testing.assert_allclose(forecast.probability, alone.mean(0), atol=1e-6)
    unadapted = predict_members(networks, unit, replace(tiles, adapt=0.0)).probability
    assert np.abs(forecast.probability - unadapted).max() > 1e-3


@pytest.mark.parametrize("shape", [(64, 64), (50, 131), (97, 33), (1, 5)])
@pytest.mark.parametrize("count", [1, 3])
def test_all_views_are_the_mean_of_explicit_flips(shape: tuple[int, int], count: int) -> None:
    networks = [one_sided_network(seed) for seed in range(count)]
    unit = picture(*shape)
    answers = np.stack([answer for network in networks for answer in explicit_views(network, unit)])
    forecast = predict_members(networks, unit, replace(TILES, views=8))
    assert forecast.spread is not None
    assert forecast.probability.dtype == forecast.spread.dtype == np.float32
    np.testing.assert_allclose(forecast.probability, answers.mean(0), atol=1e-6)
    np.testing.assert_allclose(forecast.spread, answers.std(0), atol=1e-6)
    assert forecast.spread.max() > 1e-3, "the views of this network differ, or the test shows nothing"


@pytest.mark.parametrize("views", [1, 8])
def test_lines_are_moved_once_and_not_with_the_views(views: int) -> None:
    network, unit = one_sided_network(0), picture(50, 70)
    tiles = replace(TILES, views=views)
    here = predict_members([network], unit, tiles).probability
    there = predict_members([network], unit, replace(tiles, offset_px=(2.0, -1.0))).probability
    np.testing.assert_allclose(there[2:, :-1], here[:-2, 1:], atol=1e-5)


def test_members_are_averaged_and_shown_one_by_one() -> None:
    networks = [one_sided_network(seed) for seed in range(3)]
    unit = picture(40, 70)
    shown: list[FloatImage] = []
    forecast = predict_members(networks, unit, TILES, of_member=shown.append)
    single = [predict_probability(network, unit, TILES) for network in networks]
    np.testing.assert_array_equal(shown, single)
    np.testing.assert_allclose(forecast.probability, np.mean(single, axis=0), atol=1e-6)


def test_a_member_is_shown_as_the_mean_of_its_own_views() -> None:
    networks = [one_sided_network(seed) for seed in range(2)]
    unit = picture(40, 70)
    shown: list[FloatImage] = []
    predict_members(networks, unit, replace(TILES, views=8), shown.append)
    for network, member in zip(networks, shown, strict=True):
        np.testing.assert_allclose(member, np.mean(explicit_views(network, unit), axis=0), atol=1e-6)


def test_one_network_as_it_is_has_no_spread() -> None:
    network, unit = one_sided_network(0), picture(50, 131)
    forecast = predict_members([network], unit, TILES)
    assert forecast.spread is None
    np.testing.assert_array_equal(forecast.probability, predict_probability(network, unit, TILES))


def test_a_network_that_knows_no_direction_gains_nothing_from_views() -> None:
    network = nn.Conv2d(1, 1, 3, padding=1, bias=False)
    weight = network.state_dict()["weight"]
    weight.copy_(torch.tensor([[0.5, -1.0, 0.5], [-1.0, 3.0, -1.0], [0.5, -1.0, 0.5]]))
    unit = picture(96, 160)  # multiples of the stride: the padding to it has a direction, too
    plain = predict_probability(network, unit, TILES)
    forecast = predict_members([network], unit, replace(TILES, views=8))
    assert forecast.spread is not None
    np.testing.assert_allclose(forecast.probability, plain, atol=1e-6)
    assert forecast.spread.max() < 1e-6


def test_equal_networks_do_not_spread() -> None:
    forecast = predict_members([one_sided_network(0)] * 4, picture(40, 40), TILES)
    assert forecast.spread is not None
    assert forecast.spread.max() == 0


def test_it_takes_a_network() -> None:
    with pytest.raises(ValueError, match="at least one"):
        predict_members([], picture(8, 8), TILES)


@pytest.mark.parametrize("offset_px", [(0.0, 0.0), (1.5, -0.5)])
def test_one_network_sees_the_same_views_alone_and_among_others(offset_px: tuple[float, float]) -> None:
    """Training scores by the one, predictions are by the other."""
    network, unit = one_sided_network(0), picture(50, 70)
    with torch.no_grad():
        network.get_parameter("2.weight").mul_(100)  # sure of itself: splines overshoot its 0 and 1
    tiles = replace(TILES, views=8, offset_px=offset_px)
    alone = predict_probability(network, unit, tiles)
    np.testing.assert_array_equal(predict_members([network], unit, tiles).probability, alone)
    moved_last = moved(predict_probability(network, unit, replace(tiles, offset_px=(0.0, 0.0))), offset_px)
    clipped = np.abs(moved_last - alone).max() > 0.01
    assert clipped == any(offset_px), "no view was clipped, or the test shows nothing"


def test_a_view_is_held_no_longer_than_it_is_needed() -> None:
    """Networks and views add no maps of the picture's size to what is held while one of them predicts."""
    held: list[weakref.ref[FloatImage]] = []
    still_there: list[int] = []

    def watch(seen: FloatImage) -> None:
        held.append(weakref.ref(seen))

    network = one_sided_network(0)
    network.register_forward_pre_hook(lambda *_: still_there.append(sum(each() is not None for each in held)))
    predict_probability(network, picture(40, 40), replace(TILES, views=8), watch)
    predict_members([network] * 3, picture(40, 40), TILES, watch)
    assert len(held) == 8 + 3
    assert set(still_there) == {0}
