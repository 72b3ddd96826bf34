"""What the tables say of the batches is what was measured; what they cannot say is refused in one line."""

from dataclasses import replace

import numpy as np
import pytest
from report_example import PIXEL, fields_of, image, report

from grainseg.report.results import read_batches
from grainseg.report.tables import write_fields, write_grains


def write(folder, fields):
    write_fields(folder / "fields.csv", fields)
    write_grains(folder / "grains.csv", fields)


def given(field):
    """The field as if its grain map had come from elsewhere."""
    return replace(field, closed_share=None, open_ends=None)


def same(one, other):
    assert (one.name, one.crossings_without_closed) == (other.name, other.crossings_without_closed)
    assert (one.line_length, one.crossings) == pytest.approx((other.line_length, other.crossings))
    np.testing.assert_allclose(one.diameters, other.diameters, rtol=1e-12)
    np.testing.assert_array_equal(one.weights, other.weights)


@pytest.mark.parametrize("pixel_size", [PIXEL, None])
def test_batches_come_back_as_they_were(tmp_path, pixel_size):
    example = report({"A": ["a1", "a2"], "B": ["b1", "b2", "b3"]}, pixel_size)
    write(tmp_path, fields_of(example))
    found = read_batches(tmp_path)
    assert [(batch.name, batch.unit) for batch in found] == [
        (batch.statistics.name, batch.statistics.unit) for batch in example.batches
    ]
    for batch, original in zip(found, example.batches, strict=True):
        assert len(batch.samples) == len(original.samples)
        for one, other in zip(batch.samples, original.samples, strict=True):
            same(one, other)
            assert one.crossings_without_closed < one.crossings


def test_what_nobody_knows_of_closed_gaps_stays_unknown(tmp_path):
    write(tmp_path, {"A": [given(image(0, "a1", "A").field), image(1, "a2", "A").field]})
    (batch,) = read_batches(tmp_path)
    assert batch.samples[0].crossings_without_closed is None
    assert batch.samples[1].crossings_without_closed is not None
