"""The plots of a report."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter
from scipy.stats import norm

from grainseg.grains.batches.batch import BatchStatistics
from grainseg.grains.batches.samples import Estimate, FieldSample, weighted_moments
from grainseg.grains.fields.measurement import FieldMeasurement
from grainseg.micrograph.arrays import Floats
from grainseg.report.html.svg import INK, QUIET, RULE, plot_style, short_name, svg_of

BATCH_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555")
"""Colours of Okabe and Ito 2008, without the yellow, which is too light for lines on white, and with dark
grey in place of black."""

_CURVE_POINTS = 400
"""Most points of a curve: enough for the eye; a curve through each of 10⁵ grains would take megabytes."""

_Rose = Mapping[float, tuple[float, float]]
"""Total length of the test lines and their number of crossings, by the angle of the lines in degrees."""


@dataclass(frozen=True)
class PooledSizes:
    """The grains of a batch, pooled over its fields.

    Attributes:
        diameters: Equivalent circular diameters in µm or px, positive.
        weights: Sampling weights of the same grains.
    """

    diameters: Floats
    weights: Floats


def pooled_sizes(samples: Sequence[FieldSample]) -> PooledSizes:
    """The grains of several fields together, the smallest first; those of size or weight 0 are left out."""
    diameters = np.concatenate([np.asarray(s.diameters, np.float64) for s in samples] or [np.empty(0)])
    weights = np.concatenate([np.asarray(s.weights, np.float64) for s in samples] or [np.empty(0)])
    order = np.argsort(diameters, kind="stable")
    order = order[(diameters[order] > 0) & (weights[order] > 0)]
    return PooledSizes(diameters[order], weights[order])


def batches_plot(
    batches: Sequence[BatchStatistics], samples: Mapping[str, Sequence[FieldSample]], name: str
) -> str:
    """Mean intercept and median diameter of the batches side by side, with their intervals.

    Thick bars: 95 % interval of the scatter between fields or specimens. Thin bars with caps: expanded
    interval of the whole uncertainty budget, where it is complete. Small dots: single fields. An axis of G
    stands above the mean intercept where lengths are in µm.

    Args:
        batches: At least one, all in one unit.
        samples: The fields of each batch.
        name: Prefix of the ids in the SVG.

    Returns:
        An ``<svg>`` element.
    """
    with plot_style():
        figure = Figure(figsize=(9.6, 1.15 + 0.42 * len(batches)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for row, batch in enumerate(batches):
            colour = BATCH_COLOURS[row % len(BATCH_COLOURS)]
            fields = [s.line_length / s.crossings for s in samples.get(batch.name, ()) if s.crossings > 0]
            left.plot(fields, [row + 0.27] * len(fields), ".", color=colour, alpha=0.45, markersize=5)
            _interval(left, row, batch.intercept, colour)
            if batch.budget.expanded is not None:
                factor = math.exp(batch.budget.expanded)
                ends = [batch.intercept.value / factor, batch.intercept.value * factor]
                left.plot(ends, [row, row], "|-", color=colour, linewidth=0.9, markersize=8)
            else:
                left.annotate(
                    "uncertainty incomplete",
                    (batch.intercept.value, row),
                    xytext=(0, 7),
                    textcoords="offset points",
                    ha="center",
                    fontsize=7.5,
                    color=QUIET,
                )
            _interval(right, row, batch.d50, colour)
        unit = batches[0].unit
        left.set_xlabel(f"mean lineal intercept, {unit}")
        right.set_xlabel(f"median diameter D50 (by number), {unit}")
        left.set_yticks(range(len(batches)), [short_name(batch.name, 26) for batch in batches])
        left.set_ylim(len(batches) - 0.45, -0.55)
        for axes in (left, right):
            axes.grid(axis="x")
            axes.tick_params(axis="y", length=0)
            axes.spines["left"].set_visible(False)
            axes.margins(x=0.08)
            _keep_positive(axes)
        if unit == "µm":
            _g_axis(left)
        return svg_of(
            figure, name, "Mean intercept and median diameter of the batches with 95 % sampling intervals"
        )


def size_distribution(batch: BatchStatistics, sizes: PooledSizes, colour: str, name: str) -> str:
    """Histogram and cumulative distribution of the grain diameters, with the log-normal fit.

    Args:
        batch: The batch, for its log-normal fit and its D10, D50 and D90.
        sizes: Grains of the batch.
        colour: Colour of the batch.
        name: Prefix of the ids in the SVG.

    Returns:
        An ``<svg>`` element.
    """
    with plot_style():
        figure = Figure(figsize=(8.4, 2.9), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.set_ylabel("share of grains, %")
        right.set_ylabel("cumulative share, %")
        if sizes.diameters.size > 1:
            _histogram(left, batch, sizes, colour)
            _cumulative(right, batch, sizes, colour)
        for axes in (left, right):
            axes.set_xlabel(f"equivalent circular diameter, {batch.unit}")
            axes.set_ylim(bottom=0)
        return svg_of(figure, name, f"Grain size distribution of {batch.name}")


def cumulative_plot(batches: Sequence[BatchStatistics], sizes: Mapping[str, PooledSizes], name: str) -> str:
    """Cumulative distributions of several batches in one plot, by number and by area.

    Args:
        batches: At least one, all in one unit.
        sizes: Grains of each batch, by its name.
        name: Prefix of the ids in the SVG.

    Returns:
        An ``<svg>`` element.
    """
    with plot_style():
        figure = Figure(figsize=(9.6, 3.0), layout="constrained")
        both = figure.subplots(1, 2, sharey=True)
        for axes, title, power in zip(both, ("by number", "by area"), (0, 2), strict=True):
            for row, batch in enumerate(batches):
                diameters, share = _curve(sizes[batch.name], power)
                colour = BATCH_COLOURS[row % len(BATCH_COLOURS)]
                axes.plot(diameters, share, color=colour, linewidth=1.4, label=short_name(batch.name, 22))
            _log_axis(axes)
            axes.set_title(title)
            axes.set_ylim(0, 100)
            axes.grid(axis="both")
            axes.set_xlabel(f"equivalent circular diameter, {batches[0].unit}")
        both[0].set_ylabel("cumulative share, %")
        both[0].legend(loc="upper left", handlelength=1.4)
        return svg_of(figure, name, "Cumulative grain size distributions of the batches")


def intercept_rose(fields: Sequence[FieldMeasurement], unit: str, colour: str, name: str) -> str:
    """Mean intercept by direction of test line: each field thin, all fields together bold.

    A circle means that no direction differs. The image's horizontal is 0°, and angles rise counter-clockwise.
    Where pixels are not square, the diagonals are drawn at their true angle.

    Args:
        fields: At least one.
        unit: "µm" or "px".
        colour: Colour of the batch.
        name: Prefix of the ids in the SVG.

    Returns:
        An ``<svg>`` element.
    """
    with plot_style():
        figure = Figure(figsize=(2.9, 2.9), layout="constrained")
        axes: Any = figure.add_subplot(projection="polar")  # matplotlib's types do not know polar axes
        scaled = [_directions(field, unit) for field in fields if unit == "px" or field.unit_um is not None]
        for directions in scaled:
            _rose_line(axes, directions, colour, 0.7, 0.3)
        if scaled:
            _rose_line(axes, _together(scaled), colour, 1.8, 1.0)
        axes.set_ylim(bottom=0)
        axes.set_thetagrids(range(0, 360, 45), [f"{angle}°" for angle in range(0, 360, 45)])
        axes.set_rlabel_position(22.5)
        axes.tick_params(labelsize=8)
        axes.yaxis.get_major_locator().base.set_params(nbins=3)
        axes.spines["polar"].set_color(RULE)
        axes.set_title(f"mean intercept by direction, {unit}", loc="center", fontweight="normal")
        return svg_of(figure, name, "Mean intercept by direction of the test lines")


def _directions(field: FieldMeasurement, unit: str) -> _Rose:
    """Length of the test lines in the unit, and crossings, by the lines' angle to a tenth of a degree."""
    scale = field.unit_um if unit == "µm" and field.unit_um is not None else 1.0
    angles = field.angles_deg
    return {round(angles[lines.name], 1): (lines.length * scale, lines.crossings) for lines in field.lines}


def _together(roses: Sequence[_Rose]) -> _Rose:
    """Sums over the fields by angle; diagonals of pixels of different shapes have different angles."""
    return {
        angle: (
            sum(rose[angle][0] for rose in roses if angle in rose),
            sum(rose[angle][1] for rose in roses if angle in rose),
        )
        for angle in sorted({angle for rose in roses for angle in rose})
    }


def _rose_line(axes: Any, rose: _Rose, colour: str, width: float, alpha: float) -> None:
    """Draw the measured half turn, and again turned by 180°, since a line has no sense of direction."""
    half = [
        (angle, length / crossings if crossings > 0 else math.nan)
        for angle, (length, crossings) in rose.items()
    ]
    whole = [*half, *((angle + 180, mean) for angle, mean in half), (half[0][0] + 360, half[0][1])]
    angles = np.radians([angle for angle, _ in whole])
    axes.plot(angles, [mean for _, mean in whole], color=colour, linewidth=width, alpha=alpha)


def _interval(axes: Axes, row: int, estimate: Estimate, colour: str) -> None:
    if not math.isfinite(estimate.value):
        return
    if math.isfinite(estimate.low + estimate.high):
        axes.plot(
            [estimate.low, estimate.high], [row, row], color=colour, linewidth=5, alpha=0.35,
            solid_capstyle="butt",
        )  # fmt: skip
    axes.plot([estimate.value], [row], "o", color=colour, markersize=5.5)


def _keep_positive(axes: Axes) -> None:
    """Keep the margin of a wide interval above 0: there are no sizes below, and no G."""
    least = axes.dataLim.x0
    if math.isfinite(least) and least > 0:
        axes.set_xlim(left=max(axes.get_xlim()[0], least / 2))


def _g_axis(axes: Axes) -> None:
    """Add an axis of G = 2·log2(320 µm/ℓ̄) above one of mean intercepts.

    The formula is that of ASTM E112, as in public literature.
    """
    low, high = axes.get_xlim()
    if low <= 0:  # nothing was measured
        return
    above = axes.secondary_xaxis("top")
    finest, coarsest = 2 * math.log2(320 / low), 2 * math.log2(320 / high)
    step = next(step for step in (0.1, 0.2, 0.5, 1, 2, 5) if (finest - coarsest) / step <= 6 or step == 5)
    marks = np.arange(math.ceil(coarsest / step), math.floor(finest / step) + 1) * step
    above.xaxis.set_major_locator(FixedLocator([320 / 2 ** (mark / 2) for mark in marks]))
    above.xaxis.set_minor_locator(FixedLocator([]))
    above.xaxis.set_major_formatter(FuncFormatter(lambda um, _: f"G {2 * math.log2(320 / um):.3g}"))


def _histogram(axes: Axes, batch: BatchStatistics, sizes: PooledSizes, colour: str) -> None:
    """Draw bins of equal width in ln d, about as wide as Scott 1979 advises, and the fit's share of each."""
    logs = np.log(sizes.diameters)
    total = sizes.weights.sum()
    _, spread = weighted_moments(logs, sizes.weights)
    span = max(float(logs[-1] - logs[0]), 1e-6)
    width = 3.49 * spread / logs.size ** (1 / 3)
    bins = int(np.clip(span / width if width > 0 else 1, 6, 40))
    shares, edges = np.histogram(logs, bins, weights=sizes.weights)
    axes.bar(
        np.exp(edges[:-1]), 100 * shares / total, np.diff(np.exp(edges)), align="edge", color=colour,
        alpha=0.3, edgecolor="white", linewidth=0.5,
    )  # fmt: skip
    if batch.lognormal_sd_ln > 0:
        at = np.linspace(edges[0], edges[-1], 160)
        density = norm.pdf(at, batch.lognormal_mean_ln, batch.lognormal_sd_ln)
        axes.plot(np.exp(at), 100 * (edges[1] - edges[0]) * density, color=colour, linewidth=1.5)
        axes.plot([], [], color=colour, linewidth=1.5, label="log-normal fit")
    for estimate, label in ((batch.d10, "D10"), (batch.d50, "D50"), (batch.d90, "D90")):
        if math.isfinite(estimate.value):
            axes.axvline(estimate.value, color=QUIET, linewidth=0.8, linestyle=(0, (3, 2)))
            axes.annotate(
                label, (estimate.value, 1), xycoords=("data", "axes fraction"), xytext=(2, -1),
                textcoords="offset points", fontsize=8, color=QUIET, va="top",
            )  # fmt: skip
    axes.margins(y=0.15)
    _log_axis(axes)


def _cumulative(axes: Axes, batch: BatchStatistics, sizes: PooledSizes, colour: str) -> None:
    axes.plot(*_curve(sizes, 0), color=colour, linewidth=1.6, label="by number")
    axes.plot(*_curve(sizes, 2), color=colour, linewidth=1.3, linestyle=(0, (4, 2)), label="by area")
    if batch.lognormal_sd_ln > 0:
        at = np.linspace(math.log(sizes.diameters[0]), math.log(sizes.diameters[-1]), 160)
        fit = 100 * norm.cdf(at, batch.lognormal_mean_ln, batch.lognormal_sd_ln)
        axes.plot(np.exp(at), fit, color=INK, linewidth=0.8, label="log-normal fit")
    axes.set_ylim(0, 100)
    axes.grid(axis="both")
    axes.legend(loc="upper left", handlelength=1.6)
    _log_axis(axes)


def _curve(sizes: PooledSizes, power: int) -> tuple[Floats, Floats]:
    """Diameters, and the share in % of the grains up to each, weighted with diameter to a power."""
    mass = np.cumsum(sizes.weights * sizes.diameters**power)
    keep = np.unique(np.linspace(0, mass.size - 1, min(mass.size, _CURVE_POINTS)).astype(np.intp))
    return sizes.diameters[keep], 100 * mass[keep] / mass[-1] if mass.size else mass


def _log_axis(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
