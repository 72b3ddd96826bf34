import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from report_example import fields_of, report

from grainseg.grains.batches.batch import batch_statistics
from grainseg.grains.batches.samples import FieldSample
from grainseg.grains.fields.measure_field import measure_field
from grainseg.micrograph.image import PixelSize
from grainseg.report.html import plots
from grainseg.report.html.plots import (
    PooledSizes,
    _curve,
    _directions,
    _g_axis,
    _rose_line,
    _together,
    batches_plot,
    cumulative_plot,
    intercept_rose,
    pooled_sizes,
    size_distribution,
)

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def example():
    return report({"A": ["a1", "a2"], "B": ["b1", "b2", "b3"]})


@pytest.fixture(scope="module")
def svgs(example):
    return drawn(example)


def texts(svg):
    return ["".join(node.itertext()) for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def curves(svg):
    """Lines within the axes, in the colour of the first batch; keys of a legend are no curves."""
    paths = [node.attrib for node in ElementTree.fromstring(svg).iter(f"{SVG}path")]
    return sum(
        "clip-path" in path and "stroke: #0072b2" in path["style"] and path["d"] != "" for path in paths
    )


def drawn(example):
    statistics = [batch.statistics for batch in example.batches]
    samples = {batch.statistics.name: batch.samples for batch in example.batches}
    sizes = {name: pooled_sizes(each) for name, each in samples.items()}
    return [
        batches_plot(statistics, samples, "batches"),
        size_distribution(statistics[0], sizes["A"], "#0072b2", "sizes"),
        cumulative_plot(statistics, sizes, "cumulative"),
        intercept_rose(fields_of(example)["A"], "µm", "#0072b2", "rose"),
    ]


def test_plots_say_what_they_show_in_text(svgs):
    batches, sizes, cumulative, rose = (texts(svg) for svg in svgs)

    assert {"A", "B", "mean lineal intercept, µm"} <= set(batches)
    assert any(text.startswith("G ") for text in batches)
    assert {"log-normal fit", "by area", "D10", "D50", "D90"} <= set(sizes)
    assert {"A", "B", "by number", "by area"} <= set(cumulative)
    assert {"0°", "90°", "mean intercept by direction, µm"} <= set(rose)


def test_wide_intervals_leave_an_axis_of_g(example):
    """Two fields that differ have an interval whose margin would reach below 0, where there is no G."""
    statistics = [batch.statistics for batch in example.batches]
    wide = [
        replace(
            each,
            intercept=replace(each.intercept, low=each.intercept.value / 5, high=5 * each.intercept.value),
        )
        for each in statistics
    ]
    found = texts(batches_plot(wide, {}, "batches"))
    marks = [float(text[2:].replace("\N{MINUS SIGN}", "-")) for text in found if text.startswith("G ")]
    assert len(marks) >= 3
    assert sum(text == "0" for text in found) <= 1  # no second axis of lengths


def test_the_rose_stands_at_the_true_angles_of_oblong_pixels():
    """Grains on average as wide as high: a circle, with the pixel's diagonals at 63.4° and 116.6°."""
    grains = np.random.default_rng(0).integers(1, 50, (40, 80)).repeat(6, axis=0).repeat(12, axis=1)
    field = measure_field("a", grains, PixelSize(1.0, 0.5, "given by the user"))
    square = measure_field("b", grains, PixelSize(0.5, 0.5, "given by the user"))

    rose = _together([_directions(field, "µm"), _directions(square, "µm")])

    assert list(rose) == [0.0, 45.0, 63.4, 90.0, 116.6, 135.0]
    assert rose[63.4] == (field.lines[1].length * 0.5, field.lines[1].crossings)
    assert rose[0.0][1] == field.lines[0].crossings + square.lines[0].crossings
    assert "<svg" in intercept_rose([field, square], "µm", "#0072b2", "rose")


def test_g_stands_where_its_intercept_is():
    """ASTM E112: 320 µm is G 0, and half as much is 2 more."""
    axes = Figure().add_subplot()
    axes.set_xlim(4.9, 21)
    _g_axis(axes)
    (above,) = axes.child_axes
    marks = {above.xaxis.get_major_formatter()(um, 0): um for um in above.xaxis.get_major_locator()()}
    assert marks == pytest.approx({"G 8": 20, "G 9": 10 * 2**0.5, "G 10": 10, "G 11": 50**0.5, "G 12": 5})


def test_a_rose_goes_once_around_and_closes():
    axes = Figure().add_subplot(projection="polar")
    _rose_line(axes, {0.0: (100.0, 10.0), 90.0: (100.0, 5.0)}, "#0072b2", 1.0, 1.0)
    angles, means = axes.lines[0].get_data()
    assert np.degrees(angles) == pytest.approx([0, 90, 180, 270, 360])
    assert list(means) == [10, 20, 10, 20, 10]


def test_the_thin_bar_is_the_whole_budget_about_the_mean_intercept(example, monkeypatch):
    monkeypatch.setattr(plots, "svg_of", lambda figure, *_: figure)
    statistics = example.batches[0].statistics
    left, _ = batches_plot([statistics], {}, "batches").axes
    (bar,) = (line for line in left.lines if line.get_marker() == "|")
    value, factor = statistics.intercept.value, math.exp(statistics.budget.expanded)
    assert list(bar.get_xdata()) == pytest.approx([value / factor, value * factor])


def test_ids_are_stable_and_unique_on_the_page(example, svgs):
    before = dict(mpl.rcParams)
    assert drawn(example) == svgs
    assert dict(mpl.rcParams) == before  # matplotlib's settings stay as they were
    ids = [name for svg in svgs for name in re.findall(r'\bid="([^"]+)"', svg)]
    assert len(ids) == len(set(ids))
    for svg in svgs:
        targets = re.findall(r'(?:url\(|href=")#([^")]+)', svg)
        assert targets
        assert set(targets) <= set(ids)


def test_plots_bring_no_style_for_the_whole_page_and_no_date(svgs):
    for svg in svgs:
        assert svg.startswith("<svg ")
        assert not re.search(r"<style|<metadata|<script|<!--|font-family|http(?!://www\.w3\.org/)", svg)
        assert 'role="img"' in svg


@pytest.mark.parametrize("name", ["<script>1</script>", "$\\foo$", "鋼 試料", "a\x00b\udcff", "x" * 300])
def test_any_name_can_be_drawn(example, name):
    batch = example.batches[0]
    statistics = replace(batch.statistics, name=name)

    svg = batches_plot([statistics], {name: batch.samples}, "batches")

    assert "<script" not in svg
    assert max(map(len, texts(svg))) < 40
    size_distribution(statistics, pooled_sizes(batch.samples), "#0072b2", "sizes")


def test_what_could_not_be_measured_leaves_plots_empty():
    nothing = FieldSample("f", 100.0, 0.0, 0.0, np.empty(0), np.empty(0))
    statistics = batch_statistics("empty", "px", [nothing])
    sizes = pooled_sizes([nothing])

    everyone = batches_plot([statistics], {"empty": [nothing]}, "batches")
    assert not any(text.startswith("G ") for text in texts(everyone))
    assert curves(size_distribution(statistics, sizes, "#0072b2", "sizes")) == 0
    assert curves(cumulative_plot([statistics], {"empty": sizes}, "cumulative")) == 0


@pytest.mark.parametrize("diameters", [[3.0], [3.0, 3.0, 3.0], [1e-3, 1e3]])
def test_few_and_equal_grains(diameters):
    sample = FieldSample("f", 100.0, 10.0, 10.0, np.array(diameters), np.ones(len(diameters)))
    statistics = batch_statistics("few", "µm", [sample])

    sizes = size_distribution(statistics, pooled_sizes([sample]), "#0072b2", "sizes")
    assert curves(sizes) == (0 if len(diameters) == 1 else 2 if len(set(diameters)) == 1 else 3)
    assert curves(cumulative_plot([statistics], {"few": pooled_sizes([sample])}, "cumulative")) == 2


def test_grains_are_pooled_in_order_with_their_weights():
    samples = [
        FieldSample("a", 1.0, 1.0, 1.0, np.array([3.0, 1.0]), np.array([1.0, 2.0])),
        FieldSample("b", 1.0, 1.0, 1.0, np.array([2.0]), np.array([5.0])),
    ]

    sizes = pooled_sizes(samples)

    assert sizes.diameters.tolist() == [1, 2, 3]
    assert sizes.weights.tolist() == [2, 5, 1]
    assert pooled_sizes([]).diameters.size == 0


def test_many_grains_do_not_make_a_large_plot(example):
    diameters = np.sort(np.random.default_rng(0).lognormal(3, 0.4, 100_000))
    sizes = PooledSizes(diameters, np.ones(diameters.size))

    assert len(cumulative_plot([example.batches[0].statistics], {"A": sizes}, "cumulative")) < 60_000


def test_uncertainty_that_is_incomplete_is_said(example):
    unknown = report({"A": ["a1", "a2"]}, segmentation=None).batches[0]

    assert "uncertainty incomplete" in texts(
        batches_plot([unknown.statistics], {"A": unknown.samples}, "batches")
    )
    known = example.batches[0]
    assert not math.isnan(known.statistics.budget.combined_ln)
    assert "uncertainty incomplete" not in texts(
        batches_plot([known.statistics], {"A": known.samples}, "batches")
    )


def test_curves_count_grains_by_weight_and_by_area():
    """Two grains of diameters 1 and 2 and weights 3 and 1: 75 % of the number, 3/7 of the area."""
    sizes = PooledSizes(np.array([1.0, 2.0]), np.array([3.0, 1.0]))
    assert _curve(sizes, 0)[1] == pytest.approx([75, 100])
    assert _curve(sizes, 2)[1] == pytest.approx([100 * 3 / 7, 100])
