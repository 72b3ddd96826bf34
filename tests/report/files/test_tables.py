import csv
import itertools
import math
import re

import numpy as np
import pytest
from report_example import PIXEL, fields_of, image, report, write_fields, write_tables

from grainseg.errors import GrainsegError
from grainseg.grains.fields.measure_field import measure_field
from grainseg.micrograph.image import PixelSize
from grainseg.report.files.tables import cell_text, is_table, plain_text, write_csv


def read(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def example():
    return report({"A": ["a1", "a2"], "B": ["b1", "b2", "b3"]})


def test_floats_come_back_to_the_last_bit_and_missing_ones_are_empty(tmp_path):
    numbers = [0.1 + 0.2, 1 / 3, 1e-300, -5.0, np.float64(2 / 3), np.float32(0.1)]

    write_csv(tmp_path / "t.csv", [{"x": number} for number in (*numbers, math.nan, None)])

    texts = [row["x"] for row in read(tmp_path / "t.csv")]
    assert [float(text) for text in texts[:-2]] == [float(number) for number in numbers]
    assert texts[-2:] == ["", ""]


def test_table_is_utf_8_without_mark_with_crlf_and_quotes(tmp_path):
    write_csv(tmp_path / "t.csv", [{"name": 'ü, "µ"\n', "n": 3, "yes": True}])

    assert (tmp_path / "t.csv").read_bytes() == b'name,n,yes\r\n"\xc3\xbc, ""\xc2\xb5""\n",3,true\r\n'


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@A1", "\t1", "\r1", "\n1", '=HYPERLINK("http://x")'])
def test_a_name_is_no_formula(tmp_path, name):
    write_csv(tmp_path / "t.csv", [{"name": name}])

    assert read(tmp_path / "t.csv")[0]["name"] == f"'{name}"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (" =1", " '=1"),
        ("\u00a0=1", "\u00a0'=1"),
        ('"=1', "\"'=1"),
        ("＝1", "'＝1"),
        ("a;=cmd", "a;'=cmd"),
        ("a; =cmd", "a; '=cmd"),
        ('a";"=cmd', 'a";"\'=cmd'),
        ("a,+1", "a,'+1"),
        ("a\t-1", "a\t'-1"),
        ("a\r\n@1", "a\r\n'@1"),
        (";=1;=2", ";'=1;'=2"),
        ("\t=1", "'\t'=1"),
        ("'=1", "''=1"),
        ("a-b=c+d@e", "a-b=c+d@e"),
        ("a b; c", "a b; c"),
        ("it's; 'quoted'", "it's; 'quoted'"),
        ("a/=b.png", "a/=b.png"),
    ],
)
def test_no_piece_of_a_text_is_a_formula_where_another_sign_parts_cells(text, written):
    assert cell_text(text) == written
    assert plain_text(written) == text


NASTY = ["", "'", '"', " ", "=", "-", "＠", ";", ",", "\t", "\r", "\n", "\0", "x"]


def test_every_text_comes_back_and_none_is_a_formula(tmp_path):
    texts = sorted({"".join(parts) for parts in itertools.product(NASTY, repeat=4)})

    write_csv(tmp_path / "t.csv", [{"text": text, "n": 1} for text in texts])

    written = [row["text"] for row in read(tmp_path / "t.csv")]
    assert [plain_text(text) for text in written] == texts
    for text in written:
        pieces = re.split(r"[,;\t\r\n]", text)
        assert not any(piece.strip(' "').startswith(("=", "-", "＠")) for piece in pieces)
        assert not text.lstrip(' "').startswith(("\t", "\r", "\n", "\0"))


def test_what_is_no_text_in_a_name_is_escaped(tmp_path):
    write_csv(tmp_path / "t.csv", [{"name": b"a\xff\x1b".decode("utf-8", "surrogateescape")}])

    assert read(tmp_path / "t.csv")[0]["name"] == "a\\udcff\\x1b"


def test_columns_are_those_of_all_rows_and_named_ones_need_no_row(tmp_path):
    write_csv(tmp_path / "all.csv", iter([{"a": 1, "b_um": 2}, {"a": 3, "b_px": 4}]))
    write_csv(tmp_path / "none.csv", [], ["a", "b"])

    assert (tmp_path / "all.csv").read_bytes() == b"a,b_um,b_px\r\n1,2,\r\n3,,4\r\n"
    assert (tmp_path / "none.csv").read_bytes() == b"a,b\r\n"


def test_a_failed_write_leaves_the_old_table(tmp_path):
    write_csv(tmp_path / "t.csv", [{"x": 1}])

    def rows():
        yield {"x": 2}
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_csv(tmp_path / "t.csv", rows())

    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
    assert read(tmp_path / "t.csv") == [{"x": "1"}]


def test_a_table_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(GrainsegError, match="cannot be written"):
        write_csv(tmp_path / "file" / "t.csv", [], ["x"])


def test_grains_have_a_row_each_in_px_and_um(tmp_path, example):
    write_tables(tmp_path, example)

    rows = read(tmp_path / "grains.csv")
    assert len(rows) == sum(len(each.field.grains) for each in example.images)
    first = example.images[0].field.grains
    own = [row for row in rows if (row["batch"], row["image"]) == ("A", "a1")]
    for name in ("area_px", "ecd_px", "feret_px", "major_px", "minor_px", "perimeter_px", "weight", "id"):
        np.testing.assert_array_equal([float(row[name]) for row in own], getattr(first, name))
    np.testing.assert_allclose([float(row["ecd_um"]) for row in own], first.ecd_px * 0.5)
    np.testing.assert_allclose([float(row["area_um2"]) for row in own], first.area_px * 0.25)
    assert [row["touches_border"] == "true" for row in own] == first.touches_border.tolist()


def test_fields_hold_what_was_measured(tmp_path, example):
    write_tables(tmp_path, example)

    row, field = read(tmp_path / "fields.csv")[3], example.images[3].field
    assert (row["batch"], row["image"], row["pixel_size_source"]) == ("B", "b2", "given by the user")
    assert float(row["mean_intercept_um"]) == field.mean_intercept_px * 0.5
    assert float(row["mean_intercept_without_closed_px"]) == field.mean_intercept_px_without_closed
    assert float(row["intercept_deg90_px"]) == field.lines[2].mean
    assert float(row["crossings_circles"]) == field.circles.crossings
    assert float(row["n_a_saltikov_per_mm2"]) == pytest.approx(field.n_a_saltikov / 0.25e-6)
    assert float(row["g_triple"]) == field.g_triple
    assert float(row["closed_share"]) == field.closed_share > 0
    assert float(row["closed_length_um"]) == field.closed_length_px * 0.5 > 0
    for name in ("counted_area", "ala_area"):
        assert float(row[f"{name}_um2"]) == getattr(field, f"{name}_px") * 0.25
    assert (row["diagonal_deg"], row["map_enlarged"]) == ("45.0", "1")
    assert row["flags"] == "; ".join(field.flags)


def test_a_map_given_says_nothing_of_closed_boundaries(tmp_path):
    grains = np.arange(1, 101).reshape(10, 10).repeat(12, axis=0).repeat(12, axis=1)
    field = measure_field("a", grains, PixelSize(1.0, 0.5, "given by the user"))

    write_fields(tmp_path, {"A": [field]})

    row = read(tmp_path / "fields.csv")[0]
    assert row["mean_intercept_px"]
    for name in ("mean_intercept_without_closed_px", "mean_intercept_without_closed_um", "closed_share"):
        assert row[name] == ""
    assert (row["closed_length_px"], row["closed_length_um"], row["closed_crossings_deg0"]) == ("", "", "")
    assert (row["pixel_size_row_um"], row["pixel_size_column_um"]) == ("1.0", "0.5")
    assert float(row["diagonal_deg"]) == pytest.approx(63.43, abs=0.01)


def test_batches_and_comparisons_have_a_row_each(tmp_path, example):
    write_tables(tmp_path, example)

    batches, pairs = read(tmp_path / "batches.csv"), read(tmp_path / "comparisons.csv")
    assert [row["batch"] for row in batches] == ["A", "B"]
    assert float(batches[1]["mean_intercept_um"]) == example.batches[1].statistics.intercept.value
    assert [(row["a"], row["b"]) for row in pairs] == [("A", "B")]
    assert pairs[0]["verdict"] == example.comparisons[0].verdict


def test_a_table_is_known_by_its_first_columns(tmp_path, example):
    write_tables(tmp_path, example)
    for path in tmp_path.glob("*.csv"):
        assert is_table(path)
        path.write_text(path.read_text(encoding="utf-8").partition(",")[0] + ",mine\n", encoding="utf-8")
        assert not is_table(path)


def test_without_a_pixel_size_there_are_no_um_and_no_g(tmp_path):
    example = report({"A": ["a1", "a2"], "B": ["b1", "b2"]}, pixel_size=None)

    write_tables(tmp_path, example)

    for name in ("grains", "fields"):
        for row in read(tmp_path / f"{name}.csv"):
            assert not any(text for key, text in row.items() if "_um" in key or "_mm" in key)
            assert not any(text for key, text in row.items() if key.startswith("g_"))
    assert not any("um" in key for key in read(tmp_path / "batches.csv")[0])


def test_fields_with_and_without_a_pixel_size_share_a_table(tmp_path):
    fields = [image(0, "a1", "A", PIXEL).field, image(1, "a2", "A", None).field]

    write_fields(tmp_path, {"A": fields})

    assert [bool(row["mean_intercept_um"]) for row in read(tmp_path / "fields.csv")] == [True, False]


def test_the_same_fields_give_the_same_bytes(tmp_path, example):
    for folder in ("one", "two"):
        write_fields(tmp_path / folder, fields_of(example))

    for name in ("grains.csv", "fields.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
