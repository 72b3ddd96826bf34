"""Light changes, lines stay: strengths, ranges, and independence from the worker."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from helpers import compose_train

from grainseg.config import AugmentConfig
from grainseg.data.photometry import Photometry
from grainseg.micrograph.image import BOUNDARY
from grainseg.micrograph.normalization import to_unit_range
from grainseg.micrograph.plain.synthetic import generate


@pytest.fixture(scope="module")
def patch() -> np.ndarray:
    return to_unit_range(generate(1, (96, 96)).pixels)[:, :, None]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("choice", ["none", "light", "robust"])
def test_patches_stay_patches(choice: str, channels: int, patch: np.ndarray) -> None:
    photometry = Photometry(compose_train(f"augment={choice}").augment)
    pixels = np.repeat(patch, channels, axis=2)
    for seed in range(20):
        changed = photometry(pixels, np.random.default_rng(seed))
        assert changed.shape == pixels.shape
        assert changed.dtype == np.float32
        assert changed.min() >= 0
        assert changed.max() <= 1
        assert np.isfinite(changed).all()
        if choice == "none":
            np.testing.assert_array_equal(changed, pixels)


def test_the_generator_alone_determines_the_result(patch: np.ndarray) -> None:
    config = compose_train("augment=robust").augment
    first, second = Photometry(config), Photometry(config)
    first(patch, np.random.default_rng(99))  # other histories
    for seed in range(10):
        one = first(patch, np.random.default_rng(seed))
        np.testing.assert_array_equal(one, second(patch, np.random.default_rng(seed)))
    distinct = {first(patch, np.random.default_rng(seed)).tobytes() for seed in range(30)}
    assert len(distinct) >= 25  # now and then nothing happens to a patch


def test_a_patch_is_the_same_to_the_last_bit_wherever_it_lies_in_memory() -> None:
    """As each fetch of a run has it anew; OpenCV's distances, on one thread, are not."""
    photometry = Photometry(compose_train("augment=robust", "augment.illumination=0.2").augment)
    pixels = np.random.default_rng(0).random((160, 160, 1), dtype=np.float32)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for seed in range(60):
            held = [np.empty(1 + 1000 * seed, np.uint8)]
            fetched = []
            for _ in range(3):
                fetched.append(photometry(pixels.copy(), np.random.default_rng(seed)).tobytes())
                held.append(np.empty(1 + 700 * len(held), np.uint8))  # the next lies elsewhere
            assert len(set(fetched)) == 1
    finally:
        cv2.setNumThreads(threads)


@pytest.mark.parametrize(
    ("strength", "low", "high"),
    [
        ({"noise": 0.05}, 0.003, 0.08),
        ({"texture": 0.08}, 0.001, 0.1),
        ({"offset": 0.2}, 0.01, 0.25),
        ({"gain": 0.4}, 0.01, 0.3),
        ({"contrast": 0.4}, 0.01, 0.3),
        ({"gamma": 1.5}, 0.01, 0.2),
        ({"illumination": 0.2}, 0.005, 0.25),
        ({"blur_px": 1.0}, 0.001, 0.15),
    ],
)
def test_each_change_is_neither_void_nor_ruinous(
    strength: dict[str, float],
    low: float,
    high: float,
    patch: np.ndarray,
    augment: Callable[..., AugmentConfig],
) -> None:
    photometry = Photometry(augment(**strength))
    changes = [np.abs(photometry(patch, np.random.default_rng(seed)) - patch).mean() for seed in range(60)]
    happened = [change for change in changes if change > 0]
    assert 10 <= len(happened) <= 45  # PROBABILITY is 0.4
    assert low < max(happened) < high


def test_dark_lines_survive_the_robust_setting() -> None:
    """A 3 px groove stays darker than its grains: the library's default noise would bury it."""
    field = generate(2, (128, 128))
    groove = np.where(field.label == BOUNDARY, 0.2, 0.7).astype(np.float32)[:, :, None]
    photometry = Photometry(compose_train("augment=robust", "augment.invert=0").augment)
    for seed in range(50):
        changed = photometry(groove, np.random.default_rng(seed))[:, :, 0]
        line, grain = changed[field.label == BOUNDARY], changed[field.label == 0]
        assert grain.mean() - line.mean() > 1.0 * grain.std()


def test_inversion_inverts(patch: np.ndarray, augment: Callable[..., AugmentConfig]) -> None:
    photometry = Photometry(augment(invert=1.0))
    np.testing.assert_allclose(photometry(patch, np.random.default_rng(0)), 1 - patch, atol=1e-6)


def test_offset_adds_gain_multiplies_contrast_turns_about_the_mean(
    augment: Callable[..., AugmentConfig],
) -> None:
    steps = np.full((8, 8, 1), 0.4, np.float32)
    steps[:, 4:] = 0.6
    changed = {
        name: [Photometry(augment(**{name: 0.2}))(steps, np.random.default_rng(seed)) for seed in range(40)]
        for name in ("offset", "gain", "contrast")
    }
    for name, patches in changed.items():
        moved = [(patch[0, 0, 0], patch[0, 7, 0]) for patch in patches if not np.array_equal(patch, steps)]
        assert len(moved) > 5
        for dark, bright in moved:
            if name == "offset":
                assert bright - dark == pytest.approx(0.2, abs=1e-6)
            elif name == "gain":
                assert bright / dark == pytest.approx(1.5, abs=1e-5)
            else:
                assert bright + dark == pytest.approx(1.0, abs=1e-6)
