"""Every tag that says a pixel size is read in its own unit; print resolutions and nonsense are not."""

import logging

import numpy as np
import pytest
import tifffile
from PIL import Image
from sample_files import pillow_file
from vendor_files import (
    HEIGHT,
    PICTURE,
    WIDTH,
    fei,
    fei_ion_beam,
    olympus_tiff,
    tagged_tiff,
    tescan,
    tescan_blocks,
    zeiss,
)

from grainseg.errors import GrainsegError
from grainseg.micrograph.files import read_micrograph, write_probability
from grainseg.micrograph.scale.calibration import read_calibration

FEI, SFEG, ZEISS, TESCAN, OLYMPUS = 34682, 34680, 34118, 50431, 33560


def expect(path, row_um, column_um=None, source=""):
    """The size, and nothing to note."""
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_um == pytest.approx((row_um, column_um or row_um), rel=1e-6)
    assert source in micrograph.pixel_size.source
    assert micrograph.warnings == ()
    np.testing.assert_array_equal(np.rint(micrograph.pixels * 255), PICTURE)


def expect_none(path):
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size is None
    assert micrograph.pixel_size_um is None
    return micrograph.warnings


@pytest.mark.parametrize("code", [FEI, SFEG])
def test_fei_is_in_metres(tmp_path, code):
    expect(tagged_tiff(tmp_path / "a.tif", (code, fei())), 0.25, source=f"FEI/Thermo tag {code}")
    expect(tagged_tiff(tmp_path / "b.tif", (code, fei(columns="9" * 5000))), 0.25)  # no width


def test_fei_of_a_tilted_specimen(tmp_path):
    expect(tagged_tiff(tmp_path / "a.tif", (FEI, fei("2e-007", "3e-007"))), 0.3, 0.2)


def test_fei_ion_beam_says_the_width_of_the_field(tmp_path):
    expect(tagged_tiff(tmp_path / "a.tif", (FEI, fei_ion_beam())), 9 / HEIGHT, 8 / WIDTH)


def test_fei_in_a_big_endian_file(tmp_path):
    expect(tagged_tiff(tmp_path / "a.tif", (FEI, fei()), byteorder=">", compression="zlib"), 0.25)


@pytest.mark.parametrize(
    ("value", "size_um"),
    [("250 nm", 0.25), ("0.25 µm", 0.25), ("0.25 um", 0.25), ("558200 pm", 0.5582), ("0.01 mm", 10.0)],
)
def test_zeiss_units(tmp_path, value, size_um):
    expect(tagged_tiff(tmp_path / "a.tif", (ZEISS, zeiss(value))), size_um, source="AP_IMAGE_PIXEL_SIZE")


def test_zeiss_in_utf8(tmp_path):
    expect(tagged_tiff(tmp_path / "a.tif", (ZEISS, zeiss("0.25 µm").encode())), 0.25)


def test_zeiss_display_pixel_is_never_taken(tmp_path):
    notes = expect_none(tagged_tiff(tmp_path / "a.tif", (ZEISS, zeiss(None, unnamed="0"))))
    assert "Zeiss" in notes[0]
    notes = expect_none(tagged_tiff(tmp_path / "b.tif", (ZEISS, "AP_PIXEL_SIZE\r\nPixel Size = 125 nm\r\n")))
    assert "no AP_IMAGE_PIXEL_SIZE" in notes[0]


@pytest.mark.parametrize("width", [WIDTH, None])
def test_zeiss_without_names_scales_the_pixel_of_1024_columns(tmp_path, width):
    path = tagged_tiff(tmp_path / "a.tif", (ZEISS, zeiss(None, width, unnamed="2.5e-007")))
    expect(path, 0.25 * 1024 / WIDTH, source="unnamed")


def test_zeiss_without_names_knows_the_width_before_a_resizing(tmp_path):
    path = tagged_tiff(tmp_path / "a.tif", (ZEISS, zeiss(None, 2 * WIDTH, unnamed="2.5e-007")))
    assert read_micrograph(path).pixel_size_um == pytest.approx((4.0, 4.0))


def test_tescan_is_in_metres_after_a_thumbnail(tmp_path):
    path = tagged_tiff(tmp_path / "a.tif", (TESCAN, tescan_blocks(tescan("2e-007", "3e-007"))))
    expect(path, 0.3, 0.2, source="Tescan")
    expect(tagged_tiff(tmp_path / "b.tif", (TESCAN, tescan() + "PixelSizeX=9e-7\r\n")), 0.25)


@pytest.mark.parametrize("exponent", [-6, -9])
def test_olympus(tmp_path, exponent):
    path = olympus_tiff(
        tmp_path / "a.tif", 0.2 * 10 ** (-6 - exponent), 0.3 * 10 ** (-6 - exponent), exponent
    )
    expect(path, 0.3, 0.2, source="Olympus")


@pytest.mark.parametrize(
    ("unit", "size_um"), [(None, 0.25), ("µm", 0.25), ("nm", 0.00025 * 4), ("mm", 250.0 / 10), ("Å", 0.001)]
)
def test_ome(tmp_path, unit, size_um):
    size = {None: 0.25, "µm": 0.25, "nm": 1.0, "mm": 0.025, "Å": 10.0}[unit]
    rows = {"PhysicalSizeY": 2 * size}
    if unit is not None:
        rows = {"PhysicalSizeXUnit": unit, "PhysicalSizeY": 2e-3 * size_um, "PhysicalSizeYUnit": "mm"}
    metadata = {"axes": "YX", "PhysicalSizeX": size, **rows}
    tifffile.imwrite(tmp_path / "a.ome.tif", PICTURE, ome=True, metadata=metadata)
    expect(tmp_path / "a.ome.tif", 2 * size_um, size_um, source="OME")


def test_ome_with_one_size_has_square_pixels(tmp_path):
    tifffile.imwrite(tmp_path / "a.ome.tif", PICTURE, ome=True, metadata={"axes": "YX", "PhysicalSizeX": 0.2})
    expect(tmp_path / "a.ome.tif", 0.2, 0.2, source="OME")


def test_ome_without_a_size_says_nothing(tmp_path):
    tifffile.imwrite(tmp_path / "a.ome.tif", PICTURE, ome=True)
    assert expect_none(tmp_path / "a.ome.tif") == ()


def test_ome_that_declares_entities_is_not_parsed(tmp_path):
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><OME><Pixels PhysicalSizeX="1"/></OME>'
    tifffile.imwrite(tmp_path / "a.tif", PICTURE, description=bomb, metadata=None)
    assert "entities" in expect_none(tmp_path / "a.tif")[0]


@pytest.mark.parametrize(
    ("unit", "size_um"),
    [
        ("um", 0.25),
        ("micron", 0.25),
        ("\\u00B5m", 0.25),
        ("µm", 0.25),
        ("nm", 0.00025 * 10),
        ("mm", 2.5),
        ("cm", 5),
    ],
)
def test_imagej(tmp_path, unit, size_um):
    um = {"nm": 1e-3, "mm": 1e3, "cm": 1e4}.get(unit, 1.0)
    description = f"ImageJ=1.54f\nunit={unit}\nyunit=mm\n"
    for resolution_unit in ("NONE", "CENTIMETER"):  # the latter means nothing beside ImageJ's own
        tifffile.imwrite(
            tmp_path / "a.tif",
            PICTURE,
            description=description.encode(),
            metadata=None,
            resolution=(um / size_um, 1e3 / (2 * size_um)),
            resolutionunit=resolution_unit,
        )
        expect(tmp_path / "a.tif", 2 * size_um, size_um, source="ImageJ")


def test_what_this_package_writes_is_read(tmp_path):
    write_probability(tmp_path / "p.tif", np.zeros((HEIGHT, WIDTH), np.float32), (0.5, 0.2))
    calibration = read_calibration(tmp_path / "p.tif", (HEIGHT, WIDTH))
    assert calibration.pixel_size.row_um == pytest.approx(0.5)
    assert calibration.pixel_size.column_um == pytest.approx(0.2)
    write_probability(tmp_path / "q.tif", np.zeros((HEIGHT, WIDTH), np.float32), None)
    assert read_calibration(tmp_path / "q.tif", (HEIGHT, WIDTH)).pixel_size is None


@pytest.mark.parametrize("unit", ["inch", "pixel", ""])
def test_imagej_units_that_are_no_scale(tmp_path, unit):
    options = {"resolution": (600, 600), "resolutionunit": "INCH" if unit == "inch" else "NONE"}
    description = f"ImageJ=1.54f\nunit={unit}\n"
    tifffile.imwrite(tmp_path / "a.tif", PICTURE, description=description, metadata=None, **options)
    assert expect_none(tmp_path / "a.tif") == ()
    notes = read_micrograph(tmp_path / "a.tif").notes
    assert ["600 dpi" in note for note in notes] == ([True] if unit == "inch" else [])


def test_unknown_units_are_warned_of(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", PICTURE, imagej=True, resolution=(4, 4), metadata={"unit": "furlong"}
    )
    assert "furlong" in expect_none(tmp_path / "a.tif")[0]


def test_centimetres_are_a_scale_to_be_confirmed(tmp_path):
    options = {"resolution": (40_000, 20_000), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(tmp_path / "a.tif", PICTURE, metadata=None, **options)
    micrograph = read_micrograph(tmp_path / "a.tif")
    assert micrograph.pixel_size_um == pytest.approx((0.5, 0.25))
    (warning,) = micrograph.warnings
    assert "by the TIFF resolution in centimetres alone" in warning
    assert warning.endswith("confirm it with pixel_size_um")
    assert read_micrograph(tmp_path / "a.tif", pixel_size_um=[0.5, 0.25]).warnings == ()


@pytest.mark.parametrize("dpi", [72, 96, 150, 300, 600, 720, 1000, 1200, 1440])
def test_print_resolutions_are_no_scale(tmp_path, dpi):
    inch = {"resolution": (dpi, dpi), "resolutionunit": "INCH"}
    tifffile.imwrite(tmp_path / "a.tif", PICTURE, metadata=None, **inch)
    centimetres = {"resolution": (dpi / 2.54, dpi / 2.54), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(tmp_path / "b.tif", PICTURE, metadata=None, **centimetres)
    pillow_file(tmp_path / "c.png", PICTURE, dpi=(dpi, dpi))
    pillow_file(tmp_path / "d.jpg", PICTURE, dpi=(dpi, dpi))
    pillow_file(tmp_path / "e.bmp", PICTURE, dpi=(dpi, dpi))
    pillow_file(tmp_path / "f.tif", PICTURE, dpi=(dpi, dpi))
    for path in sorted(tmp_path.iterdir()):
        assert expect_none(path) == ()
        (note,) = read_micrograph(path).notes
        assert "print setting" in note
        assert f"{dpi} dpi" in note or f"{dpi}.0" in note


def test_print_resolution_is_not_worth_a_note_beside_a_scale(tmp_path):
    inch = {"resolution": (72, 72), "resolutionunit": "INCH"}
    expect(tagged_tiff(tmp_path / "a.tif", (FEI, fei()), **inch), 0.25)


def test_absent_tags_say_nothing(tmp_path):
    assert expect_none(pillow_file(tmp_path / "a.png", PICTURE)) == ()
    assert expect_none(pillow_file(tmp_path / "b.tif", PICTURE)) == ()
    tifffile.imwrite(tmp_path / "c.tif", PICTURE, metadata=None)
    assert expect_none(tmp_path / "c.tif") == ()
    tifffile.imwrite(tmp_path / "d.tif", PICTURE, metadata=None, resolution=(1, 1), resolutionunit="INCH")
    assert expect_none(tmp_path / "d.tif") == read_micrograph(tmp_path / "d.tif").notes == ()


def test_priority_and_disagreement_in_one_file(tmp_path):
    options = {"resolution": (2, 2), "resolutionunit": "NONE", "description": "ImageJ=1.54f\nunit=um\n"}
    path = tagged_tiff(tmp_path / "a.tif", (FEI, fei()), **options)
    micrograph = read_micrograph(path)
    assert micrograph.pixel_size_um == pytest.approx((0.25, 0.25))
    (note,) = micrograph.warnings
    assert "FEI/Thermo" in note
    assert "ImageJ says 0.5" in note
    micrograph = read_micrograph(path, pixel_size_um=(0.5, 0.4))
    assert micrograph.pixel_size_um == (0.5, 0.4)
    assert micrograph.pixel_size.source == "given by the user"
    assert ["FEI" in note for note in micrograph.warnings] == [True, False]
    with pytest.raises(GrainsegError, match="pixel_size_um=0"):
        read_micrograph(path, pixel_size_um=0)


@pytest.mark.parametrize(
    "tag", [(FEI, fei(columns=2 * WIDTH)), (ZEISS, zeiss(width=2 * WIDTH))], ids=["fei", "zeiss"]
)
def test_a_tag_from_before_resizing_is_warned_of(tmp_path, tag):
    micrograph = read_micrograph(tagged_tiff(tmp_path / "a.tif", tag))
    (note,) = micrograph.warnings
    assert f"{2 * WIDTH} px wide" in note
    assert f"has {WIDTH}" in note


@pytest.mark.parametrize("size", ["0", "-2.5e-7", "nan", "inf", "1", "1e-12"])
def test_absurd_values_in_a_tag_are_ignored_with_a_note(tmp_path, size):
    for number, tag in enumerate(
        [(FEI, fei(size, size)), (TESCAN, tescan(size, size)), (ZEISS, zeiss(f"{size} m"))]
    ):
        (note,) = expect_none(tagged_tiff(tmp_path / f"{number}.tif", tag))
        assert "ignored" in note
        assert "tag" in note


@pytest.mark.parametrize("values", [(0, 0), (0, 1), (1, 0)])
def test_resolution_of_zero(tmp_path, values):
    tifffile.imwrite(
        tmp_path / "a.tif", PICTURE, metadata=None, resolution=(9, 9), resolutionunit="CENTIMETER"
    )
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        tiff.pages[0].tags[282].overwrite(values)
    expect_none(tmp_path / "a.tif")


SEEDS = {
    FEI: fei().encode(),
    SFEG: fei_ion_beam().encode(),
    ZEISS: zeiss().encode(),
    TESCAN: tescan_blocks(tescan()),
    OLYMPUS: b"SIS0" + bytes(54) + b"\x05\x00" + bytes(range(200)),
    33471: b"[Dimension]\nX=3\n",
    270: b"ImageJ=1.54f\nunit=um\n",
}


@pytest.mark.parametrize("code", SEEDS)
def test_random_bytes_in_a_tag_never_raise(tmp_path, code, caplog):
    caplog.set_level(logging.CRITICAL)
    generator = np.random.default_rng(code)
    for trial in range(60):
        if trial % 2:
            damaged = bytearray(SEEDS[code])
            for _ in range(generator.integers(1, 6)):
                damaged[generator.integers(len(damaged))] = generator.integers(256)
        else:
            damaged = bytearray(generator.integers(0, 256, generator.integers(5, 400)).astype(np.uint8))
        path = tagged_tiff(tmp_path / "a.tif", (code, bytes(damaged)))
        micrograph = read_micrograph(path, crop="auto")
        assert micrograph.shape[1] == WIDTH
        assert all(note.isprintable() for note in micrograph.warnings)


@pytest.mark.parametrize(
    "text", ["\n" * 300_000, "[" * 300_000, "=" * 300_000, "A\n" * 150_000, "PixelSizeX=" * 30_000]
)
def test_long_nonsense_takes_no_time(tmp_path, text):
    for code in (FEI, ZEISS, TESCAN):
        assert len(expect_none(tagged_tiff(tmp_path / "a.tif", (code, text)))) == 1


def test_damaged_directories_give_a_picture_or_one_line(tmp_path, caplog):
    caplog.set_level(logging.CRITICAL)
    path = tagged_tiff(tmp_path / "a.tif", (FEI, fei()), (ZEISS, zeiss()), (TESCAN, tescan()))
    content = path.read_bytes()
    generator = np.random.default_rng(1)
    refusals = []
    for _ in range(150):
        damaged = bytearray(content)
        damaged[generator.integers(0, 400)] = generator.integers(0, 256)
        path.write_bytes(damaged)
        try:
            read_micrograph(path, max_megapixels=1)
        except GrainsegError as error:
            refusals.append(str(error))
    assert all(refusal.startswith(f"{path}: ") for refusal in refusals)


def test_a_file_that_is_gone_has_no_calibration(tmp_path):
    calibration = read_calibration(tmp_path / "absent.tif", (3, 3))
    assert calibration.pixel_size is None
    assert len(calibration.warnings) == 1


def test_damaged_png_resolution(tmp_path):
    image = Image.fromarray(PICTURE)
    image.save(tmp_path / "a.png", dpi=(0.001, 0.001))
    assert expect_none(tmp_path / "a.png") == ()
