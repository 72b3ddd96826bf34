"""Data bars and other margins are cut from pictures and masks alike."""

import numpy as np
import pytest
from sample_files import message, pillow_file
from vendor_files import HEIGHT, PICTURE, WIDTH, fei, jeol, tagged_tiff, tescan, tescan_blocks, zeiss

from grainseg.errors import GrainsegError
from grainseg.micrograph.crop import NO_CROP, Crop
from grainseg.micrograph.files import read_micrograph

BAR = 5
SIDES = [Crop(1, 2, 3, 4), Crop(bottom=5), Crop(top=HEIGHT - 1), Crop(left=WIDTH - 2, right=1)]


@pytest.mark.parametrize("crop", SIDES, ids=str)
@pytest.mark.parametrize("channels", [(), (3,)])
def test_crop_keeps_what_lies_between(tmp_path, crop, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, *channels)).astype(np.uint8)
    expected = pixels[crop.top : HEIGHT - crop.bottom, crop.left : WIDTH - crop.right]
    micrograph = read_micrograph(pillow_file(tmp_path / "a.png", pixels), crop=crop)
    np.testing.assert_array_equal(np.rint(micrograph.pixels * 255), expected)
    assert micrograph.crop == crop
    assert micrograph.shape == expected.shape[:2]
    assert [str(crop) in note for note in micrograph.notes] == [True]
    mask = micrograph.crop.apply(pixels, tmp_path)
    np.testing.assert_array_equal(mask, expected)
    assert mask.dtype == np.uint8
    assert mask.flags.c_contiguous
    assert mask.base is None
    assert micrograph.crop.uncut(micrograph.shape) == (HEIGHT, WIDTH)


def test_no_crop_changes_and_says_nothing(tmp_path):
    path = pillow_file(tmp_path / "a.png", PICTURE)
    for crop in (None, NO_CROP, Crop(0, 0, 0, 0)):
        micrograph = read_micrograph(path, crop=crop)
        assert micrograph.crop == NO_CROP
        assert micrograph.notes == ()
        assert micrograph.shape == (HEIGHT, WIDTH)
    assert NO_CROP.apply(PICTURE, path) is PICTURE


def test_an_automatic_crop_cuts_nothing_where_no_tag_tells_of_a_bar(tmp_path):
    path = pillow_file(tmp_path / "a.png", PICTURE)
    for side in (None, '{"pixel_size_um": 0.25}'):  # no microscope wrote the latter
        if side is not None:
            path.with_suffix(".json").write_text(side)
        micrograph = read_micrograph(path, crop="auto")
        assert (micrograph.crop, micrograph.notes) == (NO_CROP, ())


def test_a_microscope_that_does_not_say_where_its_bar_is_gets_a_note(tmp_path):
    micrograph = read_micrograph(tagged_tiff(tmp_path / "a.tif", (34118, zeiss())), crop="auto")
    assert micrograph.crop == NO_CROP
    (note,) = micrograph.notes
    assert "Zeiss" in note
    assert "crop=[0,60,0,0]" in note


@pytest.mark.parametrize(
    "crop", [Crop(top=HEIGHT), Crop(12, 12), Crop(left=WIDTH), Crop(right=10**9), Crop(0, 0, 16, 16)]
)
def test_a_crop_that_leaves_nothing_is_refused(tmp_path, crop):
    path = pillow_file(tmp_path / "a.png", PICTURE)
    with pytest.raises(GrainsegError, match="crop=") as caught:
        read_micrograph(path, crop=crop)
    assert str(path) in str(caught.value)
    assert f"{WIDTH} × {HEIGHT}" in str(caught.value)


@pytest.mark.parametrize("bad", [-1, 1.5, "3", None, True])
def test_a_crop_counts_pixels(bad):
    assert message(Crop, 0, bad).startswith("crop: bottom=")


def with_bar():
    return np.concatenate([PICTURE, np.zeros((BAR, WIDTH), np.uint8)])


FROM_TAGS = {
    "fei": (34682, fei()),
    "tescan": (50431, tescan_blocks(tescan(strip=BAR))),
}


@pytest.mark.parametrize("vendor", [*FROM_TAGS, "jeol"])
def test_auto_cuts_the_bar_that_a_microscope_knows(tmp_path, vendor):
    path = tmp_path / "a.tif"
    tags = [FROM_TAGS[vendor]] if vendor in FROM_TAGS else []
    tagged_tiff(path, *tags, picture=with_bar())
    if not tags:
        path.with_suffix(".txt").write_text(jeol())
    micrograph = read_micrograph(path, crop="auto")
    np.testing.assert_array_equal(np.rint(micrograph.pixels * 255), PICTURE)
    assert micrograph.crop == Crop(bottom=BAR)
    (note,) = micrograph.notes
    assert f"last {BAR} rows" in note
    assert vendor in note.lower()


def test_a_bar_that_is_not_cut_is_warned_of(tmp_path):
    path = tagged_tiff(tmp_path / "a.tif", FROM_TAGS["fei"], picture=with_bar())
    micrograph = read_micrograph(path)
    assert micrograph.shape == (HEIGHT + BAR, WIDTH)
    assert "crop=auto" in micrograph.warnings[0]
    assert len(read_micrograph(path, crop=Crop(bottom=BAR - 1)).warnings) == 1
    assert read_micrograph(path, crop=Crop(bottom=BAR)).warnings == ()


@pytest.mark.parametrize(
    "tag",
    [
        (34682, fei(columns=2 * WIDTH, rows=HEIGHT - BAR)),  # resized or cropped since
        (34682, fei(rows=2 * HEIGHT)),
        (34682, fei(rows=3)),  # a bar as high as the picture is none
        (34682, fei(rows=0)),
        (34682, fei(rows="inf")),
        (50431, tescan(strip=HEIGHT - 2)),
        (50431, tescan(strip=-3)),
        (34118, zeiss()),  # drawn into the picture, and no tag says where
    ],
)
def test_auto_cuts_nothing_where_nobody_knows(tmp_path, tag):
    micrograph = read_micrograph(tagged_tiff(tmp_path / "a.tif", tag), crop="auto")
    assert micrograph.crop == NO_CROP
    assert micrograph.shape == (HEIGHT, WIDTH)


def test_the_pixel_size_survives_a_crop(tmp_path):
    path = tagged_tiff(tmp_path / "a.tif", FROM_TAGS["fei"], picture=with_bar())
    assert read_micrograph(path, crop=Crop(1, BAR, 2, 3)).pixel_size_um == pytest.approx((0.25, 0.25))
