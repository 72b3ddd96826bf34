import math

import numpy as np
import pytest
from tessellations import hexagons, laguerre, poisson_voronoi

from grainseg.grains.measuring.intercepts import (
    Intercepts,
    circle_chains,
    circle_intercepts,
    direction_weights,
    line_intercepts,
    mean_intercept_px,
    pooled,
)


def by_name(grains, **options):
    return {lines.name: lines for lines in line_intercepts(grains, **options)}


def stripes(width, count, height=30):
    return np.tile(np.arange(1, count + 1, dtype=np.uint32).repeat(width), (height, 1))


def cells(seed=0, shape=(180, 220), mean_area=150.0):
    return poisson_voronoi(np.random.default_rng(seed), max(shape), mean_area).grain_map((0, 0), shape)


def brute_force(grains, closed, excluded, down, right):
    """Steps, crossings and closed crossings by the rules, pixel by pixel."""
    height, width = grains.shape
    length = crossings = shut = 0.0

    def at(y, x):
        if not (0 <= y < height and 0 <= x < width) or excluded[y, x]:
            return None
        return int(grains[y, x])

    for y in range(height):
        for x in range(width):
            p, q, r = (at(y + k * down, x + k * right) for k in range(3))
            if p is None or q is None or not (p or q):
                continue
            length += 1 if p and q else 0.5
            crossings += (p != q) if p and q else 0.5
            step_closed = closed[y, x] or closed[y + down, x + right]
            shut += bool(p and q and p != q and step_closed)
            if r is not None and len({p, q, r}) == 3 and q:
                crossings += 0.5
                next_closed = closed[y + down, x + right] or closed[y + 2 * down, x + 2 * right]
                shut += (0.25 if p and step_closed else 0) + (0.25 if r and next_closed else 0)
    return length, crossings, shut


@pytest.mark.parametrize(("name", "down", "right"), [("0", 0, 1), ("45", -1, 1), ("90", 1, 0), ("135", 1, 1)])
def test_counts_equal_brute_force(name, down, right):
    rng = np.random.default_rng(5)
    grains = cells(1, (40, 50), 12.0)
    grains[rng.random(grains.shape) < 0.03] = 0
    closed = rng.random(grains.shape) < 0.2
    excluded = np.zeros(grains.shape, bool)
    excluded[10:20, 15:22] = True

    found = by_name(grains, closed=closed, ignored=excluded)[name]
    length, crossings, shut = brute_force(grains, closed, excluded, down, right)

    # Diagonals have steps of √2 and lie √½ apart; all sets are of lines one px apart.
    spacing = 1 / math.hypot(down, right)
    assert found.length == pytest.approx(length)
    assert found.crossings == pytest.approx(spacing * crossings)
    assert found.closed_crossings == pytest.approx(spacing * shut)


def test_stripes_by_closed_form():
    """The ends of the lines are pixel centres: 99 steps in 100 px, and 9 boundaries."""
    found = by_name(stripes(10, 10))
    assert (found["0"].length, found["0"].crossings) == (30 * 99, 30 * 9)
    assert found["0"].mean == 11
    assert math.isnan(found["90"].mean)
    assert found["45"].mean == pytest.approx(math.sqrt(2) * 99 / 9)


def test_long_stripes_have_their_width():
    assert by_name(stripes(10, 500))["0"].mean == pytest.approx(10, rel=0.003)


@pytest.mark.parametrize("name", ["0", "45", "90", "135"])
def test_a_boundary_at_an_angle_has_its_projected_length(name):
    """A straight line of length L crosses L·|sin| of the lines one px apart."""
    y, x = np.mgrid[:400, :400] - 199.5
    degrees = 20.0
    angle = np.deg2rad(degrees)
    grains = (1 + (np.hypot(y, x) < 150) * (1 + (np.sin(angle) * x + np.cos(angle) * y > 0))).astype(
        np.uint32
    )
    inner = np.where(grains == 1, 0, grains)  # only the chord of the disc is a grain boundary
    found = by_name(inner)[name]
    rim = 2 * 300 / 2  # both sides of the disc's width, half a crossing each
    expected = 300 * abs(math.sin(np.deg2rad(float(name) - degrees)))
    assert found.crossings - rim == pytest.approx(expected, rel=0.02, abs=3)


def test_where_a_grain_ends_without_neighbour_the_line_ends_on_a_boundary():
    grains = np.zeros((1, 30), np.uint32)
    grains[0, 5:15], grains[0, 15:20] = 1, 2
    found = by_name(grains)["0"]
    assert found.length == 15  # 14 steps inside, half a step beyond either end
    assert found.crossings == 1 + 0.5 + 0.5
    assert found.mean == 7.5  # of two grains of 10 and 5 px


def test_an_excluded_area_cuts_the_line_without_a_crossing():
    grains = stripes(10, 6, height=1)
    excluded = np.zeros(grains.shape, bool)
    excluded[0, 23:27] = True  # inside the third grain
    found = by_name(grains, ignored=excluded)["0"]
    assert (found.length, found.crossings) == (59 - 5, 5)


def test_excluding_at_random_does_not_bias():
    grains = cells(3, (600, 600), 200.0)
    rng = np.random.default_rng(0)
    excluded = np.zeros(grains.shape, bool)
    for y, x in rng.integers(0, 570, (40, 2)):
        excluded[y : y + 30, x : x + 30] = True
    assert pooled(line_intercepts(grains, ignored=excluded)).mean == pytest.approx(
        mean_intercept_px(grains), rel=0.02
    )
    assert circle_intercepts(grains, ignored=excluded).length < circle_intercepts(grains).length


def test_corners_that_the_raster_misses_are_what_makes_it_long():
    """Without the half crossings of one-pixel runs the mean intercept of these cells is 0.2 px too long."""
    rng = np.random.default_rng(2)
    size = (900, 900)
    field = poisson_voronoi(rng, 900, 100.0)
    grains, truth = field.grain_map((0, 0), size), field.mean_intercept((0, 0), size)
    per_px = [np.count_nonzero(grains[a] != grains[b]) / grains[a].size / step for step, a, b in _shifted()]
    plain = 1 / np.mean(per_px)
    assert plain - truth == pytest.approx(0.21, abs=0.06)
    assert mean_intercept_px(grains) - truth == pytest.approx(0, abs=0.05)


def _shifted():
    here, there, everywhere = slice(None, -1), slice(1, None), slice(None)
    yield 1, (everywhere, here), (everywhere, there)
    yield 1, (here, everywhere), (there, everywhere)
    yield math.sqrt(2), (here, here), (there, there)
    yield math.sqrt(2), (here, there), (there, here)


def test_ragged_boundaries_get_no_half_crossings():
    """A comb between two grains is counted as it is: runs of one pixel between the same grain add nothing."""
    grains = np.ones((1, 20), np.uint32)
    grains[0, 10:] = 2
    grains[0, 8], grains[0, 11] = 2, 1
    assert by_name(grains)["0"].crossings == 5


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud, np.rot90, np.transpose], ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(120, 120), (121, 90), (90, 121), (77, 78)])
def test_flips_and_turns_change_nothing(turn, shape):
    grains = cells(4, shape)
    closed = np.random.default_rng(1).random(shape) < 0.1
    grains[20:30, 30:50] = 0
    one = (*line_intercepts(grains, closed), circle_intercepts(grains, closed))
    other = (*line_intercepts(turn(grains), turn(closed)), circle_intercepts(turn(grains), turn(closed)))
    for sets in zip(sorted(map(_counts, one[:4])), sorted(map(_counts, other[:4])), strict=True):
        assert sets[0] == pytest.approx(sets[1], rel=1e-12)
    assert _counts(one[4]) == pytest.approx(_counts(other[4]), rel=1e-12)


def _counts(lines):
    return lines.length, lines.crossings, lines.closed_crossings


def test_ids_do_not_matter():
    grains = cells(6)
    renamed = np.random.default_rng(0).permutation(4_000_000)[: grains.max() + 1].astype(np.uint32) + 1
    assert line_intercepts(renamed[grains]) == line_intercepts(grains)
    assert circle_intercepts(renamed[grains]) == circle_intercepts(grains)


def test_closed_boundaries():
    grains = stripes(10, 10)
    closed = np.zeros(grains.shape, bool)
    closed[:15, 9] = True  # one side of the first crack, upper half
    closed[:, 20] = True  # one side of the second
    found = by_name(grains, closed=closed)["0"]
    assert found.closed_crossings == 15 + 30
    assert found.mean_without_closed == pytest.approx(30 * 99 / (30 * 9 - 45))
    everything = by_name(grains, closed=np.ones(grains.shape, bool))["0"]
    assert everything.closed_crossings == everything.crossings
    assert math.isnan(everything.mean_without_closed)


def test_all_closed_is_all_closed_on_cells_too():
    grains = cells(7)
    everything = np.ones(grains.shape, bool)
    for lines in (*line_intercepts(grains, everything), circle_intercepts(grains, everything)):
        assert lines.closed_crossings == lines.crossings


@pytest.mark.parametrize("shape", [(160, 160), (161, 161), (160, 161), (31, 90), (400, 37)])
def test_circles_fit_and_have_diameters_of_1_to_2_to_3(shape):
    chains = circle_chains(shape)
    largest = (min(shape) - 1) / 2
    middle = (np.array(shape) - 1) / 2
    for chain, radius in zip(chains, (largest / 3, 2 * largest / 3, largest), strict=True):
        assert np.abs(np.hypot(*(chain - middle).T) - radius).max() <= math.sqrt(0.5)
        steps = np.abs(chain - np.roll(chain, -1, axis=0)).max(axis=1)
        assert steps.min() == 1
        assert (steps > 1).sum() <= 4
        length = np.hypot(*(chain - np.roll(chain, -1, axis=0)).T).sum()
        assert length / (2 * np.pi * radius) == pytest.approx(8 * (math.sqrt(2) - 1) / np.pi, rel=0.06)
    assert chains[2].min() == 0


def test_circles_on_pixels_that_are_not_square():
    shape, step = (80, 200), (2.5, 1.0)
    for chain, share in zip(circle_chains(shape, step), (1 / 3, 2 / 3, 1), strict=True):
        radius = np.hypot(*((chain - (np.array(shape) - 1) / 2) * step).T)
        assert radius == pytest.approx(np.full(len(chain), share * 79 * 2.5 / 2), abs=1.5)
        assert (np.abs(chain - np.roll(chain, -1, axis=0)).max(axis=1) > 1).sum() <= 4


def test_a_circle_of_four_pixels_is_the_least():
    assert [len(chain) for chain in circle_chains((3, 3))] == [4, 4]


@pytest.mark.parametrize("make", [poisson_voronoi, laguerre], ids=["Voronoi", "Laguerre"])
def test_circles_agree_with_the_truth(make):
    rng = np.random.default_rng(8)
    field = make(rng, 1600, 225.0)
    grains = field.grain_map((0, 0), (1600, 1600))
    parts = [
        circle_intercepts(grains[y : y + 160, x : x + 160])
        for y in range(0, 1600, 160)
        for x in range(0, 1600, 160)
    ]
    assert pooled(parts).mean == pytest.approx(field.mean_intercept((0, 0), (1600, 1600)), rel=0.015)


@pytest.mark.parametrize("step", [(2.0, 1.0), (1.0, 1.3), (1.1, 1.0)])
def test_pixels_that_are_not_square(step):
    """The same isotropic structure, sampled more coarsely along one axis."""
    rng = np.random.default_rng(9)
    field = poisson_voronoi(rng, 1000, 400.0)
    shape = (int(1000 / step[0]), int(1000 / step[1]))
    grains = field.grain_map((0, 0), shape, step)
    truth = field.mean_intercept((0, 0), (shape[1] * step[1], shape[0] * step[0]))
    found = line_intercepts(grains, step=step)
    assert pooled(found).mean == pytest.approx(truth, rel=0.01)
    for lines in found:
        assert lines.mean == pytest.approx(truth, rel=0.05)
    half_turn = sum(lines.length for lines in found)
    assert half_turn == pytest.approx(4 * 1000 * 1000, rel=0.01)


@pytest.mark.parametrize("height", [0.25, 0.6, 1.0, 1.25, 1.7, 2.0, 5.0])
def test_shares_of_the_directions_take_the_mean_of_elongated_grains(height):
    """Crossings per length are about a + b·cos 2φ, whichever way the grains lie."""
    weights = direction_weights((height, 1.0))
    diagonal = math.atan(height)
    angles = {"0": 0.0, "45": diagonal, "90": math.pi / 2, "135": -diagonal}
    spacing = {"0": height, "45": height * math.cos(diagonal), "90": 1.0, "135": height * math.cos(diagonal)}
    share = {name: weights[name] / spacing[name] / 4 for name in angles}
    assert sum(share.values()) == pytest.approx(1)
    assert min(share.values()) >= 0.05 - 1e-12
    assert sum(part * math.cos(2 * angles[name]) for name, part in share.items()) == pytest.approx(
        0, abs=1e-12
    )
    fourth = sum(part * math.cos(4 * angles[name]) for name, part in share.items())
    assert abs(fourth) < (1e-12 if 0.6 < height < 1.7 else 1)


def test_elongated_grains_by_direction():
    rng = np.random.default_rng(10)
    field = poisson_voronoi(rng, 1000, 400.0, stretch=2.0)
    found = by_name(field.grain_map((0, 0), (1000, 1000)))
    for name, lines in found.items():
        truth = field.directional_intercept((0, 0), (1000, 1000), float(name))
        assert lines.mean == pytest.approx(truth, rel=0.01)
    assert found["0"].mean / found["90"].mean == pytest.approx(2, rel=0.08)


def test_hexagons_by_closed_form():
    """ℓ·√N_A = π·√A / P: the perimeter of a hexagon of area A is √(8√3·A), and each side has two owners."""
    area = 900.0
    truth = math.pi * area / math.sqrt(8 * math.sqrt(3) * area)
    assert truth / math.sqrt(area) == pytest.approx(0.844, abs=0.001)
    grains = hexagons(1500, area, angle_deg=11).grain_map((0, 0), (1500, 1500))
    assert mean_intercept_px(grains) == pytest.approx(truth, rel=0.005)


def test_nothing_to_count():
    for grains in (np.zeros((5, 6), np.uint32), np.ones((5, 6), np.uint32), np.ones((1, 1), np.uint32)):
        assert math.isnan(mean_intercept_px(grains))
        assert math.isnan(circle_intercepts(grains).mean)
    assert all(lines.length == 0 for lines in line_intercepts(np.zeros((5, 6), np.uint32)))
    assert math.isnan(Intercepts("0", 5.0, 0.0, 0.0).mean)


def test_masks_of_another_shape_are_refused():
    grains = np.ones((5, 6), np.uint32)
    with pytest.raises(ValueError, match="shape"):
        line_intercepts(grains, closed=np.zeros((5, 5), bool))
    with pytest.raises(ValueError, match="shape"):
        circle_intercepts(grains, ignored=np.zeros((6, 5), bool))
