"""The plot of a robustness card: share of the IoU left, and drift of the mean intercept, by corruption."""

import io
import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from grainseg.grains.trust.robustness import TARGET_DRIFT, TARGET_LEAST_SHARE, TARGET_MEAN_SHARE, Card, Cell
from grainseg.micrograph.corruptions import KINDS, LEVELS
from grainseg.report.html.plots import BATCH_COLOURS
from grainseg.report.html.svg import QUIET, RULE, plot_style, svg_of

_MARKERS = "os^D"
_SIZES = {"low": 9, "middle": 22, "high": 42, "only": 42}
_END = 0.5
"""A drift of larger magnitude is drawn here, as an arrow; a fraction."""


def card_plots(cards: Sequence[Card]) -> tuple[str, bytes]:
    """Draw the cards of one or several methods: a row per corruption, larger marks for stronger levels.

    Args:
        cards: At least one.

    Returns:
        An ``<svg>`` element, and the same plot as PNG.
    """
    rows = [(kind, variant) for kind in KINDS for variant in kind.amounts]
    with plot_style():
        figure = Figure(figsize=(9.6, 1.3 + 0.27 * len(rows)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for number, card in enumerate(cards):
            shift = 0.24 * (number - (len(cards) - 1) / 2)
            for row, (kind, variant) in enumerate(rows):
                for cell in card.cells:
                    of = cell.corruption
                    if of is not None and of.kind is kind and of.variant == variant:
                        _mark(left, right, cell, of.level, row + shift, number)
        titles = [kind.titled(variant) for kind, variant in rows]
        left.set_yticks(range(len(rows)), titles)
        left.set_ylim(len(rows) - 0.4, -0.6)
        left.set_xlim(-0.02, max(1.08, *(cell.iou_share * 1.03 for card in cards for cell in card.cells)))
        right.set_xlim(-1.08 * _END, 1.08 * _END)
        for share in (TARGET_LEAST_SHARE, TARGET_MEAN_SHARE):
            left.axvline(share, color=QUIET, linewidth=0.8, linestyle=(0, (3, 2)), zorder=0)
        left.axvline(1, color=QUIET, linewidth=0.8, zorder=0)
        right.axvspan(-TARGET_DRIFT, TARGET_DRIFT, color=RULE, zorder=0, linewidth=0)
        right.axvline(0, color=QUIET, linewidth=0.8, zorder=0)
        left.set_xlabel("IoU, share of the clean one")
        right.set_xlabel("drift of the mean intercept, % (right: grains look larger)")
        right.set_xticks([-0.5, -0.25, 0, 0.25, 0.5], ["−50", "−25", "0", "+25", "+50"])
        for axes in (left, right):
            axes.grid(axis="y")
            axes.tick_params(axis="y", length=0)
            axes.spines["left"].set_visible(False)
        _legend(figure, cards)
        svg = svg_of(figure, "card", "IoU and drift of the mean intercept under each corruption")
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=130, metadata={"Software": None})
    return svg, buffer.getvalue()


def _mark(left: Axes, right: Axes, cell: Cell, level: str, y: float, number: int) -> None:
    marker = _MARKERS[number % len(_MARKERS)]
    if math.isfinite(cell.iou_share):
        _dot(left, cell.iou_share, y, marker, level, number)
    drift = cell.drift.mean
    if not math.isnan(drift):
        shown = min(max(drift, -_END), _END)
        beyond = ">" if drift > 0 else "<"
        _dot(right, shown, y, marker if shown == drift else beyond, level, number)


def _dot(axes: Axes, x: float, y: float, marker: str, level: str, number: int) -> None:
    colour = BATCH_COLOURS[number % len(BATCH_COLOURS)]
    axes.scatter([x], [y], s=_SIZES[level], color=colour, marker=marker, linewidths=0, alpha=0.85)


def _legend(figure: Figure, cards: Sequence[Card]) -> None:
    """Methods by colour and mark, levels by size."""
    axes = figure.axes[0]
    for number, card in enumerate(cards):
        colour = BATCH_COLOURS[number % len(BATCH_COLOURS)]
        marker = _MARKERS[number % len(_MARKERS)]
        axes.scatter([], [], s=_SIZES["high"], color=colour, marker=marker, linewidths=0, label=card.method)
    for level in LEVELS:
        axes.scatter([], [], s=_SIZES[level], color=QUIET, linewidths=0, label=level)
    figure.legend(loc="outside upper left", ncols=len(cards) + len(LEVELS), handletextpad=0.2)
