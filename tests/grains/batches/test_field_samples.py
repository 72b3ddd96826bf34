"""From fields to batches: lengths in the right unit, grains with a weight only."""

import numpy as np
import pytest

from grainseg.grains.batches.field_samples import common_unit, field_sample, pooled_elongation, scale_flags
from grainseg.grains.closing.partition import partition_mask
from grainseg.grains.fields.measure_field import measure_field
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.image import PixelSize
from grainseg.micrograph.plain.polycrystal import polycrystal

GRAINS = polycrystal(3, (200, 240), 30.0, 0.3, 3)
UM = measure_field("um", GRAINS, PixelSize(0.25, 0.25, "given by the user"))
PX = measure_field("px", GRAINS, None)


def test_a_sample_is_the_field_in_the_unit_asked_for() -> None:
    um, px = field_sample(UM, "µm"), field_sample(UM, "px")
    assert um.line_length / um.crossings == pytest.approx(UM.mean_intercept_px * 0.25)
    assert px.line_length / px.crossings == pytest.approx(UM.mean_intercept_px)
    np.testing.assert_allclose(um.diameters, px.diameters * 0.25)
    inner = np.setdiff1d(GRAINS, np.concatenate([GRAINS[0], GRAINS[-1], GRAINS[:, 0], GRAINS[:, -1]]))
    assert um.diameters.size == inner.size


def test_what_a_partition_closed_is_known_only_where_there_was_one() -> None:
    mask = boundary_lines(GRAINS) == 1
    mask[60:67, 20:200] = False
    partition = partition_mask(mask)
    sample = field_sample(measure_field("x", partition.grains, None, partition), "px")
    assert sample.crossings_without_closed is not None
    assert 0 < sample.crossings_without_closed < sample.crossings
    assert field_sample(UM, "µm").crossings_without_closed is None


def test_one_pixel_size_makes_a_batch_metric_and_none_cannot_be_made_up() -> None:
    assert common_unit([PX, UM]) == "µm"
    assert common_unit([PX]) == "px"
    with pytest.raises(ValueError, match="has no pixel size"):
        field_sample(PX, "µm")


def test_the_elongation_of_a_batch_is_that_of_all_fields_together() -> None:
    tall, wide = (measure_field(x, GRAINS, PixelSize(*s, "x")) for x, s in (("t", (3, 1)), ("w", (1, 3))))
    assert pooled_elongation([tall], "µm") == pytest.approx(tall.elongation)
    assert tall.elongation > 2.5
    assert pooled_elongation([tall, tall], "µm") == pytest.approx(tall.elongation)
    assert pooled_elongation([tall, wide], "µm") < 1.2
    assert np.isnan(pooled_elongation([], "px"))


def test_pixel_sizes_that_differ_within_a_batch_are_named() -> None:
    near, far = (measure_field(f"{size}", GRAINS, PixelSize(size, size, "x")) for size in (0.254, 0.26))
    assert scale_flags([UM, near]) == scale_flags([PX]) == ()
    (flag,) = scale_flags([far, UM, near])
    assert flag.startswith("pixel sizes differ, from 0.25 µm (um) to 0.26 µm (0.26): if one")
