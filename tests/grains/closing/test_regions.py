"""The joining in rounds against joining one pair at a time, and the basins against walking uphill."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from grainseg.grains.closing.basins import find_basins, relief
from grainseg.grains.closing.regions import (
    Lines,
    contract,
    join_shallow,
    join_small,
    join_unsupported,
    region_graph,
)


def noisy_map(seed, shape=(60, 70)):
    field = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal(shape).astype(np.float32), (0, 0), 2)
    return (field - field.min()) / np.ptp(field)


def graph_of(seed):
    probability = noisy_map(seed)
    height, width = relief(probability, probability > 0.6)
    basins = find_basins(height)
    return basins, region_graph(basins, height, probability, width, Lines.PREDICTED)


def same_groups(one, other):
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    return len(pairs) == len(set(one.tolist())) == len(set(other.tolist()))


def walk_uphill(height, at):
    while True:
        row, column = at
        around = [at, (row - 1, column), (row, column - 1), (row, column + 1), (row + 1, column)]
        inside = [each for each in around if each[0] in range(30) and each[1] in range(30)]
        highest = max(inside, key=lambda each: height[each])
        if highest == at:
            return at
        at = highest


@pytest.mark.parametrize("threads", [1, 2])
def test_the_relief_is_exact_to_the_last_digit_wherever_the_map_lies_in_memory(threads):
    """Else ties are settled by chance, and two runs find different grains in one map."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        for offset in range(8):  # 4 bytes each
            probability = np.empty(400 * 311 + 8, np.float32)[offset:][: 400 * 311].reshape(400, 311)
            probability[:] = noisy_map(5, probability.shape)
            boundary = probability > 0.7
            height, _ = relief(probability, boundary)
            exact = distance_transform_edt(~boundary).astype(np.float32)
            np.testing.assert_array_equal(height[~boundary], exact[~boundary])
            assert exact.max() > 5
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize("seed", range(3))
def test_basins_hold_what_walks_up_to_their_summit(seed):
    height = np.random.default_rng(seed).permutation(900).reshape(30, 30).astype(np.float32)  # no ties
    basins = find_basins(height)
    for at in np.ndindex(height.shape):
        assert walk_uphill(height, at) == divmod(basins.summits[basins.ids[at]], 30)


def test_plateaus_end_somewhere():
    basins = find_basins(np.ones((20, 30), np.float32))
    assert basins.summits.tolist() == [20 * 30 - 1]
    assert not basins.ids.any()


@pytest.mark.parametrize("seed", range(4))
def test_relief_is_positive_outside_lines_and_falls_to_their_middle(seed):
    probability = noisy_map(seed)
    boundary = probability > 0.6
    height, width = relief(probability, boundary)
    assert (height[~boundary] >= 1).all()
    assert (height[boundary] <= -1).all()
    assert width >= 1
    assert not boundary.ravel()[find_basins(height).summits].any()  # no way ends inside a line


@pytest.mark.parametrize("width", range(2, 8))
def test_width_of_lines(width):
    mask = np.zeros((60, 80), np.bool_)
    mask[:, 30 : 30 + width] = True
    assert relief(mask.astype(np.float32), mask)[1] == pytest.approx(width, abs=0.4)


def shallow_one_by_one(graph, depth):
    """Flood from the highest saddle down; a region that meets a higher one may be joined to it (dynamics)."""
    joined = np.arange(graph.peak.size)
    flooded = np.arange(graph.peak.size)
    for border in np.argsort(-graph.saddle, kind="stable"):
        a, b = graph.first[border], graph.second[border]
        one, other = flooded[a], flooded[b]
        if one == other:
            continue
        lower = min(graph.peak[flooded == one].max(), graph.peak[flooded == other].max())
        if graph.saddle[border] >= (1 - depth) * lower:
            joined[joined == joined[b]] = joined[a]
        flooded[flooded == other] = one
    return joined


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("depth", [0, 0.1, 0.3, 0.6, 1])
def test_shallow_necks_as_one_by_one(seed, depth):
    _, graph = graph_of(seed)
    assert same_groups(join_shallow(graph, depth)[1], shallow_one_by_one(graph, depth))


def unsupported_one_by_one(graph, support):
    into = np.arange(graph.peak.size)
    while True:
        order = np.lexsort((graph.relative_depth, graph.support))
        if order.size == 0 or graph.support[order[0]] >= support:
            return into
        a, b = graph.first[order[0]], graph.second[order[0]]
        groups = np.arange(graph.peak.size)
        groups[b] = a
        groups[b + 1 :] -= 1
        graph, into = contract(graph, groups), groups[into]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("support", [0, 0.05, 0.2, 0.5])
def test_unsupported_borders_as_one_by_one(seed, support):
    graph, _ = join_shallow(graph_of(seed)[1], 0.1)
    jitter = np.random.default_rng(seed).uniform(0, 1e-3, graph.saddle.size)  # distances on a grid tie
    graph = replace(graph, saddle=graph.saddle + jitter)
    assert same_groups(join_unsupported(graph, support)[1], unsupported_one_by_one(graph, support))


@pytest.mark.parametrize("seed", range(3))
def test_joining_may_be_continued(seed):
    graph = graph_of(seed)[1]
    for join, low, high in ((join_shallow, 0.1, 0.4), (join_unsupported, 0.2, 0.5)):
        part, first = join(graph, low)
        assert same_groups(join(part, high)[1][first], join(graph, high)[1])


def test_areas_and_lengths_are_kept():
    basins, graph = graph_of(0)
    assert graph.area_px.sum() == basins.ids.size
    joined, into = join_unsupported(graph, 0.5)
    assert joined.area_px.sum() == basins.ids.size
    grains = into[basins.ids]
    edges = np.count_nonzero(grains[1:] != grains[:-1]) + np.count_nonzero(grains[:, 1:] != grains[:, :-1])
    assert joined.length_px.sum() == edges


def test_no_small_region_is_left():
    _, graph = graph_of(1)
    joined, _ = join_small(graph, 50)
    assert joined.area_px.min() >= 50
    alone, _ = join_small(graph, 1e9)
    assert alone.area_px.size == 1
