"""Batches of material: by folder, or by a table."""

from pathlib import Path

import pytest

from grainseg.errors import GrainsegError
from grainseg.micrograph.folders.batches import Origin, assign_batches


def batches(images: list[Path], root_name: str, table: Path | None) -> list[str]:
    return [origin.batch for origin in assign_batches(images, root_name, table).values()]


IMAGES = [Path("a.tif"), Path("north/b.tif"), Path("north/c (1).png"), Path("south/deep/d.tif")]


def test_a_folder_is_a_batch() -> None:
    assert batches(IMAGES, "plate", None) == ["north", "north", "plate", "south/deep"]
    assert batches([Path("A10/x.tif"), Path("A2/x.tif")], "plate", None) == ["A2", "A10"]


def test_two_folders_of_one_name_are_no_batch() -> None:
    both = [Path("a.tif"), Path("plate/b.tif")]
    with pytest.raises(GrainsegError, match="two batches of one name; rename the inner one"):
        assign_batches(both, "plate", None)
    assert batches(both[1:], "plate", None) == ["plate"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_names_images_by_path_name_or_stem(tmp_path: Path, delimiter: str) -> None:
    rows = (
        ("note", "Batch ", "IMAGE"),
        ("", "heat 1", "a.png"),  # a.tif is its corrected map
        ("x", "heat 1", "north\\b"),
        ("", "heat 2", "c (1)"),
        ("", "heat 2", "d.tif"),
    )
    table = tmp_path / "batches.csv"
    table.write_text("\ufeff" + "\r\n".join(delimiter.join(row) for row in rows), encoding="utf-8")
    assert batches(IMAGES, "plate", table) == ["heat 1", "heat 1", "heat 2", "heat 2"]


def test_a_table_names_images_however_their_names_are_encoded(tmp_path: Path) -> None:
    table = tmp_path / "batches.csv"
    table.write_text("image,batch\nGef\u00fcge.tif,1\n", encoding="utf-8")
    image = Path("Gefu\N{COMBINING DIAERESIS}ge.tif")
    assert assign_batches([image], "plate", table) == {image: Origin("1")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,lot\na,1\n", "has no column 'batch'"),
        ("image,batch\na,1\na,2\n", "names 'a' twice"),
        ("image,batch\na,1\na.tif,2\n", "names 'a.tif' twice"),
        ("image,batch\na,1\n", "has no row for 'north/b.tif'"),
        ("image,batch,specimen,specimen\na,1,x,y\n", "its heading has 'specimen' twice"),
        (
            "image,batch,specimen\na,1,x\nb,2,\nc (1),1,\nd,2,\n",
            "has no specimen for 'north/c (1).png', but for others of batch '1'; name it for each",
        ),
        ("image,batch\na,\n", "line 2 lacks its image or its batch"),
        ('image,batch\n"a,1\n', "cannot be read"),
        ("", "has no column 'image'"),
    ],
)
def test_a_table_that_cannot_be_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    table = tmp_path / "batches.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(GrainsegError, match="batches=") as caught:
        assign_batches(IMAGES, "plate", table)
    assert message in str(caught.value)


def test_a_table_names_specimens(tmp_path: Path) -> None:
    table = tmp_path / "batches.csv"
    table.write_text("image,batch,Specimen\na,1,head\nb,1,tail\nc (1),2,\nd,2\n", encoding="utf-8")
    assert list(assign_batches(IMAGES, "plate", table).values()) == [
        *(Origin("1", "head"), Origin("1", "tail"), Origin("2"), Origin("2")),
    ]


def test_rows_of_no_image_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = tmp_path / "batches.csv"
    table.write_text("image,batch\nx.tif,1\ny.tif,2\nz,2\n", encoding="utf-8")
    assert assign_batches([Path("x.tif")], "plate", table) == {Path("x.tif"): Origin("1")}
    assert "2 of its rows name no image here, 'y.tif' first" in caplog.text


def test_a_row_with_more_cells_than_the_heading_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "batches.csv"
    table.write_text("image,batch\nx.tif,heat 7, old\n", encoding="utf-8")
    with pytest.raises(GrainsegError, match="line 2 has more cells than the heading; quote a cell"):
        assign_batches([Path("x.tif")], "plate", table)


def test_a_table_in_another_encoding_is_one_line(tmp_path: Path) -> None:
    table = tmp_path / "batches.csv"
    table.write_text("image,batch\na,Güte\n", encoding="latin-1")
    with pytest.raises(GrainsegError, match="save it as CSV UTF-8"):
        assign_batches(IMAGES, "plate", table)


def test_a_name_that_several_images_have_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "batches.csv"
    table.write_text("image,batch\nx,1\n", encoding="utf-8")
    images = [Path("p/x.tif"), Path("q/x.tif")]
    with pytest.raises(GrainsegError, match=r"'x' could be p/x\.tif and q/x\.tif"):
        assign_batches(images, "plate", table)
    # Beside a deeper one of the same name, the one in the root is meant by its own name.
    table.write_text("image,batch\nx,1\np/x,2\n", encoding="utf-8")
    assert batches([Path("x.tif"), images[0]], "plate", table) == ["1", "2"]


def test_a_binary_or_missing_table_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")
    for name in ("picture.png", "nowhere.csv"):
        with pytest.raises(GrainsegError, match=name):
            assign_batches(IMAGES, "plate", tmp_path / name)


def test_batches_are_in_the_order_of_the_table(tmp_path: Path) -> None:
    table = tmp_path / "batches.csv"
    table.write_text("image,batch\nz,gone\nd,late\na,early\nb,late\nc (1),early\n", encoding="utf-8")
    assert list(dict.fromkeys(batches(IMAGES, "plate", table))) == ["late", "early"]
