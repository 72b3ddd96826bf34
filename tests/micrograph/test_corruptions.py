"""Each corruption is what it says: closed forms, moments, and a geometry that stays where it is."""

import math

import cv2
import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree
from skimage.measure import find_contours

from grainseg.micrograph.corruptions import (
    COMBINED,
    CORRUPTIONS,
    KINDS,
    LEVELS,
    ONLY,
    Corruption,
    featureless_places,
    to_grid,
)
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.plain.polycrystal import polycrystal


def lost_share(picture, line, reach_px):
    return featureless_places(picture, line.shape, reach_px)[line].mean()


BY_NAME = {kind.name: kind for kind in KINDS}
RANDOM = {"linear", "corner", "poisson", "gaussian", "texture", "stripes", "combination"}
NEUTRAL = {
    "gain": 1.0, "offset": 0.0, "gamma": 1.0, "contrast": 1.0, "linear": 0.0, "corner": 0.0, "blur": 0.0,
    "gaussian": 0.0, "texture": 0.0, "stripes": 0.0, "half": 1.0, "double": 1.0,
}  # fmt: skip


def changed(name, picture, amount, seed=0):
    return BY_NAME[name].change(picture, amount, np.random.default_rng(seed))


def plain(value, shape=(200, 180, 1)):
    return np.full(shape, value, np.float32)


@pytest.fixture(scope="module")
def picture():
    """Every grey level, none of it at the ends."""
    rng = np.random.default_rng(1)
    return cv2.GaussianBlur(rng.uniform(0, 1, (120, 150)), (0, 0), 1.0)[:, :, None].astype(np.float32)


def test_the_card_has_every_kind_at_its_levels():
    assert [kind.name for kind in KINDS] == [
        *(
            "gain",
            "offset",
            "gamma",
            "contrast",
            "linear",
            "corner",
            "blur",
            "poisson",
            "gaussian",
            "texture",
        ),
        "stripes",
        "inversion",
        "half",
        "double",
        "jpeg",
        "combination",
    ]
    for kind in KINDS:
        for variant in kind.amounts:
            levels = [each.level for each in CORRUPTIONS if each.kind is kind and each.variant == variant]
            assert levels == ([ONLY] if kind.name in ("inversion", "half", "double") else list(LEVELS))
    assert len({(each.kind.name, each.variant, each.level) for each in CORRUPTIONS}) == len(CORRUPTIONS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_levels_rise_from_the_untouched_picture(kind):
    for amounts in kind.amounts.values():
        if kind.name not in NEUTRAL or len(amounts) == 1:
            continue
        distances = [abs(amount - NEUTRAL[kind.name]) for amount in amounts]
        assert distances == sorted(distances)
        assert distances[0] > 0


@pytest.mark.parametrize(("name", "amount"), NEUTRAL.items())
def test_no_strength_is_no_change(name, amount, picture):
    np.testing.assert_allclose(changed(name, picture, amount), picture, atol=1e-6)


def test_what_is_stored_is_one_of_256_values_and_the_untouched_picture_to_half_of_one(picture):
    unchanged = Corruption(BY_NAME["gain"], "", "low", 1.0).apply(picture, 0)
    assert unchanged.dtype == np.float32
    np.testing.assert_allclose(unchanged, picture, atol=0.5 / 255 + 1e-6)
    np.testing.assert_allclose(255 * unchanged, np.rint(255 * unchanged), atol=1e-4)


def test_gain_doubles_offset_adds_gamma_bends_inversion_turns():
    np.testing.assert_allclose(changed("gain", plain(0.3), 2.0), 0.6, atol=1e-6)
    np.testing.assert_allclose(changed("offset", plain(0.3), -0.25), 0.05, atol=1e-6)
    np.testing.assert_allclose(changed("gamma", plain(0.5), 2.0), 0.25, atol=1e-6)
    np.testing.assert_allclose(changed("gamma", plain(0.25), 0.5), 0.5, atol=1e-6)
    np.testing.assert_allclose(changed("inversion", plain(0.3), 1.0), 0.7, atol=1e-6)


def test_contrast_keeps_the_mean_and_scales_the_deviation(picture):
    done = changed("contrast", picture, 0.3)
    assert done.mean() == pytest.approx(picture.mean(), abs=1e-6)
    assert done.std() == pytest.approx(0.3 * picture.std(), rel=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_linear_light_is_a_plane_between_its_ends(seed):
    light = changed("linear", plain(1.0), 0.4, seed)[:, :, 0].astype(float)
    assert (light.min(), light.max()) == (pytest.approx(0.6, abs=1e-6), pytest.approx(1.4, abs=1e-6))
    for axis in (0, 1):
        np.testing.assert_allclose(np.diff(light, 2, axis=axis), 0, atol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_corner_light_falls_from_one_corner_to_the_opposite_one(seed):
    light = changed("corner", plain(1.0), 0.5, seed)[:, :, 0]
    corners = light[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (light.max(), light.min()) == (pytest.approx(1.0), pytest.approx(0.5))
    lit, dark = int(corners.argmax()), int(corners.argmin())
    assert lit + dark == 3  # opposite: 0 and 3, or 1 and 2
    assert corners[lit] == light.max()
    assert corners[dark] == light.min()


def test_light_has_another_direction_with_another_seed():
    lit = {
        int(changed("corner", plain(1.0), 0.5, seed)[[0, 0, -1, -1], [0, -1, 0, -1]].argmax())
        for seed in range(20)
    }
    assert lit == {0, 1, 2, 3}


@pytest.mark.parametrize("sigma", [0.7, 1.35, 2.0])
def test_blur_keeps_the_mean_and_has_the_width_it_says(sigma, picture):
    assert changed("blur", picture, sigma).mean() == pytest.approx(float(picture.mean()), abs=1e-6)
    point = plain(0.0, (61, 61, 1))
    point[30, 30] = 1
    spread = changed("blur", point, sigma)[:, :, 0].astype(float)
    assert spread.sum() == pytest.approx(1, abs=1e-5)
    rows = np.arange(61) - 30
    assert math.sqrt((spread.sum(axis=1) * rows**2).sum()) == pytest.approx(sigma, rel=0.01)


@pytest.mark.parametrize("grey", [0.2, 0.8])
def test_poisson_noise_has_the_variance_of_counts(grey):
    noisy = changed("poisson", plain(grey), 40).astype(float)
    assert noisy.mean() == pytest.approx(grey, rel=0.02)
    assert noisy.var() == pytest.approx(grey / 40, rel=0.05)
    np.testing.assert_allclose(40 * noisy, np.rint(40 * noisy), atol=1e-4)


def test_gaussian_noise_has_its_deviation_whatever_the_grey_and_no_memory():
    noise = (changed("gaussian", plain(0.3), 0.12) - 0.3)[:, :, 0]
    assert noise.mean() == pytest.approx(0, abs=0.003)
    assert noise.std() == pytest.approx(0.12, rel=0.03)
    assert np.corrcoef(noise[1:].ravel(), noise[:-1].ravel())[0, 1] == pytest.approx(0, abs=0.03)


def test_texture_has_its_deviation_and_its_wavelengths():
    texture = (changed("texture", plain(0.0), 0.1))[:, :, 0].astype(float)
    assert texture.std() == pytest.approx(0.1, rel=1e-3)
    power = np.abs(np.fft.fft2(texture)) ** 2
    frequency = np.hypot(np.fft.fftfreq(200)[:, None], np.fft.fftfreq(180)[None, :])
    inside = (frequency >= 1 / 12) & (frequency <= 1 / 4)
    assert power[inside].sum() / power.sum() == pytest.approx(1, abs=1e-6)


def test_stripes_are_one_offset_per_row():
    striped = changed("stripes", plain(0.5), 0.1)[:, :, 0]
    np.testing.assert_allclose(striped, np.repeat(striped[:, :1], 180, axis=1))
    assert striped[:, 0].std() == pytest.approx(0.1, rel=1e-3)
    assert striped.mean() == pytest.approx(0.5, abs=1e-5)


def test_jpeg_loses_more_at_less_quality_and_keeps_colours_apart(picture):
    errors = [float(np.abs(changed("jpeg", picture, quality) - picture).mean()) for quality in (95, 25, 5)]
    assert errors == sorted(errors)
    assert errors[0] > 0
    red = np.zeros((64, 64, 3), np.float32)
    red[:, :, 0] = 0.8
    assert changed("jpeg", red, 90)[:, :, 0].mean() == pytest.approx(0.8, abs=0.02)
    assert changed("jpeg", red, 90)[:, :, 2].mean() < 0.05


def test_the_combination_is_its_parts_one_after_the_other(picture):
    expected, rng = picture, np.random.default_rng(3)
    for name, variant in COMBINED:
        expected = np.clip(BY_NAME[name].change(expected, BY_NAME[name].amounts[variant][1], rng), 0, 1)
    np.testing.assert_array_equal(changed("combination", picture, 2.0, seed=3), expected)


@pytest.mark.parametrize(
    "corruption", CORRUPTIONS, ids=lambda each: f"{each.kind.name}-{each.variant}-{each.level}"
)
def test_a_seed_determines_everything_and_only_what_is_random(corruption, picture):
    first, again, other = (corruption.apply(picture, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert np.array_equal(first, other) == (corruption.kind.name not in RANDOM)
    assert first.dtype == np.float32
    assert (first.min(), first.max()) >= (0, 0)
    assert first.max() <= 1


def test_levels_share_their_noise(picture):
    low, high = (each for each in CORRUPTIONS if each.kind.name == "stripes" and each.level != "middle")
    rows = [(each.apply(plain(0.5), 3)[:, 0, 0] - 0.5) / each.amount for each in (low, high)]
    np.testing.assert_allclose(rows[0], rows[1], atol=1 / 255 / low.amount)


@pytest.mark.parametrize(
    "corruption", CORRUPTIONS, ids=lambda each: f"{each.kind.name}-{each.variant}-{each.level}"
)
def test_colour_pictures_stay_colour_pictures(corruption):
    colours = np.random.default_rng(0).uniform(0, 1, (40, 51, 3)).astype(np.float32)
    factor = corruption.amount if corruption.kind.name in ("half", "double") else 1
    assert corruption.apply(colours, 0).shape == (round(40 * factor), round(51 * factor), 3)


def there_and_back(name, values):
    there = changed(name, values[:, :, None].astype(np.float32), BY_NAME[name].amounts[""][0])[:, :, 0]
    assert there.shape != values.shape
    return to_grid(np.clip(there, 0, 1), values.shape)


SHAPES = pytest.mark.parametrize("shape", [(160, 160), (161, 147)])
RESAMPLING = pytest.mark.parametrize("name", ["half", "double"])


def edge_points(values):
    """Points along the edges of a map, ten to every side of a polygon."""
    steps = np.linspace(0, 1, 10, endpoint=False)[:, None, None]
    edges = find_contours(values.astype(float), 0.5)
    return np.concatenate([(each[:-1] + steps * np.diff(each, axis=0)).reshape(-1, 2) for each in edges])


@RESAMPLING
@SHAPES
def test_no_edge_moves_by_more_than_half_a_pixel(name, shape):
    """A disc, a slanting and two straight edges, as a camera sees them: sharp to a pixel."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    for beyond in (
        np.hypot(y - 83.3, x - 71.8) - 41.7,
        (2 * y + 5 * x - 520) / np.hypot(2, 5),
        y - 60.2,
        61.4 - x,
    ):
        drawn = np.clip(0.5 - beyond, 0, 1)
        edges, moved = edge_points(drawn), edge_points(there_and_back(name, drawn))
        inner = np.array(shape) - 4
        for one, other in ((edges, moved), (moved, edges)):
            within = ((one > 3) & (one < inner)).all(axis=1)
            assert cKDTree(other).query(one[within])[0].max() <= 0.5


@RESAMPLING
@SHAPES
def test_the_lines_of_a_label_stay_where_they_are(name, shape):
    """Lines of 3 px lose their edges at half resolution, but not their place: centres of mass, everywhere."""
    label = boundary_lines(polycrystal(3, shape, 30.0, 0.3, 3), 3).astype(np.float64)
    back = there_and_back(name, label).astype(np.float64)
    assert back.sum() == pytest.approx(label.sum(), rel=0.02)
    y, x = np.mgrid[: shape[0], : shape[1]]
    for row in range(20, shape[0], 30):
        for column in range(20, shape[1], 30):
            window = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 10.0**2))
            for positions in (y, x):
                before, after = (np.average(positions, weights=each * window) for each in (label, back))
                assert abs(after - before) < 0.25


@pytest.mark.parametrize("name", ["half", "double"])
def test_resampling_keeps_a_plane_a_plane(name):
    ramp = np.tile(np.linspace(0, 1, 100, dtype=np.float32), (80, 1))
    back = to_grid(changed(name, ramp[:, :, None], BY_NAME[name].amounts[""][0])[:, :, 0], ramp.shape)
    np.testing.assert_allclose(back[4:-4, 4:-4], ramp[4:-4, 4:-4], atol=1e-4)


def test_a_boundary_map_of_the_same_size_is_left_alone(picture):
    np.testing.assert_array_equal(to_grid(picture[:, :, 0], (120, 150)), picture[:, :, 0])


class TestLostShare:
    """Where a picture has one grey level around a line, nobody can see the line."""

    @pytest.fixture
    def field(self):
        line = np.zeros((60, 60), np.bool_)
        line[30] = True
        picture = np.full((60, 60, 1), 0.8, np.float32)
        picture[29:32] = 0.2
        return line, picture

    def test_a_visible_line_is_not_lost(self, field):
        line, picture = field
        assert lost_share(picture, line, 3) == 0

    def test_a_saturated_one_is(self, field):
        line, picture = field
        assert lost_share(np.ones_like(picture), line, 3) == 1
        assert lost_share(picture + 0.8, line, 3) == 1  # white and whiter are one level in a file

    def test_what_is_half_saturated_is_half_lost(self, field):
        line, picture = field
        picture[:, :30] = 1
        # Within the reach of the other half the end of the white can be seen.
        assert lost_share(picture, line, 3) == pytest.approx((30 - 3) / 60)

    def test_noise_is_never_lost(self, field):
        line, picture = field
        noise = np.random.default_rng(0).uniform(0, 1, picture.shape).astype(np.float32)
        assert lost_share(noise, line, 3) == 0

    def test_a_faint_line_of_one_level_is_not_lost(self, field):
        line, picture = field
        assert lost_share(0.5 + picture / 100, line, 3) == 0

    def test_one_channel_that_shows_it_is_enough(self, field):
        line, picture = field
        colours = np.concatenate([np.ones_like(picture), picture, np.ones_like(picture)], axis=2)
        assert lost_share(colours, line, 3) == 0

    @pytest.mark.parametrize("factor", [0.5, 2.0])
    def test_another_resolution_is_looked_at_on_the_labels_grid(self, field, factor):
        line, picture = field
        other = changed("half" if factor < 1 else "double", picture, factor)
        assert lost_share(other, line, 3) == 0
        assert lost_share(np.ones_like(other), line, 3) == 1


def test_lines_of_a_label_lie_on_the_picture(picture):
    """The reach is in px of the label: a line of 3 px is seen from its middle."""
    label = boundary_lines(polycrystal(3, (120, 150), 30.0, 0.3, 3), 3)
    drawn = np.where(label, 0.3, 0.9)[:, :, None].astype(np.float32)
    middle = distance_transform_edt(label) >= 1.5
    assert lost_share(drawn, middle, 3) == 0
