"""Which faults of a table or JSON that a person wrote refuse a picture, and which do not."""

import os
import time

import pytest
from sample_files import message, pillow_file
from vendor_files import PICTURE, hitachi

from grainseg.micrograph.files import read_micrograph

TABLE = "pixel_sizes.csv"
HEADING = "image,pixel_size_um\n"


@pytest.fixture
def picture(tmp_path):
    (tmp_path / "A" / "B").mkdir(parents=True)
    return pillow_file(tmp_path / "A" / "B" / "a.png", PICTURE)


@pytest.mark.parametrize("up", [1, 2])
@pytest.mark.parametrize("text", ["sample,size\nx,1\n", "", '"never closed', HEADING * 300_000])
def test_somebody_elses_table_above_is_a_warning(picture, up, text):
    table = picture.parents[up] / TABLE
    table.write_text(text)
    micrograph = read_micrograph(picture)
    assert micrograph.pixel_size_um is None
    assert len(micrograph.warnings) == 1
    assert micrograph.warnings[0].startswith(f"{table}: its pixel size cannot be read (")


def test_a_row_of_the_picture_in_a_table_above_is_not_ignored(picture):
    (picture.parents[1] / TABLE).write_text(f"{HEADING}B/a.png,1,25\n")
    assert "line 2 has more cells than the heading" in message(read_micrograph, picture)
    (picture.parent / "C").mkdir()
    (picture.parents[2] / TABLE).write_text(f"{HEADING}A/B/C/a.png,0.25\n")
    deep = picture.rename(picture.parent / "C" / "a.png")
    assert read_micrograph(deep).pixel_size is None  # three folders above


BAD_ROWS = ["{}.png,1,25", '{}.png,"0.2', '"{}.png,0.2', '{}.png,"0.2"5', '{}.png,2,"never closed']


@pytest.mark.parametrize("row", BAD_ROWS)
@pytest.mark.parametrize("first", [True, False])
def test_a_bad_row_refuses_its_own_picture_alone(picture, row, first):
    rows = [row.format("b"), "a.png,0.25"]
    picture.with_name(TABLE).write_text(HEADING + "\n".join(rows if first else rows[::-1]) + "\n")
    micrograph = read_micrograph(picture)
    assert (micrograph.pixel_size_um, micrograph.warnings) == ((0.25, 0.25), ())
    other = pillow_file(picture.with_name("b.png"), PICTURE)
    assert f"line {2 if first else 3}" in message(read_micrograph, other)
    third = pillow_file(picture.with_name("c.png"), PICTURE)
    (note,) = read_micrograph(third).notes
    assert note.startswith(f"{TABLE} says no pixel size of c.png; line ")


def test_many_bad_rows_take_no_time(picture):
    picture.with_name(TABLE).write_text(HEADING + 'b,"1"5\n' * 100_000 + "a,0.25\n")
    start = time.process_time()
    assert read_micrograph(picture).pixel_size_um == (0.25, 0.25)
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    "text",
    [
        "image,note,pixel_size_um,note\na.png,x,0.25,y\n",
        "image;pixel_size_um;\na.png;0,25;hello\n",
        "image\tpixel_size_um\t\t\na.png\t0,25\t\thello\n",
        "image,pixel_size_um\na.png,2.5e-01\n",
        "image;pixel_size_um\na.png;2,5E-1\n",
        "image,pixel_size_um\na.png,0.25\na.png,0.25\nA.png,0.3\n",
    ],
)
def test_what_is_plain_is_read(picture, text):
    picture.with_name(TABLE).write_text(text)
    micrograph = read_micrograph(picture)
    assert (micrograph.pixel_size_um, micrograph.warnings) == ((0.25, 0.25), ())


def test_pixels_of_a_tilted_stage(picture):
    picture.with_name(TABLE).write_text("image,pixel_size_um,pixel_size_row_um\na.png,0.1,0.292\n")
    assert read_micrograph(picture).pixel_size_um == (0.292, 0.1)
    picture.with_name(TABLE).unlink()
    picture.with_suffix(".json").write_text('{"pixel_size_um": [0.292, 0.1]}')
    assert read_micrograph(picture).pixel_size_um == (0.292, 0.1)


@pytest.mark.parametrize("side", ["a.txt", "a.json"])
@pytest.mark.parametrize("table", ["nothing\n", f"{HEADING}a.png,1,25\n"])
def test_a_source_that_goes_before_makes_it_a_warning(picture, side, table):
    picture.with_name(TABLE).write_text(table)
    text = hitachi("250") if side == "a.txt" else '{"pixel_size_um": 0.25}'
    picture.with_name(side).write_text(text)
    micrograph = read_micrograph(picture)
    assert micrograph.pixel_size_um == (0.25, 0.25)
    (warning,) = micrograph.warnings
    assert warning.startswith(f"{TABLE}: its pixel size cannot be read (")


def test_an_impossible_size_and_a_resolution_do_not_go_before(picture):
    picture.with_name(TABLE).write_text("nothing\n")
    picture.with_name("a.txt").write_text(hitachi("1e9"))
    assert "columns image" in message(read_micrograph, picture)
    tiff = pillow_file(picture.with_name("b.tif"), PICTURE, resolution=40_000, resolution_unit="cm")
    assert "columns image" in message(read_micrograph, tiff)


def test_a_large_json_of_another_program_is_said_where_there_is_no_size(picture):
    side = picture.with_suffix(".json")
    with side.open("wb") as handle:
        handle.write(b'{"pixel_size_um": "?", "imageData": "')
        os.ftruncate(handle.fileno(), 5 << 20)
    micrograph = read_micrograph(picture)
    assert micrograph.warnings == ()
    assert micrograph.notes == ("a.json is larger than 4 MiB and was not read",)
