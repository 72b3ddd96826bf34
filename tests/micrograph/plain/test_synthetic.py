import hashlib

import numpy as np
import pytest
from scipy import ndimage

from grainseg.errors import GrainsegError
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.image import BOUNDARY, GRAIN
from grainseg.micrograph.plain.synthetic import SyntheticRecipe, generate

LABEL_SHA256 = "76d5a42aa01ce5e3e148ffc3b8879cc364122e9e98556d5058ecc6132b054afc"
BLOCK_MEANS = [
    [186.1, 202.4, 201.7, 201.8],
    [203.0, 200.1, 199.9, 193.4],
    [167.5, 179.6, 177.7, 179.3],
    [148.2, 159.4, 139.6, 154.7],
]


@pytest.fixture(scope="module")
def field():
    return generate(seed=0, shape=(320, 320))


def boundary_contrasts(field, shortest_px=12):
    """Per pair of neighbours: grey of both flanks less the line's, and the difference of the two flanks."""
    grains, pixels = field.grains, field.pixels
    contrasts = []
    for number in range(1, grains.max() + 1):
        own = grains == number
        around = ndimage.binary_dilation(own) & ~own
        for other in np.unique(grains[around]):
            crack = (ndimage.binary_dilation(grains == other) & own) | (around & (grains == other))
            if other < number or crack.sum() < 2 * shortest_px:
                continue
            beside = ndimage.binary_dilation(crack, iterations=7) & ~ndimage.binary_dilation(
                crack, iterations=3
            )
            beside &= field.label == GRAIN
            flanks = [pixels[beside & (grains == grain)] for grain in (number, other)]
            if min(flank.size for flank in flanks) >= shortest_px:
                left, right = (float(flank.mean()) for flank in flanks)
                contrasts.append(((left + right) / 2 - float(pixels[crack].mean()), abs(left - right)))
    return np.array(contrasts).T


def test_truth_belongs_together(field):
    assert (field.grains.dtype, field.label.dtype, field.pixels.dtype) == (np.int32, np.uint8, np.float32)
    assert field.pixels.shape == field.grains.shape == field.label.shape == (320, 320)
    np.testing.assert_array_equal(field.label, boundary_lines(field.grains, 3))
    assert ndimage.label(field.label == GRAIN)[1] == field.grains.max()
    assert field.pixel_size_um == 0.5


def test_every_machine_gets_the_same_label(field):
    assert hashlib.sha256(field.label.tobytes()).hexdigest() == LABEL_SHA256


def test_picture_agrees_within_a_grey_level(field):
    """Means of 80 px blocks in grey levels of 255."""
    blocks = 255 * field.pixels.reshape(4, 80, 4, 80).mean(axis=(1, 3))
    np.testing.assert_allclose(blocks, BLOCK_MEANS, atol=1)


def test_picture_holds_8_bit_values(field):
    levels = field.pixels * 255
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
    assert 0 <= field.pixels.min() < field.pixels.max() <= 1


def test_seed_decides_everything(field):
    again, other = (generate(seed, (320, 320)) for seed in (0, 1))
    np.testing.assert_array_equal(again.pixels, field.pixels)
    np.testing.assert_array_equal(again.grains, field.grains)
    assert (other.grains != field.grains).mean() > 0.5
    assert abs(other.pixels - field.pixels).mean() > 0.02


def test_boundaries_range_from_deep_grooves_to_hardly_visible(field):
    groove, step = boundary_contrasts(field)
    assert groove.size > 60
    assert 0.05 < np.median(groove) < 0.2
    assert (groove > 0.15).mean() > 0.1
    assert 0.05 < (abs(groove) < 0.03).mean() < 0.4
    assert 0.1 < (step < 0.03).mean() < 0.6, "a good share of neighbours nearly coincide, and many do not"


def test_groove_lies_on_the_crack(field):
    """The picture is darkest, on average, at the boundary of the label and not beside it."""
    distance = ndimage.distance_transform_edt(field.label == GRAIN)
    profile = [field.pixels[(distance > d - 1) & (distance <= d)].mean() for d in range(6)]
    assert profile[0] == min(profile)
    assert max(profile[4:]) - profile[0] > 0.05


def test_negative_depth_makes_bright_boundaries():
    field = generate(0, (128, 128), SyntheticRecipe(groove_depth=(-0.3, -0.3), brightness=(0.4, 0.4)))
    assert field.pixels[field.label == BOUNDARY].mean() > field.pixels[field.label == GRAIN].mean() + 0.05


def test_line_width_is_the_recipes():
    recipe = SyntheticRecipe(line_width_px=5, mean_grain_px=(40, 60))
    field = generate(3, (200, 150), recipe)
    np.testing.assert_array_equal(field.label, boundary_lines(field.grains, 5))


def test_field_within_one_grain_is_drawn():
    field = generate(0, (8, 8), SyntheticRecipe(mean_grain_px=(400, 400)))
    assert field.grains.max() == 1
    assert np.isfinite(field.pixels).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"noise": (0.2, 0.1)}, "noise"),
        ({"defocus_px": (-1.0, 1.0)}, "defocus_px"),
        ({"relief": (0.0, float("nan"))}, "relief"),
        ({"sigma_ln": (0.4, 2.0)}, "sigma_ln"),
        ({"line_width_px": 0}, "line_width_px"),
        ({"mean_grain_px": (10.0, 20.0)}, "12 px or more"),
        ({"pixel_size_um": 0.0}, "pixel_size_um"),
    ],
)
def test_recipe_is_checked(wrong, message):
    with pytest.raises(GrainsegError, match=message):
        SyntheticRecipe(**wrong)
