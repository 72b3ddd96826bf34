"""Pictures and masks in all formats keep their values; what is written reads back."""

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from sample_files import GREY8, GREY16, RGB8, RGB16, RNG, SMOOTH, message, pillow_file, tiff_file

from grainseg.micrograph import files
from grainseg.micrograph.files import (
    IMAGE_SUFFIXES,
    luminance,
    read_mask_values,
    read_micrograph,
    write_mask,
    write_png,
    write_probability,
)


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "A.PNG", "a=b (1) ü,#.png", "no_extension"])
def test_grey_8_bit(tmp_path, name):
    path = pillow_file(tmp_path / name, GREY8, format="BMP" if name.endswith("bmp") else "PNG")
    micrograph = read_micrograph(path)
    assert micrograph.shape == (24, 31)
    assert micrograph.pixels.dtype == np.float32
    np.testing.assert_array_equal(micrograph.pixels, GREY8 / np.float32(255))


def test_grey_16_bit_png_keeps_all_bits(tmp_path):
    pixels = read_micrograph(pillow_file(tmp_path / "a.png", GREY16)).pixels
    np.testing.assert_array_equal(np.rint(pixels * 65535), GREY16)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_coloured_16_bit_png_keeps_all_bits(tmp_path, channels):
    samples = RNG.integers(0, 65536, (24, 31, channels)).astype(np.uint16)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(samples))
    pixels = read_micrograph(tmp_path / "a.png").pixels
    expected = samples[..., 0] if channels == 2 else samples[..., :3]
    np.testing.assert_array_equal(np.rint(pixels * 65535), expected)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_rgb_8_bit(tmp_path, suffix):
    pixels = read_micrograph(pillow_file(tmp_path / f"a{suffix}", RGB8)).pixels
    np.testing.assert_array_equal(pixels, RGB8 / np.float32(255))


def test_identical_channels_stay_rgb(tmp_path):
    path = pillow_file(tmp_path / "a.png", np.repeat(GREY8[..., None], 3, axis=2))
    assert read_micrograph(path).pixels.shape == (24, 31, 3)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("opacity", [0, 255])
def test_alpha_is_dropped_whatever_it_holds(tmp_path, suffix, opacity):
    alpha = np.full((24, 31, 1), opacity, np.uint8)
    rgba = pillow_file(tmp_path / f"rgba{suffix}", np.concatenate([RGB8, alpha], axis=2))
    np.testing.assert_array_equal(read_micrograph(rgba).pixels, RGB8 / np.float32(255))
    grey_alpha = pillow_file(tmp_path / f"la{suffix}", np.concatenate([GREY8[..., None], alpha], axis=2))
    np.testing.assert_array_equal(read_micrograph(grey_alpha).pixels, GREY8 / np.float32(255))


@pytest.mark.parametrize("options", [{"quality": 95}, {"progressive": True}])
def test_jpeg(tmp_path, options):
    grey = read_micrograph(pillow_file(tmp_path / "a.jpg", SMOOTH, **options)).pixels
    assert grey.shape == (24, 31)
    np.testing.assert_allclose(grey, SMOOTH / 255, atol=0.03)
    colour = np.stack([SMOOTH, SMOOTH // 2, 255 - SMOOTH], axis=-1)
    pixels = read_micrograph(pillow_file(tmp_path / "c.jpeg", colour, subsampling=0, **options)).pixels
    np.testing.assert_allclose(pixels, colour / 255, atol=0.05)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_becomes_rgb(tmp_path, suffix):
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[..., 0] = 255  # cyan absorbs red
    inks[:8, :, 3] = 255  # black absorbs all
    path = pillow_file(tmp_path / f"a{suffix}", Image.fromarray(inks, "CMYK"))
    pixels = read_micrograph(path).pixels
    np.testing.assert_allclose(pixels[12, 8], [0, 1, 1], atol=0.02)
    np.testing.assert_allclose(pixels[4, 8], [0, 0, 0], atol=0.02)
    assert "one channel" in message(read_mask_values, path)
    equal = pillow_file(path, Image.fromarray(np.full_like(inks, 9), "CMYK"))
    assert "one channel" in message(read_mask_values, equal)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_palette_is_applied(tmp_path, suffix):
    indices = Image.fromarray((GREY8 % 3).astype(np.uint8), "P")
    colours = np.array([[10, 20, 30], [200, 0, 0], [0, 0, 255]], np.uint8)
    indices.putpalette(colours.ravel().tolist())
    path = pillow_file(tmp_path / f"a{suffix}", indices)
    np.testing.assert_allclose(read_micrograph(path).pixels, colours[GREY8 % 3] / 255, atol=1e-6)
    np.testing.assert_array_equal(read_mask_values(path), GREY8 % 3)


def test_transparent_palette_raises_no_warning(tmp_path):
    indices = Image.fromarray((GREY8 % 2).astype(np.uint8), "P")
    indices.putpalette([0, 0, 0, 255, 255, 255])
    path = pillow_file(tmp_path / "a.png", indices, transparency=bytes([0, 128]))
    np.testing.assert_array_equal(read_micrograph(path).pixels[..., 1], GREY8 % 2)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_one_bit(tmp_path, suffix):
    path = pillow_file(tmp_path / f"a{suffix}", GREY8 > 99)
    np.testing.assert_array_equal(read_micrograph(path).pixels, GREY8 > 99)
    np.testing.assert_array_equal(read_mask_values(path), np.where(GREY8 > 99, 255, 0))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "lzw", "predictor": True, "rowsperstrip": 5},
        {"compression": "zlib"},
        {"compression": "packbits"},
        {"tile": (16, 16), "compression": "zstd"},
        {"bigtiff": True},
        {"byteorder": ">"},
    ],
    ids=str,
)
def test_tiff_layouts(tmp_path, options):
    grey = read_micrograph(tiff_file(tmp_path / "a.tif", GREY16, **options)).pixels
    np.testing.assert_array_equal(np.rint(grey * 65535), GREY16)
    rgb = read_micrograph(tiff_file(tmp_path / "b.tif", RGB16, photometric="rgb", **options)).pixels
    np.testing.assert_array_equal(np.rint(rgb * 65535), RGB16)


def test_planar_tiff(tmp_path):
    planes = np.moveaxis(RGB16, -1, 0)
    path = tiff_file(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(np.rint(read_micrograph(path).pixels * 65535), RGB16)


def test_jpeg_compressed_tiff_becomes_rgb(tmp_path):
    colour = np.stack([SMOOTH, SMOOTH // 2, 255 - SMOOTH], axis=-1)
    path = tiff_file(tmp_path / "a.tif", colour, photometric="rgb", compression="jpeg", rowsperstrip=8)
    with tifffile.TiffFile(path) as tiff:
        assert tiff.pages[0].photometric == tifffile.PHOTOMETRIC.YCBCR
    np.testing.assert_allclose(read_micrograph(path).pixels, colour / 255, atol=0.06)


def test_white_is_zero_is_inverted_for_the_image_but_not_for_the_mask(tmp_path):
    path = tiff_file(tmp_path / "a.tif", GREY16, photometric="miniswhite")
    np.testing.assert_array_equal(np.rint(read_micrograph(path).pixels * 65535), 65535 - GREY16)
    np.testing.assert_array_equal(read_mask_values(path), GREY16)
    bits = tiff_file(tmp_path / "b.tif", GREY8 > 99, photometric="miniswhite")
    np.testing.assert_array_equal(read_micrograph(bits).pixels, GREY8 <= 99)
    floats = tiff_file(tmp_path / "c.tif", np.float32(GREY8), photometric="miniswhite")
    assert "MINISWHITE" in message(read_micrograph, floats)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_float_tiff_keeps_its_values(tmp_path, dtype):
    values = (GREY8.astype(dtype) - 100) * 4
    pixels = read_micrograph(tiff_file(tmp_path / "a.tif", values)).pixels
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels, values)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int16", "int32"])
def test_integers_are_divided_by_full_scale(tmp_path, dtype):
    top = np.iinfo(dtype).max
    values = np.array([[0, top // 2, top]], dtype)
    pixels = read_micrograph(tiff_file(tmp_path / "a.tif", values)).pixels
    np.testing.assert_allclose(pixels, [[0, 0.5, 1]], atol=0.003)
    assert pixels.max() == 1


def test_packed_12_bit_is_divided_by_4095(tmp_path):
    path = tmp_path / "a.tif"
    packed = bytes.fromhex("000fff800001")  # 0, 4095, 2048, 1 in 12 bits each
    tiff_file(path, np.zeros((1, 6), np.uint8), metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tags = tiff.pages[0].tags
        offset = tiff.pages[0].dataoffsets[0]
        tags["ImageWidth"].overwrite(4)
        tags["BitsPerSample"].overwrite(12)
        tiff.filehandle.seek(offset)
        tiff.filehandle.write(packed)
    np.testing.assert_allclose(read_micrograph(path).pixels * 4095, [[0, 4095, 2048, 1]], rtol=1e-6)


def test_mask_values_keep_their_type(tmp_path):
    values = read_mask_values(pillow_file(tmp_path / "a.png", GREY16))
    assert values.dtype == np.uint16
    np.testing.assert_array_equal(values, GREY16)
    signed = np.array([[-1, 0], [1, 70000]], np.int32)
    np.testing.assert_array_equal(read_mask_values(tiff_file(tmp_path / "b.tif", signed)), signed)


def test_rgb_mask_needs_equal_channels(tmp_path):
    equal = np.repeat(GREY8[..., None], 3, axis=2)
    np.testing.assert_array_equal(read_mask_values(pillow_file(tmp_path / "a.png", equal)), GREY8)
    text = message(read_mask_values, pillow_file(tmp_path / "red.png", RGB8))
    assert "red.png" in text
    assert "coloured" in text


def test_float_mask_needs_whole_numbers(tmp_path):
    values = read_mask_values(tiff_file(tmp_path / "a.tif", np.float32(GREY8)))
    assert values.dtype == np.int64
    np.testing.assert_array_equal(values, GREY8)
    for bad in (0.5, np.nan, 1e30):
        path = tiff_file(tmp_path / "bad.tif", np.full((3, 3), bad, np.float32))
        assert "bad.tif" in message(read_mask_values, path)


def test_luminance_is_bt601():
    np.testing.assert_allclose(luminance(np.eye(3, dtype=np.float32)[None]), [[0.299, 0.587, 0.114]])
    grey = np.float32(GREY8 / 255)
    result = luminance(np.repeat(grey[..., None], 3, axis=2))
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, grey, atol=1e-6)
    np.testing.assert_array_equal(luminance(grey), grey)


def test_suffixes_are_lower_case():
    assert {suffix.lower() for suffix in IMAGE_SUFFIXES} == IMAGE_SUFFIXES


def test_written_mask_and_picture_read_back(tmp_path):
    write_mask(tmp_path / "new" / "folder" / "m.png", GREY8 > 99)
    with Image.open(tmp_path / "new" / "folder" / "m.png") as image:
        assert (image.format, image.mode) == ("PNG", "L")
        np.testing.assert_array_equal(np.asarray(image), np.where(GREY8 > 99, 255, 0))
    write_png(tmp_path / "rgb.png", RGB8)
    np.testing.assert_array_equal(np.rint(read_micrograph(tmp_path / "rgb.png").pixels * 255), RGB8)


@pytest.mark.parametrize(("down", "across"), [(0.1234567, 0.1234567), (0.5, 0.2)])
def test_probability_is_calibrated_for_imagej(tmp_path, down, across):
    probability = RNG.random((24, 31), dtype=np.float32)
    write_probability(tmp_path / "p.tif", probability, (down, across))
    with tifffile.TiffFile(tmp_path / "p.tif") as tiff:
        page = tiff.pages[0]
        np.testing.assert_array_equal(page.asarray(), probability)
        assert page.dtype == np.float32
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        assert tiff.imagej_metadata["unit"] == "um"
        assert page.tags["ResolutionUnit"].value == tifffile.RESUNIT.NONE
        for tag, expected in (("XResolution", across), ("YResolution", down)):
            pixels, micrometres = page.tags[tag].value
            assert micrometres / pixels == pytest.approx(expected, rel=1e-6)


def test_probability_without_pixel_size_claims_none(tmp_path):
    write_probability(tmp_path / "p.tif", np.zeros((4, 4), np.float32), None)
    with tifffile.TiffFile(tmp_path / "p.tif") as tiff:
        assert "unit" not in tiff.imagej_metadata


def test_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    write_mask(tmp_path / "m.png", GREY8 > 99)
    before = (tmp_path / "m.png").read_bytes()

    def interrupted(handle, *_arguments, **_options):
        handle.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(files.tifffile, "imwrite", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_probability(tmp_path / "m.png", np.zeros((4, 4), np.float32), None)
    assert [path.name for path in tmp_path.iterdir()] == ["m.png"]
    assert (tmp_path / "m.png").read_bytes() == before


def test_written_files_have_ordinary_permissions(tmp_path):
    write_mask(tmp_path / "m.png", GREY8 > 99)
    (tmp_path / "other").touch()
    assert (tmp_path / "m.png").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_unwritable_place_is_named(tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "m.png"
    assert f"{path}: cannot be written" in message(write_mask, path, GREY8 > 99)
