import re
from dataclasses import replace

import numpy as np
import pytest
from report_example import image, report

from grainseg.errors import GrainsegError
from grainseg.grains.batches.batch import batch_statistics
from grainseg.grains.fields.measure_field import measure_field
from grainseg.grains.fields.members import MemberRange, MemberSpread
from grainseg.micrograph.image import PixelSize
from grainseg.micrograph.plain.synthetic import SyntheticRecipe, generate
from grainseg.report.html.batch_views import summary_table
from grainseg.report.html.cells import MISSING, interval, number_text
from grainseg.report.html.contents import ReportImage
from grainseg.report.html.image_views import field_table, image_table, pixel_size_table, scale_bar
from grainseg.report.html.page import write_report
from grainseg.report.pictures.preview import make_preview

NASTY = '"><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'


def page(tmp_path, of):
    write_report(tmp_path / "report.html", of)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def example():
    return report({"A": ["a1", "a2"], "B": ["b1", "b2", "b3"]})


@pytest.fixture(scope="module")
def html(example, tmp_path_factory):
    """The page of the example; its plots are what takes time, so tests of one page share it."""
    return page(tmp_path_factory.mktemp("page"), example)


@pytest.mark.parametrize(
    ("value", "half", "places", "text"),
    [
        (12.3456, 0.567, None, "12.35"),
        (12.3456, 5.67, None, "12.3"),
        (12.3456, 56.7, None, "12.3"),
        (12345.6, 567.0, None, "12346"),
        (12.3456, np.nan, None, "12.3"),
        (0.000123456, np.nan, None, "0.000123"),
        (1.23456e-7, np.nan, None, "1.235e−07"),
        (8.126, np.nan, 2, "8.13"),
        (-0.5, np.nan, None, "−0.500"),
        (0.0, np.nan, None, "0"),
        (7, np.nan, None, "7"),
        (np.inf, np.nan, None, "∞"),
        (np.nan, np.nan, None, MISSING),
        (None, np.nan, None, MISSING),
    ],
)
def test_numbers_have_the_digits_that_their_uncertainty_leaves(value, half, places, text):
    assert number_text(value, half, places) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [(1.25, 2.0, "1.25 to 2.00"), (None, 2.0, "up to 2.00"), (1.25, None, "from 1.25"), (None, None, "–")],
)
def test_an_interval_may_have_one_end_only(low, high, text):
    parts = interval({"d50_low_um": low, "d50_high_um": high}, "d50", "um").parts
    assert "".join(part if isinstance(part, str) else part.text for part in parts) == text


@pytest.mark.parametrize(
    ("across", "text", "share"),
    [(100, "20 µm", 20), (25, "5 µm", 20), (8, "2 µm", 25), (7.9, "1 µm", 100 / 7.9)],
)
def test_scale_bar_is_a_round_length_of_at_most_a_quarter(across, text, share):
    assert scale_bar(across, "µm") == (text, pytest.approx(share))


def test_page_asks_nothing_of_the_network(html):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)[1]
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/=]{44}'", policy)
    addresses = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert all(each.startswith(("data:", "#")) for each in addresses)
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", html)


def test_names_cannot_act(tmp_path):
    example = replace(report({NASTY: [NASTY, "x"], "B": ["b1", "b2"]}), title=NASTY, flags=(NASTY,))

    html = page(tmp_path, example)

    assert html.count("<script>") == 1
    assert "onerror=&#34;" in html
    assert "<img src=x" not in html


def test_names_that_are_no_unicode_are_written(tmp_path):
    assert "a\\udcff\\x1b" in page(tmp_path, report({"A": ["a\udcff\x1b", "x"]}))


def test_sampling_is_never_alone(tmp_path, html):
    unknown = page(tmp_path, report({"A": ["a1", "a2"]}, segmentation=None))

    assert 'data-key="mean_intercept_sampling_low_um"' in html
    assert 'data-key="expanded_uncertainty_percent"' in html
    assert "incomplete: segmentation unknown" in unknown
    row = summary_table([report({"A": ["a1", "a2"]}, segmentation=None).batches[0].statistics], {}).lines[0]
    assert "incomplete: segmentation unknown" in str(row.cells[4].parts[0])


def test_intercept_stands_beside_that_without_closed_gaps(html):
    for key in ("mean_intercept_um", "mean_intercept_without_closed_um"):
        assert len(re.findall(f'data-key="{key}"', html)) >= 2 * (2 + 5)


def test_shares_of_closed_boundary_are_in_percent(example):
    first = example.images[0]
    tables = field_table([first]), image_table("A", first.field)
    parts = [part for table in tables for line in table.lines for cell in line.cells for part in cell.parts]
    shown = [part.text for part in parts if getattr(part, "key", "") == "closed_share"]
    assert shown == 2 * [f"{100 * first.field.closed_share:.1f}"]


def test_the_range_over_an_ensemble_s_networks_stands_with_each_image(example):
    unit_um = example.images[0].field.unit_um
    intercept, d50 = MemberRange(3.0, 4.0, 0.1), MemberRange(5.0, 7.0, 0.1)
    field = replace(example.images[0].field, members=MemberSpread(2, intercept, d50))
    shown = {
        part.key: float(part.value)
        for line in image_table("A", field).lines
        for cell in line.cells
        for part in cell.parts
        if "_members_" in getattr(part, "key", "")
    }
    assert shown == pytest.approx(
        {
            "mean_intercept_members_low_um": 3 * unit_um,
            "mean_intercept_members_high_um": 4 * unit_um,
            "d50_members_low_um": 5 * unit_um,
            "d50_members_high_um": 7 * unit_um,
        }
    )


def test_given_maps_say_that_closed_gaps_are_not_known(tmp_path):
    of = report({"A": ["a1", "a2"]})
    samples = [replace(sample, crossings_without_closed=None) for sample in of.batches[0].samples]
    statistics = batch_statistics("A", "µm", samples)

    html = page(tmp_path, replace(of, batches=(replace(of.batches[0], statistics=statistics),)))

    assert html.count("not known: the grain maps were given") == 2


def test_conformity_is_not_claimed_and_the_structure_stands(html, example):
    assert "computed with E112’s formulas" in html
    assert "No conformity to a standard is claimed" in html
    for sentence in (*example.structure.sentences, *example.structure.flags):
        assert sentence[1:] in html


def test_every_flag_is_said(tmp_path, example):
    html = page(tmp_path, replace(example, flags=("one image could not be read",)))

    assert "One image could not be read" in html
    for batch in example.batches:
        assert all(flag[1:] in html for flag in batch.statistics.flags)
    for each in example.images:
        assert all(flag[1:] in html for flag in each.field.flags)
    assert any(batch.statistics.flags for batch in example.batches)


def test_a_flag_of_many_images_is_said_once_with_their_names(tmp_path):
    of = report({"A": ["a1", "a2"]})
    images = [replace(each, field=replace(each.field, flags=("too dark",))) for each in of.images]

    html = page(tmp_path, replace(of, images=tuple(images)))

    assert html.count('Too dark <span class="places">') == 1
    assert '<a href="#image-0">a1</a>, <a href="#image-1">a2</a>' in html


def test_provenance_stands(html, example):
    said = example.provenance
    for text in (said.checkpoint, said.checkpoint_sha256, said.command, "partition: watershed", "a note"):
        assert text in html
    assert html.count(">given by the user<") == 5


def test_without_a_pixel_size_it_says_so_and_how_to_say_it(tmp_path):
    html = page(tmp_path, report({"A": ["a1", "a2"]}, pixel_size=None))

    assert "pixel_size_um=0.25" in html
    assert "Lengths in px, no G" in html
    assert 'data-unit-name="px"' in html
    assert not re.search(r'data-key="astm_g[^>]*data-value="[^"]', html)


def test_the_scale_bar_of_pixels_that_are_not_square_is_as_wide_as_their_columns(tmp_path):
    wide = report({"A": ["a1"]}, pixel_size=PixelSize(0.25, 0.5, "given by the user"))
    square = report({"A": ["a1"]}, pixel_size=PixelSize(0.5, 0.5, "given by the user"))
    bars = [re.findall(r'data-unit="([^"]*)"', page(tmp_path, each)) for each in (wide, square)]
    assert bars[0] == bars[1] == ["0.5"]


def test_pixels_stand_with_their_width_before_their_height(example):
    oblong = replace(example.images[0].field, pixel_size=PixelSize(row_um=0.25, column_um=0.5, source="said"))
    table = pixel_size_table([replace(example.images[0], field=oblong)])
    shown = {
        column.title: [part if isinstance(part, str) else float(part.value) for part in cell.parts]
        for column, cell in zip(table.columns, table.lines[0].cells, strict=True)
    }
    assert (shown["Pixel, x"], shown["Pixel, y"]) == ([0.5], [0.25])


def test_the_rose_of_a_batch_is_that_of_its_own_fields(html):
    roses = re.findall(r'<svg [^>]*aria-label="Mean intercept by direction.*?</svg>', html, re.DOTALL)
    assert [rose.count("stroke-opacity: 0.3;") for rose in roses] == [2, 3]  # a thin line for each field


def test_with_and_without_a_pixel_size_side_by_side(tmp_path):
    known = report({"A": ["a1", "a2"]})
    unknown = report({"B": ["b1", "b2"]}, pixel_size=None)
    both = replace(
        known, images=known.images + unknown.images, batches=known.batches + unknown.batches, comparisons=()
    )

    html = page(tmp_path, both)

    assert "A (in µm)" in html
    assert "B (in px)" in html
    assert "The pixel size is unknown for b1, b2" in html


def test_one_image_without_a_network(tmp_path):
    of = report({"A": ["a1"]})
    given = replace(
        of.provenance, source="label maps given", checkpoint=None, checkpoint_sha256=None, config=""
    )

    html = page(tmp_path, replace(of, provenance=given))

    assert "1 image in 1 batch<" in html
    assert "· 1 field, " in html
    assert "Checkpoint" not in html
    assert "Verdicts" not in html


@pytest.mark.parametrize("grains", [np.zeros((40, 40), np.uint32), np.full((40, 40), 3, np.uint32)])
def test_fields_with_nothing_to_measure(tmp_path, grains):
    of = report({"A": ["a1", "a2"]})
    field = measure_field("empty", grains, None)
    empty = ReportImage("A", field, make_preview(np.zeros(grains.shape, np.float32), grains), "empty.png")

    html = page(tmp_path, replace(of, images=(*of.images, empty)))

    assert field.flags[0][1:] in html


def test_a_page_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(GrainsegError, match="cannot be written"):
        write_report(tmp_path / "file" / "report.html", report({"A": ["a1"]}))


def large(images):
    """Images of 1024² with the noise and the grains of a real one, named like one batch."""
    one = generate(1, (1024, 1024), SyntheticRecipe(mean_grain_px=(46, 46)))
    measured = measure_field("x", one.grains, None)
    batch = replace(image(0, "a1", "A"), batch="A")
    made = []
    for number in range(images):
        turned = np.ascontiguousarray(np.roll(one.pixels, 97 * number, axis=1))
        grains = np.ascontiguousarray(np.roll(one.grains, 97 * number, axis=1)).astype(np.uint32)
        preview = make_preview(turned, grains, grains == 5, 50)
        made.append(replace(batch, field=replace(measured, image=f"f{number}"), preview=preview))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("images", [5, 50])
def test_fifty_images_stay_below_30_mb(tmp_path, images):
    few = report({"A": ["a1", "a2"]})
    size = len(page(tmp_path, few))

    growth = len(page(tmp_path, replace(few, images=(*few.images, *large(images))))) - size

    assert size + growth * 50 / images < 30e6
