import hashlib

import numpy as np
import pytest
from scipy import ndimage

from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.image import BOUNDARY, GRAIN
from grainseg.micrograph.plain.polycrystal import _power_cells, polycrystal

GRAINS_SHA256 = "16ca84de30d22a87493d969f4bfde81e728511538577f84d6993ef597a5daae3"
LINES_SHA256 = "28f142df2ec5f4368c51fec4d15c0170cb3b68e459791ec8ddeac204d3033f9b"


def halves(angle_deg: float, side: int = 200) -> np.ndarray:
    """Two grains, their crack through the middle at an angle to the rows."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    angle = np.deg2rad(angle_deg)
    return (1 + (np.cos(angle) * x + np.sin(angle) * y > 0)).astype(np.int32)


def test_every_machine_gets_the_same_grains():
    grains = polycrystal(seed=0, shape=(256, 192), mean_grain_px=30, sigma_ln=0.42, line_width_px=3)
    assert grains.dtype == np.int32
    assert hashlib.sha256(grains.astype("<i4").tobytes()).hexdigest() == GRAINS_SHA256
    assert hashlib.sha256(boundary_lines(grains).tobytes()).hexdigest() == LINES_SHA256


def test_seeds_give_different_grains():
    first, second = (polycrystal(seed, (64, 64), 20, 0.4, 3) for seed in (1, 2))
    assert (first != second).mean() > 0.5


def test_power_cells_match_the_definition_and_ties_go_to_the_lowest():
    rng = np.random.default_rng(0)
    points = rng.integers(-500, 5000, (50, 40, 2))
    centres = rng.integers(0, 4000, (60, 2))
    radii = rng.integers(0, 900, 60)
    centres[41], radii[41] = centres[7], radii[7]
    power = ((points[:, :, None] - centres) ** 2).sum(axis=-1) - radii**2
    np.testing.assert_array_equal(_power_cells(points, centres, radii), power.argmin(axis=-1))


@pytest.mark.parametrize("seed", range(4))
def test_grains_are_numbered_in_reading_order_and_connected(seed):
    grains = polycrystal(seed, (200, 240), 28, 0.45, 3)
    numbers, first = np.unique(grains, return_index=True)
    np.testing.assert_array_equal(numbers, np.arange(1, grains.max() + 1))
    assert (np.diff(first) > 0).all()
    assert all(ndimage.label(grains == number)[1] == 1 for number in numbers)


@pytest.mark.parametrize(("sigma_ln", "expected"), [(0.2, 0.28), (0.42, 0.44), (0.6, 0.51)])
def test_sizes_are_spread_as_documented(sigma_ln, expected):
    """Grains that the frame cuts are left out."""
    fields = []
    for seed in (1, 2):
        grains = polycrystal(seed, (512, 512), 30, sigma_ln, 3)
        whole = np.setdiff1d(grains, np.concatenate([grains[0], grains[-1], grains[:, 0], grains[:, -1]]))
        fields.append(np.sqrt(4 / np.pi * np.bincount(grains.ravel())[whole]))
    diameter_px = np.concatenate(fields)
    assert diameter_px.size > 350
    assert diameter_px.mean() == pytest.approx(30, rel=0.1)
    assert np.log(diameter_px).std() == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("width_px", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_drawn_network_is_closed_and_keeps_every_grain(seed, width_px):
    grains = polycrystal(seed, (256, 256), 30, 0.45, width_px)
    pieces, count = ndimage.label(boundary_lines(grains, width_px) == GRAIN)
    assert count == grains.max()
    for piece, box in enumerate(ndimage.find_objects(pieces), start=1):
        assert np.unique(grains[box][pieces[box] == piece]).size == 1


@pytest.mark.parametrize("width_px", [1, 2, 3])
def test_any_grain_map_gives_a_closed_network(width_px):
    """Specks and grains thinner than the line may vanish; neighbours never run together."""
    grains = np.random.default_rng(3).integers(1, 9, (40, 50)).repeat(4, axis=0).astype(np.int32)
    lines = boundary_lines(grains, width_px)
    for one, other, a, b in (
        (lines[1:], lines[:-1], grains[1:], grains[:-1]),
        (lines[:, 1:], lines[:, :-1], grains[:, 1:], grains[:, :-1]),
    ):
        assert not ((one == GRAIN) & (other == GRAIN) & (a != b)).any()


@pytest.mark.parametrize("width_px", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("angle_deg", [0, 90, 180, 270])
def test_lines_along_rows_and_columns_have_exactly_the_width(width_px, angle_deg):
    grains = halves(angle_deg)
    lines = boundary_lines(grains, width_px)
    assert lines.sum() == width_px * 200
    share_in_first = lines[grains == 1].sum() / 200
    assert abs(share_in_first - width_px / 2) == (0.5 if width_px % 2 else 0)


@pytest.mark.parametrize("angle_deg", [10, 22.5, 30, 45, 67.5])
def test_slanting_lines_have_about_the_width(angle_deg):
    lines = boundary_lines(halves(angle_deg), 3)
    angle = np.deg2rad(angle_deg)
    crack_px = 200 / max(abs(np.cos(angle)), abs(np.sin(angle)))
    assert lines.sum() / crack_px == pytest.approx(3, abs=0.2)


def test_line_around_a_disc_has_the_width_and_sits_on_the_crack():
    y, x = np.mgrid[:400, :400] - 199.5
    distance = np.hypot(y, x)
    lines = boundary_lines(np.where(distance < 150, 1, 2).astype(np.int32), 3)
    assert lines.sum() / (2 * np.pi * 150) == pytest.approx(3, rel=0.05)
    assert distance[lines == BOUNDARY].mean() == pytest.approx(150, abs=0.5)


def test_lines_do_not_lean_to_one_side():
    """Strips numbered from left to right, as a labelling function numbers them."""
    grains = np.tile(np.arange(1, 42, dtype=np.int32).repeat(10), (30, 1))
    columns = np.flatnonzero(boundary_lines(grains, 3)[15])
    assert columns.mean() == pytest.approx((grains.shape[1] - 1) / 2, abs=0.05)


def test_lines_turn_with_the_grains():
    grains = polycrystal(5, (120, 90), 24, 0.4, 3)
    lines = boundary_lines(grains)
    np.testing.assert_array_equal(boundary_lines(grains[::-1]), lines[::-1])
    np.testing.assert_array_equal(boundary_lines(np.rot90(grains)), np.rot90(lines))


def test_field_of_one_grain_has_no_lines():
    grains = np.ones((8, 9), np.int32)
    assert not boundary_lines(grains).any()
