"""Pieces of TIFF files that are larger inside than the file says."""

import imagecodecs
import numpy as np
import pytest
import tifffile
from sample_files import GREY8, SMOOTH, message, tiff_file

from grainseg.micrograph.files import read_mask_values, read_micrograph

ENCODERS = {
    "jpeg2000": lambda pixels: imagecodecs.jpeg2k_encode(pixels, level=0),
    "jp2": lambda pixels: imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="jp2"),
    "jpeg": imagecodecs.jpeg_encode,
    "png": imagecodecs.png_encode,
}


@pytest.mark.parametrize("name", ENCODERS)
def test_a_piece_is_not_larger_than_the_file_says(tmp_path, name):
    compression = "jpeg2000" if name == "jp2" else name
    options = {"compression": compression, "rowsperstrip": 64, "photometric": "minisblack"}
    for side, whole in ((64, True), (200, False)):
        code = ENCODERS[name](np.zeros((side, side), np.uint8))
        path = tmp_path / f"{side}.tif"
        tifffile.imwrite(path, iter([bytes(code)]), shape=(64, 64), dtype=np.uint8, **options)
        if whole:
            assert read_micrograph(path).shape == (64, 64)
        else:
            text = message(read_micrograph, path)
            assert "a piece of 64 × 64 px has 200 × 200 px inside: damaged" in text


@pytest.mark.parametrize("name", ["jpeg2000", "jpeg", "png"])
@pytest.mark.parametrize("cut", [{"rowsperstrip": 10}, {"tile": (16, 16)}])
def test_files_of_several_pieces_are_read(tmp_path, name, cut):
    path = tiff_file(tmp_path / "a.tif", SMOOTH, compression=name, **cut)
    assert np.abs(read_mask_values(path).astype(int) - SMOOTH).max() < 10


@pytest.mark.parametrize(
    ("sides", "whole"),
    [((24, 60), True), ((32, 60), True), ((33, 60), False), ((30, 40), False), ((20, 64), False)],
)
def test_strips_of_jpeg_may_be_as_high_as_whole_blocks(tmp_path, sides, whole):
    """Strips of 20 rows, of a picture of 24 × 60 px."""
    image = np.repeat(np.arange(24, dtype=np.uint8)[:, None] * 9, 60, axis=1)
    codes = []
    for first, rows in ((0, 20), (20, 4)):
        height, width = (sides[0], sides[1]) if first == 0 else (8, 60)
        padded = np.pad(image[first : first + rows], ((0, height - rows), (0, 4)), "edge")
        codes.append(bytes(imagecodecs.jpeg_encode(np.ascontiguousarray(padded[:, :width]))))
    path = tmp_path / "a.tif"
    options = {"compression": "jpeg", "rowsperstrip": 20, "photometric": "minisblack"}
    tifffile.imwrite(path, iter(codes), shape=image.shape, dtype=np.uint8, **options)
    if whole:
        assert np.abs(read_mask_values(path).astype(int) - image).max() < 12
    else:
        text = message(read_micrograph, path)
        assert f"a piece of 60 × 20 px has {sides[1]} × {sides[0]} px inside: damaged" in text


def test_a_piece_without_a_size_is_refused(tmp_path):
    path = tiff_file(tmp_path / "a.tif", SMOOTH, compression="png")
    path.write_bytes(path.read_bytes().replace(b"IHDR", b"IHDX"))
    assert "has no size inside" in message(read_micrograph, path)


def test_a_codec_whose_size_nobody_checks_is_refused(tmp_path):
    path = tiff_file(tmp_path / "a.tif", GREY8, compression="jpegxl")
    assert "JPEGXL" in message(read_micrograph, path)
    assert "save it with LZW, Deflate or without" in message(read_micrograph, path)
