"""What the tables say of the batches is what was measured; what they cannot say is refused in one line."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from report_example import PIXEL, fields_of, image, report, write_fields

from grainseg.errors import GrainsegError
from grainseg.report.files.saved_batches import read_batches


def given(field):
    """The field as if its grain map had come from elsewhere."""
    return replace(field, closed_share=None, open_ends=None)


def same(one, other):
    assert (one.name, one.crossings_without_closed) == (other.name, other.crossings_without_closed)
    assert (one.line_length, one.crossings) == pytest.approx((other.line_length, other.crossings))
    assert one.line_width == pytest.approx(other.line_width)
    np.testing.assert_allclose(one.diameters, other.diameters, rtol=1e-12)
    np.testing.assert_array_equal(one.weights, other.weights)


@pytest.mark.parametrize("pixel_size", [PIXEL, None])
def test_batches_come_back_as_they_were(tmp_path, pixel_size):
    example = report({"A": ["a1", "a2"], "B": ["b1", "b2", "b3"]}, pixel_size)
    write_fields(tmp_path, fields_of(example))
    found = read_batches(tmp_path)
    assert [(batch.name, batch.unit) for batch in found] == [
        (batch.statistics.name, batch.statistics.unit) for batch in example.batches
    ]
    for batch, original in zip(found, example.batches, strict=True):
        assert len(batch.samples) == len(original.samples)
        for one, other in zip(batch.samples, original.samples, strict=True):
            same(one, other)
            assert one.crossings_without_closed < one.crossings
            assert one.line_width > 0


def test_names_come_back_as_they_were(tmp_path):
    names = [
        "=1",
        "'=1",
        "''=1",
        " =1",
        "-",
        "a;=b",
        'a";"=b',
        "a\t=b",
        "\t=",
        "a\r\n@b",
        "\r",
        "\n",
        "x, -1",
    ]
    fields = [replace(image(0, "a1", "A").field, image=name, specimen=name) for name in names]
    write_fields(tmp_path, dict.fromkeys(names[:4], fields))
    found = read_batches(tmp_path)
    assert [batch.name for batch in found] == names[:4]
    for batch in found:
        assert [sample.name for sample in batch.samples] == names
        assert [sample.specimen for sample in batch.samples] == names


def test_what_nobody_knows_of_closed_gaps_stays_unknown(tmp_path):
    write_fields(tmp_path, {"A": [given(image(0, "a1", "A").field), image(1, "a2", "A").field]})
    (batch,) = read_batches(tmp_path)
    assert batch.samples[0].crossings_without_closed is None
    assert batch.samples[1].crossings_without_closed is not None


def test_fields_without_a_pixel_size_are_left_out_and_named(tmp_path):
    write_fields(tmp_path, {"A": [image(0, "a1", "A").field, image(1, "a2", "A", None).field]})
    (batch,) = read_batches(tmp_path)
    assert (batch.unit, [sample.name for sample in batch.samples]) == ("µm", ["a1"])
    assert batch.left_out == ("a2",)


@pytest.fixture
def tables(tmp_path):
    write_fields(tmp_path, fields_of(report({"A": ["a1", "a2"], "B": ["b1", "b2", "b3"]})))
    return tmp_path


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


def refused(folder):
    with pytest.raises(GrainsegError) as caught:
        read_batches(folder)
    assert str(caught.value).startswith(str(folder))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kept", [1, 20, -1])
def test_a_table_of_grains_that_was_cut_off_is_refused(tables, kept):
    path = tables / "grains.csv"
    path.write_text("".join(lines_of(path)[:kept]), encoding="utf-8")
    assert "the tables are cut off or of different runs" in refused(tables)


def test_the_counts_that_differ_are_named(tables):
    path = tables / "grains.csv"
    count = int(next(csv.DictReader(lines_of(tables / "fields.csv")))["count"])
    path.write_text("".join(lines_of(path)[:1] + lines_of(path)[2:]), encoding="utf-8")
    assert f"holds {count - 1} grains of a1 in batch A, fields.csv counts {count}" in refused(tables)


def test_grains_of_a_field_that_is_missing_are_refused(tables):
    path = tables / "fields.csv"
    path.write_text("".join(lines_of(path)[:-1]), encoding="utf-8")
    assert "of b3 in batch B, fields.csv counts 0" in refused(tables)


def test_a_field_that_stands_twice_is_refused(tables):
    path = tables / "fields.csv"
    path.write_text("".join([*lines_of(path), lines_of(path)[1]]), encoding="utf-8")
    assert "has a1 of batch A twice" in refused(tables)


def replaced(path, column, value):
    with path.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    rows[0][column] = value
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "1e200", "x", "-1", " "])
@pytest.mark.parametrize(
    ("table", "column"),
    [
        *(("fields", name) for name in ("count", "raster_um", "crossings_deg0", "line_length_deg90_px")),
        *(("fields", "closed_crossings_deg45"), ("grains", "weight"), ("grains", "ecd_px")),
    ],
)
def test_numbers_that_cannot_be_are_refused(tables, table, column, value):
    replaced(tables / f"{table}.csv", column, value)
    assert f"{column} is {value!r}" in refused(tables)


def test_a_table_without_a_column_is_refused(tables):
    path = tables / "fields.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("closed_share", "x"), encoding="utf-8")
    assert "lacks the column closed_share" in refused(tables)


def test_a_table_of_nothing_is_refused(tables):
    path = tables / "fields.csv"
    path.write_text(lines_of(path)[0], encoding="utf-8")
    assert "holds no field" in refused(tables)
