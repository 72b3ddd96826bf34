"""The robustness card as tables of a page."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grainseg.grains.trust.robustness import TARGET_DRIFT, TARGET_LEAST_SHARE, Card, Cell
from grainseg.micrograph.corruptions import KINDS, LEVELS, ONLY
from grainseg.report.card.robustness_sentences import per_cent, per_cent_signed
from grainseg.report.card.robustness_tables import cell_key, cell_row
from grainseg.report.files.batch_rows import Row
from grainseg.report.files.tables import cell_text
from grainseg.report.html import cells
from grainseg.report.html.cells import Column, Line, Number, Table, words

_FULL_DRIFT = 0.2
"""Drift of the mean intercept, as a fraction, from which on a cell has the strongest colour."""
_STRONGEST = 0.7
"""Opacity of the strongest colour: black text on it keeps a contrast of more than 4.5 to 1."""
_WORSE, _LARGER, _SMALLER = "0 85 138", "213 94 0", "0 114 178"
"""CSS colours (RGB): blue where results get worse; where grains look larger and smaller, vermilion and blue
of Okabe and Ito 2008, which everyone can tell apart."""


@dataclass(frozen=True)
class HeatCell:
    """A coloured cell of a table.

    Attributes:
        numbers: Its numbers, and the text between and around them.
        source: Columns that identify its row in the CSV.
        sort: Value by which its column is sorted.
        colour: CSS colour of the background.
        css: CSS classes.
    """

    numbers: tuple[Number | str, ...]
    source: dict[str, str]
    sort: str
    colour: str
    css: str


@dataclass(frozen=True)
class HeatRow:
    """A kind and variant: title, whether the first method's training saw it, cells by method and level."""

    title: str
    seen: str
    cells: tuple[HeatCell | None, ...]


def summary_table(cards: Sequence[Card]) -> Table:
    """The main figures of each method, one row per method."""
    columns = (
        Column("Method", css="name"),
        Column("Clean IoU"),
        Column("Clean F1"),
        Column("Clean grain count error", "%"),
        Column("Clean intercept error", "%, against the label"),
        Column("Mean over the card", "% of the clean IoU"),
        Column("Worst cell", "% of the clean IoU"),
        Column("Cells below 50 %", "that hold information"),
        Column("Largest drift under light", "%, mean over the pictures"),
        Column("In a single picture", "%"),
    )
    return Table(columns, tuple(_summary_line(card) for card in cards))


def _summary_line(card: Card) -> Line:
    row = cell_row(card, card.clean)
    return cells.line(
        (
            words(card.method, "name"),
            _one(row, "iou_mean", _fraction),
            _one(row, "boundary_f1_mean", _fraction),
            _one(row, "grain_count_error_mean", per_cent),
            _one(row, "intercept_error_mean", per_cent_signed),
            _figure(card.mean_share, per_cent, "lead"),
            _figure(card.worst_share.iou_share, per_cent),
            words(str(len(card.below_least)), "num"),
            _figure(card.worst_light.drift.mean, per_cent_signed),
            _figure(card.worst_light_picture.drift.worst, per_cent_signed),
        ),
        **cell_key(card, card.clean),
    )


def full_table(cards: Sequence[Card]) -> Table:
    """All cells of all methods; each figure is the mean over the pictures, in brackets the worst picture."""
    columns = (
        Column("Method", css=""),
        Column("Corruption", css="name"),
        Column("Strength", css=""),
        Column("Seen in training", css=""),
        Column("IoU"),
        Column("IoU", "% of the clean"),
        Column("Boundary F1"),
        Column("Grain count error", "%"),
        Column("Intercept drift", "%, against the untouched"),
        Column("Intercept error", "%, against the label"),
        Column("Lost line", "%"),
        Column("Drift by lost boundaries", "%, of the label"),
        Column("Doubt"),
    )
    lines = [_full_line(card, cell) for card in cards for cell in (card.clean, *card.cells)]
    return Table(columns, tuple(lines))


def _full_line(card: Card, cell: Cell) -> Line:
    row, of = cell_row(card, cell), cell.corruption
    return cells.line(
        (
            words(card.method),
            words("Untouched" if of is None else of.title, "name"),
            words("" if of is None else f"{of.level}: {of.strength}"),
            words("" if of is None else card.seen[of.kind.name].answer),
            _two(row, "iou", _fraction),
            _one(row, "iou_share_of_clean", per_cent),
            _two(row, "boundary_f1", _fraction),
            _two(row, "grain_count_error", per_cent),
            _two(row, "intercept_drift", per_cent_signed),
            _two(row, "intercept_error", per_cent_signed),
            _one(row, "lost_share_mean", per_cent),
            _one(row, "lost_drift_mean", per_cent_signed),
            _two(row, "doubt", _places),
        ),
        **cell_key(card, cell),
    )


def iou_heat(cards: Sequence[Card]) -> tuple[HeatRow, ...]:
    """Cells of the IoU and its share of the clean IoU; the less is left, the darker the cell."""

    def cell(row: Row, of: Cell) -> HeatCell:
        parts = (
            _number(row, "iou_mean", _fraction),
            " · ",
            _number(row, "iou_share_of_clean", per_cent),
            " %",
        )
        missed = of.holds_information and not of.iou_share >= TARGET_LEAST_SHARE
        css = "blind" if not of.holds_information else "missed" if missed else ""
        return _heat(parts, row, "iou_share_of_clean", _colour(1 - of.iou_share, 1.0, _WORSE), css)

    return _heat_rows(cards, cell)


def drift_heat(cards: Sequence[Card]) -> tuple[HeatRow, ...]:
    """Cells of the signed drift of the mean intercept: mean over the pictures, and the worst picture."""

    def cell(row: Row, of: Cell) -> HeatCell:
        parts = _pair(row, "intercept_drift", per_cent_signed)
        is_light = of.corruption is not None and of.corruption.kind.is_light
        css = "missed" if is_light and abs(of.drift.mean) >= TARGET_DRIFT else ""
        colour = _colour(of.drift.mean, _FULL_DRIFT, _LARGER, _SMALLER)
        return _heat(parts, row, "intercept_drift_mean", colour, css)

    return _heat_rows(cards, cell)


def count_heat(cards: Sequence[Card]) -> tuple[HeatRow, ...]:
    """Cells of the error of the number of grains: mean over the pictures, and the worst picture."""

    def cell(row: Row, of: Cell) -> HeatCell:
        colour = _colour(of.count_error.mean, 1.0, _WORSE)
        return _heat(_pair(row, "grain_count_error", per_cent), row, "grain_count_error_mean", colour, "")

    return _heat_rows(cards, cell)


def _heat_rows(cards: Sequence[Card], make: Callable[[Row, Cell], HeatCell]) -> tuple[HeatRow, ...]:
    rows = []
    for kind in KINDS:
        for variant in kind.amounts:
            made: list[HeatCell | None] = []
            for card in cards:
                found = {
                    of.corruption.level: make(cell_row(card, of), of)
                    for of in card.cells
                    if of.corruption is not None
                    and of.corruption.kind is kind
                    and of.corruption.variant == variant
                }
                # A corruption with a single strength is shown in the column of the highest level.
                made += [
                    found.get(level, found.get(ONLY) if level == LEVELS[-1] else None) for level in LEVELS
                ]
            title = kind.titled(variant)
            rows.append(HeatRow(title, cards[0].seen[kind.name].answer, tuple(made)))
    return tuple(rows)


def _heat(parts: tuple[Number | str, ...], row: Row, sort: str, colour: str, css: str) -> HeatCell:
    source = {key: str(row[key]) for key in ("method", "kind", "variant", "level")}
    return HeatCell(parts, source, _sortable(row[sort]), colour, css)


def _colour(value: float, full: float, positive: str, negative: str = "") -> str:
    """CSS colour of a value: none at 0, the strongest from a magnitude of ``full`` on."""
    if math.isnan(value):
        return "transparent"
    rgb = negative or "255 255 255" if value < 0 else positive
    return f"rgb({rgb} / {_STRONGEST * min(abs(value) / full, 1):.2f})"


def _one(row: Row, key: str, text: Callable[[float], str]) -> cells.TableCell:
    return cells.TableCell((_number(row, key, text),), _sortable(row[key]), "num")


def _two(row: Row, name: str, text: Callable[[float], str]) -> cells.TableCell:
    return cells.TableCell(_pair(row, name, text), _sortable(row[f"{name}_mean"]), "num")


def _pair(row: Row, name: str, text: Callable[[float], str]) -> tuple[Number | str, ...]:
    return (_number(row, f"{name}_mean", text), " (", _number(row, f"{name}_worst", text), ")")


def _figure(value: float, text: Callable[[float], str], css: str = "") -> cells.TableCell:
    """A cell of a figure that sums up several rows of the CSV, and so names none of them."""
    return cells.TableCell((text(value),), _sortable(value), f"num {css}".rstrip())


def _number(row: Row, key: str, text: Callable[[float], str]) -> Number:
    value = row[key]
    assert isinstance(value, float)
    return Number(key, cell_text(value), text(value))


def _sortable(value: object) -> str:
    """A value as JavaScript reads it as a number: infinity is spelled ``Infinity`` there."""
    text = cell_text(value) if isinstance(value, float) else str(value)
    return text.replace("inf", "Infinity")


def _fraction(value: float) -> str:
    return cells.number_text(value, places=3)


def _places(value: float) -> str:
    return cells.number_text(value, places=2)
