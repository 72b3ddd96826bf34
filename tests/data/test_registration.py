"""How far labels lie beside their pictures: found to a twentieth of a pixel, and only where it is certain."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from grainseg.data.images import LabelledMicrograph
from grainseg.data.registration import label_offset_px
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE, FloatImage
from grainseg.micrograph.plain.synthetic import generate

OFFSETS = [(0.5, 0.3), (-0.4, 0.0), (0.0, 1.0), (-1.5, 0.7)]


def probability(label: np.ndarray) -> FloatImage:
    """As soft as a network's."""
    return gaussian_filter(np.asarray(label == BOUNDARY, np.float32), 1.0)


def field(seed: int, offset: tuple[float, float], noise: float = 0.1) -> LabelledMicrograph:
    """A picture that is its own boundary probability, and a label that lies beside it."""
    label = generate(seed, (200, 240)).label
    unit = shift(probability(label), (-offset[0], -offset[1]), order=3, mode="nearest")
    unit = unit + noise * np.random.default_rng(seed).standard_normal(unit.shape)
    return LabelledMicrograph(f"field_{seed}", unit.astype(np.float32)[:, :, None], label, 3.0)


def as_it_is(unit: FloatImage) -> FloatImage:
    return unit[:, :, 0]


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_known_offset_is_found(offset: tuple[float, float]) -> None:
    found = label_offset_px([field(seed, offset) for seed in range(3)], as_it_is)
    assert found == pytest.approx(offset, abs=0.06)


def test_what_nobody_judged_has_no_say() -> None:
    fields = []
    for seed in range(3):
        whole = field(seed, (0.5, 0.3))
        label, unit = whole.label.copy(), whole.unit.copy()
        label[:60], unit[:60] = IGNORE, np.roll(unit[:60], 2, axis=1)
        fields.append(LabelledMicrograph("part", unit, label, 3.0))
    assert label_offset_px(fields, as_it_is) == pytest.approx((0.5, 0.3), abs=0.06)


def test_of_a_large_picture_the_middle_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grainseg.data.registration.LARGEST_SIDE_PX", 176)
    whole = field(0, (0.5, 0.3))
    label = whole.label.copy()
    label[:12] = label[188:] = label[:, :32] = label[:, 208:] = GRAIN
    seen = []

    def observe(unit: FloatImage) -> FloatImage:
        seen.append(unit.shape)
        return unit[:, :, 0]

    found = label_offset_px([LabelledMicrograph("large", whole.unit, label, 3.0)], observe)
    assert seen == [(176, 176, 1)]
    assert found == pytest.approx((0.5, 0.3), abs=0.1)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([field(seed, (0, 0)) for seed in range(3)], id="none"),
        pytest.param([field(seed, (0.1, 0.1)) for seed in range(3)], id="too little to matter"),
        pytest.param([field(0, (1, 1)), field(1, (-1, -1)), field(2, (1, -1))], id="no common one"),
        pytest.param([field(seed, (9, 9)) for seed in range(3)], id="another field"),
        pytest.param([replace(field(0, (1, 1)), label=np.full((9, 9), BOUNDARY, np.uint8))], id="too small"),
        pytest.param([replace(field(0, (1, 1)), unit=np.zeros((200, 240, 1)))], id="nothing seen"),
        pytest.param([], id="no picture"),
    ],
)
def test_labels_stay_where_no_offset_is_certain(fields: list[LabelledMicrograph]) -> None:
    assert label_offset_px(fields, as_it_is) == (0, 0)


def test_noise_is_no_offset() -> None:
    rng = np.random.default_rng(0)
    found = [
        label_offset_px([field(seed, (0.5, 0.3))], lambda unit: rng.random(unit.shape[:2], dtype=np.float32))
        for seed in range(5)
    ]
    assert found == [(0, 0)] * 5
