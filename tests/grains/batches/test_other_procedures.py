"""G of a batch by other procedures: those of its fields, pooled."""

import math

import pytest
from measured_fields import HALF_UM, cells

from grainseg.grains.batches.other_procedures import other_procedures
from grainseg.grains.fields.measure_field import measure_field
from grainseg.micrograph.image import PixelSize

FINE, COARSE = (
    measure_field(name, cells(seed, mean_area=area), HALF_UM)
    for seed, name, area in ((0, "a", 200), (1, "b", 800))
)
NAMES = ("circles", "saltikov", "jeffries", "triple")


def test_one_field_has_its_own_values():
    found = other_procedures([FINE], "µm")
    for name in (*NAMES, "ala"):
        assert getattr(found, f"g_{name}") == pytest.approx(getattr(FINE, f"g_{name}"))
    assert (found.grains, found.circle_crossings) == (FINE.count, FINE.circles.crossings)
    assert found.area == pytest.approx(300 * 300 / 4)


def test_counts_are_pooled_and_not_averaged_as_g():
    # Fields of one size with grains of 200 and 800 px: together 450 and 112.5 grains on twice the area.
    found = other_procedures([FINE, COARSE], "µm")
    per_mm2 = (1 / 200 + 1 / 800) / 2 * 4e6
    for name in NAMES[1:]:
        assert getattr(found, f"g_{name}") == pytest.approx(math.log2(per_mm2) - 2.9542, abs=0.15)
    mean = (FINE.circles.length + COARSE.circles.length) * 0.5 / found.circle_crossings  # in µm
    assert found.g_circles == pytest.approx(-6.643856 * math.log10(mean / 1000) - 3.287712, abs=1e-4)
    assert found.g_ala == COARSE.g_ala
    assert found.grains == FINE.count + COARSE.count


def test_each_field_counts_in_its_own_scale():
    halved = measure_field("c", cells(1, mean_area=800), PixelSize(0.25, 0.25, "given by the user"))
    found = other_procedures([FINE, halved], "µm")
    assert found.area == pytest.approx(300 * 300 / 4 * 1.25)
    grains = 300 * 300 / 200 + 300 * 300 / 800
    assert found.g_saltikov == pytest.approx(math.log2(grains / found.area * 1e6) - 2.9542, abs=0.15)


def test_in_px_there_is_no_g():
    found = other_procedures([measure_field("a", cells(), None)], "px")
    assert found.area == 300 * 300
    assert all(math.isnan(getattr(found, f"g_{name}")) for name in (*NAMES, "ala"))
    assert math.isnan(other_procedures([], "µm").g_saltikov)
