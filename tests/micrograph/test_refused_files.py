"""What is no usable picture is refused in one line, and never read as something else."""

import struct
import warnings
from concurrent.futures import ThreadPoolExecutor

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from sample_files import GREY8, RGB16, SMOOTH, message, pillow_file, tiff_file

from grainseg.errors import GrainsegError
from grainseg.micrograph.files import read_mask_values, read_micrograph


def test_negative_integers_are_refused(tmp_path):
    text = message(read_micrograph, tiff_file(tmp_path / "a.tif", np.array([[-1, 5]], np.int16)))
    assert "a.tif" in text
    assert "negative" in text


@pytest.mark.parametrize(
    ("bad", "words"),
    [(np.nan, "NaN"), (np.inf, "NaN or infinite"), (-1e300, "pixels beyond ±3.4e+38; divide")],
)
def test_pixels_that_are_not_finite_are_refused(tmp_path, bad, words):
    values = np.ones((8, 8))
    values[3, 4] = bad
    text = message(read_micrograph, tiff_file(tmp_path / "a.tif", values))
    assert "a.tif" in text
    assert words in text


@pytest.mark.parametrize("options", [{}, {"imagej": True}, {"compression": "zlib"}], ids=str)
def test_stack_is_refused(tmp_path, options):
    path = tiff_file(tmp_path / "a.tif", np.zeros((4, 24, 31), np.uint8), photometric="minisblack", **options)
    text = message(read_micrograph, path)
    assert f"{path}: holds 4 pages" in text


def test_large_imagej_stack_with_one_page_entry_is_refused(tmp_path):
    path = tiff_file(tmp_path / "a.tif", GREY8, description="ImageJ=1.54f\nimages=7\n", metadata=None)
    assert "holds 7 pages" in message(read_micrograph, path)


@pytest.mark.parametrize(("dtype", "first"), [(np.float16, 2**11), (np.float32, 2**24)])
def test_ids_that_floats_cannot_tell_apart_are_refused(tmp_path, dtype, first):
    below = tiff_file(tmp_path / "a.tif", np.array([[1, first - 1]], dtype))
    assert read_mask_values(below).max() == first - 1
    path = tiff_file(tmp_path / "b.tif", np.array([[1, first]], dtype))
    assert f"{path}: holds numbers from {first} on" in message(read_mask_values, path)


@pytest.mark.parametrize("ring", [1, 300])
@pytest.mark.parametrize("lsm", [False, True])
def test_pages_without_end_are_refused(tmp_path, ring, lsm):
    """The last of ``ring`` pages is followed by the first; as compressed LSM tifffile would open all."""
    tags = [(256, 1), (257, 1), *([(259, 5), (34412, 1)] if lsm else [])]
    page = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 3, 1, n) for tag, n in tags)
    after = [struct.pack("<I", 8 + (len(page) + 4) * ((number + 1) % ring)) for number in range(ring)]
    path = tmp_path / "a.tif"
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8) + b"".join(page + offset for offset in after))
    assert f"{path}: holds more than 64 pages" in message(read_micrograph, path)


def test_animated_png_is_refused(tmp_path):
    frames = [Image.fromarray(GREY8), Image.fromarray(255 - GREY8)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    assert "holds 2 pages" in message(read_micrograph, tmp_path / "a.png")


def test_thumbnails_and_transparency_masks_are_no_pages(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(GREY8)
        writer.write(GREY8[::4, ::4], subfiletype=1)
        writer.write(GREY8 > 9, subfiletype=4)
    np.testing.assert_array_equal(read_mask_values(tmp_path / "a.tif"), GREY8)


def test_many_channels_are_refused(tmp_path):
    channels = np.zeros((9, 9, 7), np.uint8)
    path = tiff_file(tmp_path / "a.tif", channels, photometric="minisblack", planarconfig="contig")
    text = message(read_micrograph, path)
    assert "a.tif" in text
    assert "7 channels" in text


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("layout", ["contig", "separate"])
def test_channels_of_unknown_meaning_are_refused(tmp_path, count, layout):
    """Two detectors, say: none of them is transparency, and three of them are no colours."""
    shape = (24, 31, count) if layout == "contig" else (count, 24, 31)
    path = tiff_file(
        tmp_path / "a.tif", np.zeros(shape, np.uint8), photometric="minisblack", planarconfig=layout
    )
    assert f"{path}: holds {count} channels and does not say what they are" in message(read_micrograph, path)


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
def test_transparency_is_left_out(tmp_path, kind):
    both = np.dstack([GREY8, 255 - GREY8])
    grey = tiff_file(
        tmp_path / "a.tif", both, photometric="minisblack", planarconfig="contig", extrasamples=[kind]
    )
    if kind == "unspecified":
        assert "holds 2 channels" in message(read_micrograph, grey)
    else:
        np.testing.assert_array_equal(read_mask_values(grey), GREY8)
    colour = np.dstack([RGB16, RGB16[..., :1]])
    path = tiff_file(tmp_path / "b.tif", colour, photometric="rgb", extrasamples=[kind])
    np.testing.assert_array_equal(read_micrograph(path).pixels, np.float32(RGB16 / 65535))


ORIGINALS = {
    "grey.png": lambda path: pillow_file(path, GREY8),
    "deep.png": lambda path: path.write_bytes(imagecodecs.png_encode(RGB16)),
    "grey.jpg": lambda path: pillow_file(path, SMOOTH),
    "progressive.jpg": lambda path: pillow_file(path, SMOOTH, progressive=True),
    "grey.bmp": lambda path: pillow_file(path, GREY8),
    "plain.tif": lambda path: tiff_file(path, GREY8),
    "strips.tif": lambda path: tiff_file(path, GREY8, rowsperstrip=5),
    "lzw.tif": lambda path: tiff_file(path, GREY8, compression="lzw", rowsperstrip=5),
    "zlib.tif": lambda path: tiff_file(path, GREY8, compression="zlib"),
    "jpeg.tif": lambda path: tiff_file(path, SMOOTH, compression="jpeg", rowsperstrip=8),
    "tiles.tif": lambda path: tiff_file(path, GREY8, tile=(16, 16)),
    "directory_last.tif": lambda path: pillow_file(path, GREY8, compression="tiff_lzw"),
}


@pytest.mark.parametrize("name", ORIGINALS)
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.8, 0.95])
def test_cut_off_file_raises_instead_of_filling_up(tmp_path, name, kept):
    path = tmp_path / name
    ORIGINALS[name](path)
    assert read_micrograph(path).shape == (24, 31)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    assert str(path) in message(read_micrograph, path)


def test_absent_strip_raises_instead_of_reading_zeros(tmp_path):
    path = tiff_file(tmp_path / "a.tif", GREY8, rowsperstrip=8, compression="zlib")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        counts = tiff.pages[0].tags["StripByteCounts"]
        counts.overwrite([counts.value[0], 0, counts.value[2]])
    assert "cut short" in message(read_micrograph, path)


@pytest.mark.parametrize("name", ["lzw.tif", "tiles.tif", "grey.png", "grey.bmp", "grey.jpg"])
def test_damaged_file_gives_pixels_or_one_line(tmp_path, name):
    path = tmp_path / name
    ORIGINALS[name](path)
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    refusals = []
    for _ in range(120):
        damaged = bytearray(content)
        damaged[generator.integers(0, 300)] = generator.integers(0, 256)
        path.write_bytes(damaged)
        try:
            assert np.isfinite(read_micrograph(path, max_megapixels=1).pixels).all()
        except GrainsegError as error:
            refusals.append(str(error))
    assert refusals
    assert all(refusal.startswith(f"{path}: ") for refusal in refusals)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notes.png", b"these are only words\n" * 9, "no PNG, TIFF, JPEG or BMP"),
        ("notes.tif", b"GIF89a" + bytes(90), "no PNG, TIFF, JPEG or BMP"),
        ("empty.png", b"", "0 bytes"),
    ],
)
def test_what_is_no_image_is_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    text = message(read_micrograph, tmp_path / name)
    assert str(tmp_path / name) in text
    assert words in text


def test_missing_file_and_folder_are_named(tmp_path):
    for path in (tmp_path / "absent.png", tmp_path):
        assert f"{path}: is not a file" in message(read_micrograph, path)


def test_tiff_without_pixels_is_refused(tmp_path):
    path = tiff_file(tmp_path / "a.tif", np.zeros((1, 4), np.uint8), metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages[0].tags["ImageLength"].overwrite(0)
    assert "no pixels" in message(read_micrograph, path)


@pytest.mark.parametrize("name", ["grey.png", "grey.jpg", "grey.bmp", "lzw.tif"])
def test_pixel_limit_is_checked_before_decoding(tmp_path, name):
    path = tmp_path / name
    ORIGINALS[name](path)
    path.write_bytes(path.read_bytes() if name.endswith("tif") else path.read_bytes()[:-20])
    text = message(read_micrograph, path, 0.0007)
    assert str(path) in text
    assert "max_megapixels=0.0007" in text
    assert "31 × 24" in text


def test_pillows_own_pixel_limit_does_not_matter(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    path = tmp_path / "a.png"
    path.write_bytes(imagecodecs.png_encode(GREY8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_micrograph(path).shape == (24, 31)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_threads_read_the_same_pixels(tmp_path):
    paths = [pillow_file(tmp_path / "a.png", GREY8), tiff_file(tmp_path / "b.tif", GREY8, compression="lzw")]
    with ThreadPoolExecutor(4) as pool:
        for micrograph in pool.map(read_micrograph, paths * 20):
            np.testing.assert_array_equal(micrograph.pixels, GREY8 / np.float32(255))
