import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from grainseg.errors import GrainsegError
from grainseg.micrograph.image import BOUNDARY, GRAIN
from grainseg.micrograph.wide.contact_sheet import contact_sheet
from grainseg.micrograph.wide.generator import generate_wide
from grainseg.micrograph.wide.recipe import NEVER, WIDE, WideRecipe, ranges

SHAPE = (160, 192)
FLAWS = {name: NEVER for name, allowed in ranges(WIDE).items() if len(allowed) == 3}
CLEAN = {
    **FLAWS,
    "grain_px": (40.0, 40.0),
    "brightness": (0.6, 0.6),
    "gamma": (1.0, 1.0),
    "electrons": (1e6, 1e6),
    "read_noise": (0.0, 0.0),
    "defocus_px": (0.4, 0.4),
    "texture": (0.0, 0.0),
    "slope": (0.0, 0.0),
    "residual_contrast": (0.0, 0.0),
    "softness_px": (0.0, 0.0),
    "unetched": (0.0, 0.0),
    "groove_depth": (0.5, 0.5),
    "groove_spread_ln": (0.0, 0.0),
    "groove_width_px": (3.0, 3.0),
    "groove_width_spread_ln": (0.0, 0.0),
    "groove_wavering_ln": (0.0, 0.0),
}


def clean(**changes):
    """A recipe without any flaw, with changes."""
    return WideRecipe(**{"contrasts": ("groove",), "groove_polarities": ("dark",), **CLEAN, **changes})


def assert_closed(micrograph, specks=1):
    """Every 4-connected piece between the lines lies in one grain, and each grain has one piece."""
    pieces, count = ndimage.label(micrograph.label == GRAIN)
    shown = pieces > 0
    grains = np.unique(micrograph.grains[micrograph.grains > 0])
    assert np.unique(np.stack([pieces[shown], micrograph.grains[shown]]), axis=1).shape[1] == count
    assert abs(count - grains.size) <= specks


def assert_sound(micrograph, shape=SHAPE):
    assert micrograph.pixels.shape == micrograph.grains.shape == micrograph.label.shape == shape
    types = micrograph.pixels.dtype, micrograph.grains.dtype, micrograph.label.dtype
    assert types == (np.float32, np.int32, np.uint8)
    assert np.isfinite(micrograph.pixels).all()
    assert 0 <= micrograph.pixels.min() <= micrograph.pixels.max() <= 1
    assert micrograph.pixels.std() > 0.004
    assert set(np.unique(micrograph.label)) <= {GRAIN, BOUNDARY}
    assert_closed(micrograph)


def between_and_within(micrograph):
    """Deviation of the grains' mean greys, and the mean difference of line to grain."""
    inside = micrograph.label == GRAIN
    numbers = np.unique(micrograph.grains[inside])
    greys = ndimage.mean(micrograph.pixels, np.where(inside, micrograph.grains, 0), numbers)
    lines = micrograph.pixels[~inside].mean() - micrograph.pixels[inside].mean()
    return float(np.std(greys)), float(lines)


@pytest.mark.parametrize("seed", range(24))
def test_wide_range_is_sound(seed):
    assert_sound(generate_wide(seed, SHAPE))


@pytest.mark.parametrize("seed", [15469034441289554190, 10636113003707538796])
def test_largest_disc_stands_at_height_zero(seed):
    """Of these the square of the largest radius and the largest square were rounded to different numbers."""
    generate_wide(seed, (256, 256), WIDE)


def test_seed_decides_everything():
    first, again, other = (generate_wide(seed, SHAPE) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first.pixels, again.pixels)
    np.testing.assert_array_equal(first.label, again.label)
    assert first.knobs == again.knobs
    assert (first.label != other.label).any()
    assert abs(first.pixels - other.pixels).mean() > 0.02


def test_knobs_lie_in_their_ranges():
    allowed = ranges(WIDE)
    for seed in range(40):
        knobs = generate_wide(seed, (32, 32)).knobs
        assert knobs["topology"] in WIDE.topologies
        assert knobs["contrast"] in WIDE.contrasts
        for name, value in knobs.items():
            if isinstance(value, str):
                continue
            low, high = allowed[name][-2:]
            absent = len(allowed[name]) == 3 and value == 0
            assert absent or low <= value <= high, name


def test_one_range_does_not_move_the_draws_of_another():
    wide, narrow = (generate_wide(3, (64, 64), WideRecipe(gamma=gamma)) for gamma in ((0.6, 1.7), (1.0, 1.0)))
    assert {k: v for k, v in wide.knobs.items() if k != "gamma"} == {
        k: v for k, v in narrow.knobs.items() if k != "gamma"
    }
    np.testing.assert_array_equal(wide.grains, narrow.grains)


@pytest.mark.parametrize("polarity", ["dark", "bright"])
def test_groove_alone_shows_lines_and_no_greys(polarity):
    field = generate_wide(0, SHAPE, clean(groove_polarities=(polarity,)))
    greys, lines = between_and_within(field)
    assert greys < 0.02
    assert (lines < -0.1) if polarity == "dark" else (lines > 0.06)


def test_orientation_alone_shows_greys_and_no_lines():
    greys, lines = between_and_within(
        generate_wide(0, SHAPE, clean(contrasts=("orientation",), grain_contrast=(0.1, 0.1)))
    )
    assert greys > 0.05
    assert abs(lines) < 0.02


def test_both_shows_greys_and_lines():
    greys, lines = between_and_within(
        generate_wide(0, SHAPE, clean(contrasts=("both",), grain_contrast=(0.1, 0.1)))
    )
    assert greys > 0.05
    assert lines < -0.1


def test_texture_alone_has_one_mean_and_many_deviations():
    field = generate_wide(0, (256, 256), clean(contrasts=("texture",), texture_contrast=(0.1, 0.1)))
    greys, lines = between_and_within(field)
    large = [number for number, area in enumerate(np.bincount(field.grains.ravel())) if area > 500]
    deviations = np.array([field.pixels[field.grains == number].std() for number in large])
    assert greys < 0.015
    assert abs(lines) < 0.02
    assert deviations.mean() > 0.04
    assert deviations.std() / deviations.mean() > 0.1


def test_elongated_grains_point_one_way():
    shapes = []
    for topology in ("lognormal", "elongated"):
        grains = generate_wide(2, (256, 256), clean(topologies=(topology,), elongation=(4, 4))).grains
        tensor = np.zeros((2, 2))
        for number in range(1, grains.max() + 1):
            tensor += np.cov(np.nonzero(grains == number)) * (grains == number).sum()
        small, large = np.linalg.eigvalsh(tensor)
        shapes.append(np.sqrt(large / small))
    assert shapes[0] < 1.5
    assert shapes[1] > 2


def test_duplex_grains_are_of_two_sizes():
    """Of 60 px and of 15 px, the coarse on about a third of the area."""
    recipe = clean(
        topologies=("duplex",),
        grain_px=(60.0, 60.0),
        sigma_ln=(0.1, 0.1),
        duplex_ratio=(4.0, 4.0),
        duplex_share=(0.45, 0.45),
    )
    areas = np.concatenate([np.bincount(generate_wide(s, (320, 320), recipe).grains.ravel()) for s in (1, 2)])
    diameter_px = np.sqrt(4 / np.pi * areas)
    coarse = diameter_px > 35
    assert 0.15 < areas[coarse].sum() / areas.sum() < 0.5
    assert np.median(diameter_px[~coarse]) == pytest.approx(18, abs=4)
    assert diameter_px[coarse].mean() > 45


@pytest.mark.parametrize("size_px", [12.0, 40.0])
def test_grains_have_about_the_size(size_px):
    recipe = clean(topologies=("lognormal",), grain_px=(size_px, size_px), sigma_ln=(0.3, 0.3))
    areas = np.bincount(generate_wide(4, (384, 384), recipe).grains.ravel())[1:]
    assert np.sqrt(4 / np.pi * areas).mean() == pytest.approx(size_px, rel=0.2)


def test_policy_of_twins_changes_the_label_and_not_the_picture():
    recipe = clean(twins=(1.0, 0.7, 0.7), grain_px=(60.0, 60.0))
    without, labelled = (
        generate_wide(1, SHAPE, dataclasses.replace(recipe, label_twins=label)) for label in (False, True)
    )
    np.testing.assert_array_equal(without.pixels, labelled.pixels)
    assert labelled.grains.max() > without.grains.max() + 5
    assert_closed(without)
    assert_closed(labelled)
    plain = generate_wide(1, SHAPE, dataclasses.replace(recipe, twins=NEVER))
    np.testing.assert_array_equal(plain.label, without.label)
    assert (plain.pixels != without.pixels).any()


def test_policies_of_the_second_phase():
    recipe = clean(second_phase=(1.0, 0.08, 0.08), second_phase_px=(14.0, 14.0))
    by_policy = {
        policy: generate_wide(5, SHAPE, dataclasses.replace(recipe, label_second_phase=policy))
        for policy in ("grain", "filled", "unlabelled")
    }
    pictures = [field.pixels for field in by_policy.values()]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    np.testing.assert_array_equal(pictures[0], pictures[2])
    assert by_policy["grain"].grains.max() > by_policy["unlabelled"].grains.max()
    filled = by_policy["filled"]
    assert 0.05 < (filled.grains == 0).mean() < 0.12
    assert (filled.label[filled.grains == 0] == BOUNDARY).all()
    assert (by_policy["grain"].grains > 0).all()
    for field in by_policy.values():
        assert_closed(field)


@pytest.mark.parametrize("name", sorted(FLAWS))
def test_every_flaw_shows_alone(name):
    """Drawn for sure and strongly, it changes a picture that has no other flaw."""
    high = getattr(WIDE, name)[2]
    # A JPEG of the worst quality; the others' high end is the strong one. Only blurred noise shows.
    strong = (1.0, 10.0, 10.0) if name == "jpeg_quality" else (1.0, high, high)
    base = clean(read_noise=(0.01, 0.01))
    flawed = generate_wide(6, SHAPE, dataclasses.replace(base, **{name: strong}))
    assert_sound(flawed)
    assert abs(flawed.pixels - generate_wide(6, SHAPE, base).pixels).mean() > 3e-4


@pytest.mark.parametrize("contrast", ["orientation", "groove", "both", "texture"])
def test_boundaries_are_labelled_where_nothing_shows(contrast):
    recipe = clean(contrasts=(contrast,), unetched=(1.0, 1.0), grain_contrast=(0.0, 0.0))
    field = generate_wide(0, SHAPE, dataclasses.replace(recipe, texture_contrast=(0.0, 0.0)))
    assert field.pixels.std() < 0.01
    assert field.grains.max() > 5
    assert_closed(field)


def test_label_has_the_width_of_the_recipe():
    shares = [generate_wide(0, SHAPE, clean(line_width_px=width)).label.mean() / width for width in (1, 3, 5)]
    assert max(shares) / min(shares) < 1.25


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (17, 5)])
def test_any_shape_is_drawn(shape):
    field = generate_wide(0, shape)
    assert field.pixels.shape == field.label.shape == shape
    assert np.isfinite(field.pixels).all()


def test_contact_sheet_holds_every_picture_beside_its_label():
    sheet = contact_sheet(3, rows=2, columns=2, side=64)
    assert sheet.dtype == np.uint8
    assert sheet.shape[2] == 3
    for number in range(4):
        field = generate_wide(3 + number, (64, 64))
        row, column = divmod(number, 2)
        top, left = row * sheet.shape[0] // 2, column * sheet.shape[1] // 2
        grey = np.rint(255 * field.pixels).astype(np.uint8)
        pair = sheet[top : top + 64, left : left + 128]
        np.testing.assert_array_equal(pair[:, :64, 1], grey)
        red = (pair[:, 64:, 0] > 200) & (pair[:, 64:, 1] < 60)
        np.testing.assert_array_equal(red, field.label == BOUNDARY)
        assert sheet[top + 64 : top + 80, left : left + 128].min() < 128, "a caption below"
    ends = np.flatnonzero((sheet < 128).any(axis=(1, 2)))[-1]
    assert sheet.shape[0] - 12 < ends < sheet.shape[0] - 6, "as high as the longest caption, which is whole"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"gamma": (2.0, 1.0)}, "gamma"),
        ({"jpeg_quality": (0.5, 90.0, 30.0)}, "jpeg_quality"),
        ({"jpeg_quality": (0.5, 30.0, 120.0)}, "from 1 to 100"),
        ({"stains": (1.5, 0.1, 0.2)}, "share"),
        ({"haze": (0.1, 0.2)}, "haze"),
        ({"gamma": (0.5, 0.6, 0.7)}, "gamma"),
        ({"electrons": (100.0, float("inf"))}, "electrons"),
        ({"read_noise": (-0.1, 0.1)}, "read_noise"),
        ({"topologies": ("cubic",)}, "lognormal, duplex, elongated"),
        ({"contrasts": ()}, "contrasts"),
        ({"label_second_phase": "island"}, "label_second_phase"),
        ({"line_width_px": 0}, "line_width_px"),
        ({"grain_px": (5.0, 50.0)}, "7.5 px or more"),
    ],
)
def test_recipe_is_checked(wrong, message):
    with pytest.raises(GrainsegError, match=message):
        WideRecipe(**wrong)
