"""Files beside a picture that say its pixel size, in every encoding, and files that are something else."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from sample_files import message, pillow_file
from vendor_files import HEIGHT, PICTURE, WIDTH, fei, hitachi, jeol, tagged_tiff, tescan

from grainseg.errors import GrainsegError
from grainseg.micrograph.files import read_micrograph

TABLE = "pixel_sizes.csv"


@pytest.fixture
def picture(tmp_path):
    return pillow_file(tmp_path / "a.png", PICTURE)


def size_and_notes(path):
    micrograph = read_micrograph(path)
    return micrograph.pixel_size_um, micrograph.warnings


def expect(path, row_um, column_um=None, source=""):
    size, notes = size_and_notes(path)
    assert size == pytest.approx((row_um, column_um or row_um), rel=1e-9)
    assert source in read_micrograph(path).pixel_size.source
    assert notes == ()


def refusal(path):
    return message(read_micrograph, path)


def expect_ignored(path, words=""):
    size, (note,) = size_and_notes(path)
    assert size is None
    assert "ignored" in note
    assert words in note


@pytest.mark.parametrize("encoding", ["ascii", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "shift_jis"])
def test_hitachi_is_in_nanometres(picture, encoding):
    text = hitachi("99.21875").replace("steel", "鋼" if encoding == "shift_jis" else "steel")
    picture.with_suffix(".txt").write_bytes(text.encode(encoding))
    expect(picture, 0.09921875, source="Hitachi file a.txt")


def test_hitachi_for_another_width(picture):
    picture.with_suffix(".TXT").write_text(hitachi(width=2 * WIDTH))
    size, (note,) = size_and_notes(picture)
    assert size == (0.25, 0.25)
    assert f"{2 * WIDTH} px wide" in note


@pytest.mark.parametrize(
    ("marker", "size_um"), [("10um", 0.25), ("10 µm", 0.25), ("10µm", 0.25), ("100nm", 0.0025), ("1mm", 25.0)]
)
@pytest.mark.parametrize("encoding", ["iso-8859-1", "utf-8"])
def test_jeol_divides_the_marker_by_its_bar(picture, marker, size_um, encoding):
    picture.with_suffix(".txt").write_bytes(jeol("40", marker).encode(encoding))
    expect(picture, size_um, source="JEOL file a.txt")


def test_tescan_header_beside_any_format(tmp_path):
    for name in ("a.png", "b.tif", "c.jpg", "d.ü (1),#=.png"):
        path = pillow_file(tmp_path / name, PICTURE)
        stem, suffix = path.stem, path.suffix[1:]
        path.with_name(f"{stem}-{suffix}.hdr").write_text(tescan("2e-7", "3e-7"))
        expect(path, 0.3, 0.2, source="Tescan file")


def test_json_takes_a_number_or_row_and_column(picture):
    side = picture.with_suffix(".json")
    side.write_text('{"pixel_size_um": 0.25}')
    expect(picture, 0.25, source="a.json")
    side.write_bytes('{"pixel_size_um": [0.3, 0.2], "who": "Jürgen"}'.encode("utf-16"))
    expect(picture, 0.3, 0.2)


@pytest.mark.parametrize("name", ["a.png", "a"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
@pytest.mark.parametrize(
    "text",
    [
        "image,pixel_size_um\nü.png,0.5\n{name},0.25\n",
        "image;Pixel_Size_um;note\r\nü.png;0,5;\r\n{name};0,25;x\r\n",
        "\n image \tother\tpixel_size_um \nü.png\t1\t0.5\n{name}\t2\t 0.25",
        'pixel_size_um,image,pixel_size_row_um\n0.5,ü.png,\n0.25,"{name}",\n',
        "sep=;\r\nimage;pixel_size_um\r\n./{name};0,25\r\n",
        "\nSEP=|\nimage|pixel_size_um\n.\\{name}|,25\n",
        ",image,pixel_size_um,\n0,{name},0.25,\n",
    ],
)
def test_table(picture, name, encoding, text):
    picture.with_name(TABLE).write_bytes(text.format(name=name).encode(encoding))
    expect(picture, 0.25, source=TABLE)


def test_table_and_file_may_compose_letters_differently(tmp_path):
    path = pillow_file(tmp_path / unicodedata.normalize("NFD", "ü.png"), PICTURE)
    path.with_name(TABLE).write_text("image,pixel_size_um\nü.png,0.25\n", encoding="utf-8")
    expect(path, 0.25)


def test_a_row_in_other_capitals_is_the_picture_unless_it_is_another_one(picture):
    table = picture.with_name(TABLE)
    table.write_text("image,pixel_size_um\nA.PNG,0.25\n")
    expect(picture, 0.25)
    table.write_text("image,pixel_size_um\nA,0.25\na.png,0.5\n")
    expect(picture, 0.5)
    table.write_text("image,pixel_size_um\nA.tif,0.25\n")
    assert size_and_notes(picture) == (None, ())


@pytest.mark.skipif(Path(__file__).with_name("TEST_CALIBRATION_SIDECARS.PY").exists(), reason="no capitals")
@pytest.mark.parametrize("row", ["A.png", "A"])
def test_a_row_of_another_picture_in_capitals_is_not_taken(picture, row):
    pillow_file(picture.with_name("A.png"), PICTURE)
    picture.with_name(TABLE).write_text(f"image,pixel_size_um\n{row},0.25\n")
    assert size_and_notes(picture) == (None, ())


def test_table_with_rows_of_their_own(picture):
    table = picture.with_name(TABLE)
    table.write_text("image,pixel_size_um,pixel_size_row_um\na,0.9,\na.png,0.2,0.3\n")
    expect(picture, 0.3, 0.2)


def test_a_table_above_the_folders_of_batches(picture, monkeypatch):
    """It names a picture by its path from there; one that lies beside the picture goes before it."""
    above = picture.with_name(TABLE)
    (picture.parent / "A").mkdir()
    inner = picture.rename(picture.parent / "A" / "a.png")
    above.write_text("image,pixel_size_um\na.png,0.7\nB/a.png,0.8\n")
    assert size_and_notes(inner) == (None, ())
    assert read_micrograph(inner).notes == ()
    above.write_text("Image;Pixel_size_um\nA\\a;0,25\n")
    expect(inner, 0.25)
    inner.with_name(TABLE).write_text("image,pixel_size_um\na.png,0.5\n")
    size, notes = size_and_notes(inner)
    assert size == pytest.approx((0.5, 0.5))
    assert f"but {above} says 0.25" in notes[0]
    monkeypatch.chdir(inner.parent)
    assert size_and_notes(Path("a.png")) == (size, notes)
    monkeypatch.chdir(inner.parent.parent)
    assert size_and_notes(Path("A/a.png")) == (size, notes)


@pytest.mark.parametrize(
    "text",
    ["image,pixel_size_um\nb.png,0.5\n", "image,pixel_size_um\na.png,\n", "image,pixel_size_um\na.png\n"],
)
def test_a_table_may_leave_a_picture_out(picture, text):
    """It is said where nothing else has a pixel size: the row may be misspelt."""
    picture.with_name(TABLE).write_text(text)
    assert size_and_notes(picture) == (None, ())
    assert read_micrograph(picture).notes == ("pixel_sizes.csv says no pixel size of a.png",)
    picture.with_suffix(".json").write_text('{"pixel_size_um": 0.25}')
    assert read_micrograph(picture).notes == ()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (TABLE, b"picture,pixel_size_um\na.png,0.25\n", "columns image"),
        (TABLE, b"", "columns image"),
        (TABLE, b"\x00\xff\xfe" * 50, "columns image"),
        (TABLE, b"image,pixel_size_nm\na.png,250\n", "columns image and pixel_size_um"),
        (TABLE, b"image,pixel_size_um\na.png,0.25\n\na.png,0.5\n", "a.png twice, in lines 2 and 4"),
        (TABLE, b"image,pixel_size_um\na.png,0.25 um\n", "line 2: '0.25 um' is no plain"),
        (TABLE, b"image,pixel_size_um\na.png,2_5\n", "line 2: '2_5' is no plain"),
        (TABLE, b'image,pixel_size_um\na.png,"0,25"\n', "line 2: '0,25' is no plain"),
        (TABLE, b"image,pixel_size_um\na.png,1e999\n", "line 2: inf "),
        (TABLE, b"image,pixel_size_um\na.png,-0.25\n", "line 2: -0.25 "),
        (TABLE, b"image,pixel_size_um\nb.png,1\na.png,1,25\n", "line 3 has more cells than the heading"),
        (TABLE, b"image,pixel_size_um,pixel_size_row_um\na.png,1.,25\n", "more than 4 : 1"),
        (TABLE, b"image,pixel_size_um,pixel_size_row_um\na.png,1,3\n", "line 2: 1,3 may be one number"),
        (TABLE, b"image,pixel_size_um,Pixel_size_um\na.png,1,2\n", "'pixel_size_um' twice"),
        (TABLE, b"image,pixel_size_um\nA.png,0.2\nA.PNG,0.3\n", "twice"),
        (TABLE, b"image,pixel_size_um\na.png,250\n", "outside"),
        (TABLE, b'image,pixel_size_um\na.png,"' + b"1" * 200_000 + b'"\n', "field"),
        (TABLE, b"image,pixel_size_um\n" + b"b.png,1\n" * 600_000, "larger"),
        ("a.json", b'{"pixel_size_um": "0.25"}', "neither"),
        ("a.json", b'{"pixel_size_um": true}', "neither"),
        ("a.json", b'{"pixel_size_um": [1, 2, 3]}', "neither"),
        ("a.json", b'{"pixel_size_um": [0.1, 0.5]}', "more than 4 : 1"),
        ("a.json", b'{"pixel_size_um": 0.2, "pixel_size_um": 0.3}', "twice"),
        ("a.json", b'{"pixel_size_um": 0}', "outside"),
        ("a.json", b'{"pixel_size_um": NaN}', "outside"),
        ("a.json", b'{"pixel_size_um": {"row": 1}}', "neither"),
        ("a.json", b'{"pixel_size_um": ' + b"9" * 9000 + b"}", "outside"),
    ],
)
def test_what_a_person_wrote_down_is_not_ignored(picture, name, content, words):
    """Unless the user says the pixel size."""
    side = picture.with_name(name)
    side.write_bytes(content)
    text = refusal(picture)
    assert text.startswith(f"{picture}: its pixel size cannot be read from {side} (")
    assert words in text
    assert text.endswith("; correct that file or remove it")
    said = read_micrograph(picture, pixel_size_um=0.3)
    assert said.pixel_size_um == (0.3, 0.3)
    assert f"{name}: its pixel size cannot be read" in said.warnings[0]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"[SemImageFile]\nPixelSize=many\n", "many"),
        ("a.txt", b"[SemImageFile]\nInstructName=S-4700\n", "no PixelSize"),
        ("a.txt", b"$$SM_MICRON_BAR 40\n", "MARKER"),
        ("a.txt", b"$$SM_MICRON_BAR 0\n$$SM_MICRON_MARKER 5um\n", "zero"),
        ("a.txt", b"$$SM_MICRON_BAR 40\n$$SM_MICRON_MARKER 5furlong\n", "furlong"),
        ("a-png.hdr", b"[MAIN]\nPixelSizeX=2e-7\n", "PixelSizeY"),
        ("a-png.hdr", b"\xff\xfe\x00", "PixelSizeY"),
        ("a.json", b'{"pixel_size_um": 0.25', ""),
        ("a.json", b"pixel_size_um = 0.25", ""),
        ("a.json", b'{"pixel_size_um": ' + b"[" * 90_000, ""),
    ],
)
def test_nonsense_is_a_warning(picture, name, content, words):
    picture.with_name(name).write_bytes(content)
    expect_ignored(picture, words)
    assert name in read_micrograph(picture).warnings[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"0 0.5 0.5 0.1 0.1\n1 0.2 0.2 0.1 0.1\n"),
        ("a.txt", bytes(range(256))),
        ("a.json", json.dumps({"version": "5.2", "imageData": "QUJD" * 1000}).encode()),
        ("a.json", b'{"imageData": "' + b"QUJD" * (1 << 20) + b'"}'),
        ("a.json", b'["pixel_size_um"]'),
        ("a.json", b'{"image": {"pixel_size_um": "?", "pixel_size_um": 2}}'),
        ("a.json", b'{"pixel_size_um": null}'),
        ("a.json", b"not json at all"),
    ],
)
def test_files_of_other_programs_say_nothing(picture, name, content):
    picture.with_name(name).write_bytes(content)
    assert size_and_notes(picture) == (None, ())


def test_microscopes_go_before_tables_and_contradictions_are_named(tmp_path):
    path = tagged_tiff(tmp_path / "a.tif", (34682, fei()))
    path.with_suffix(".txt").write_text(hitachi("300"))
    path.with_suffix(".json").write_text('{"pixel_size_um": 0.4}')
    path.with_name(TABLE).write_text("image,pixel_size_um\na,0.2501\n")
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_um == pytest.approx((0.25, 0.25))
    assert len(micrograph.warnings) == 2
    assert all("FEI/Thermo tag 34682" in note for note in micrograph.warnings)
    assert "Hitachi file a.txt says 0.3" in micrograph.warnings[0]
    assert "a.json says 0.4" in micrograph.warnings[1]


def test_a_tag_and_a_side_file_that_agree(tmp_path):
    path = tagged_tiff(tmp_path / "a.tif", (50431, tescan()))
    path.with_name("a-tif.hdr").write_text(tescan("2.52e-7", "2.52e-7"))
    expect(path, 0.25, source="tag")


def test_names_that_leave_no_room_for_side_files(tmp_path):
    path = pillow_file(tmp_path / ("a" * 251 + ".png"), PICTURE)
    assert size_and_notes(path) == (None, ())
    path = pillow_file(tmp_path / "no_extension", PICTURE, format="PNG")
    path.with_suffix(".json").write_text('{"pixel_size_um": 0.25}')
    expect(path, 0.25)


def test_what_is_said_of_a_file_is_one_line(tmp_path):
    path = pillow_file(tmp_path / "a\tb.png", PICTURE)
    path.with_name(TABLE).write_text("image,pixel_size_um\na\tb.png,1\na\tb.png,2\n")
    assert "a b.png twice" in refusal(path)


def test_a_picture_that_is_called_like_a_side_file(tmp_path):
    path = pillow_file(tmp_path / "a.txt", PICTURE, format="PNG")
    assert size_and_notes(path) == (None, ())


def test_random_side_files_never_raise(picture):
    generator = np.random.default_rng(0)
    seeds = {
        "a.txt": hitachi().encode("utf-16"),
        "a.json": b'{"pixel_size_um": [0.25, 0.5]}',
        TABLE: b"image,pixel_size_um\na.png,0.25\n",
        "a-png.hdr": tescan().encode(),
    }
    for _ in range(60):
        for name, seed in seeds.items():
            damaged = bytearray(seed)
            for _ in range(generator.integers(1, 8)):
                damaged[generator.integers(len(damaged))] = generator.integers(256)
            picture.with_name(name).write_bytes(damaged)
        try:
            micrograph = read_micrograph(picture, crop="auto")
            lines, shape = micrograph.warnings, micrograph.shape
        except GrainsegError as error:
            lines, shape = (str(error),), (HEIGHT, WIDTH)
        assert shape[1] == WIDTH
        assert all(line.isprintable() for line in lines)
        assert shape[0] <= HEIGHT
