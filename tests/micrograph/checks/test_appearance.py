"""Numbers that describe a picture: invariant where they should be, and moved by what they are named after."""

import numpy as np
import pytest

from grainseg.micrograph.checks.appearance import APPEARANCE, GREY, appearance
from grainseg.micrograph.corruptions import CORRUPTIONS
from grainseg.micrograph.normalization import to_unit_range
from grainseg.micrograph.plain.synthetic import generate


@pytest.fixture(scope="module")
def unit():
    return to_unit_range(generate(3, (160, 200)).pixels[:, :, None])


def corrupted(unit, kind, level):
    change = next(each for each in CORRUPTIONS if (each.kind.name, each.level) == (kind, level))
    return appearance(to_unit_range(change.apply(unit, 0)))


def test_flips_and_quarter_turns_change_nothing(unit):
    found = appearance(unit)
    assert tuple(found) == (*GREY, *(name for name in APPEARANCE if name not in GREY))
    for turned in (unit[::-1], unit[:, ::-1], np.rot90(unit), unit.transpose(1, 0, 2)):
        assert appearance(turned) == pytest.approx(found, abs=1e-4)


def test_gain_and_offset_of_the_camera_change_nothing(unit):
    assert appearance(to_unit_range(3.5 * unit + 800)) == pytest.approx(appearance(unit), abs=1e-3)


def test_grey_repeated_as_colour_is_the_same(unit):
    assert appearance(np.repeat(unit, 3, axis=2)) == pytest.approx(appearance(unit), abs=1e-4)


def test_noise_is_read_from_white_noise():
    picture = np.random.default_rng(0).normal(0.5, 0.05, (300, 300, 1)).astype(np.float32)
    assert np.exp(appearance(picture)["noise"]) == pytest.approx(0.05, rel=0.02)


def test_a_grating_is_strongest_at_the_scale_of_its_wavelength():
    """The difference of Gaussians of σ and σ/2 passes a wave best at a wavelength of about 6.5 σ/2."""
    bands = [f"texture_{sigma}" for sigma in (1, 2, 4, 8)]
    for wavelength, strongest in ((6, "texture_2"), (13, "texture_4"), (26, "texture_8")):
        wave = 0.5 + 0.4 * np.sin(2 * np.pi * np.arange(312) / wavelength)
        found = appearance(np.tile(wave, (312, 1)).astype(np.float32)[:, :, None])
        assert max(bands, key=found.__getitem__) == strongest


def test_blur_takes_fine_texture_and_noise_adds_it(unit):
    plain = appearance(unit)
    assert corrupted(unit, "blur", "high")["texture_1"] < plain["texture_1"] - 0.5
    assert corrupted(unit, "gaussian", "high")["noise"] > plain["noise"] + 0.5
    assert corrupted(unit, "gamma", "high")["grey_50"] != pytest.approx(plain["grey_50"], abs=0.05)


def test_an_even_picture_has_finite_numbers():
    assert all(map(np.isfinite, appearance(np.zeros((20, 20, 1), np.float32)).values()))
