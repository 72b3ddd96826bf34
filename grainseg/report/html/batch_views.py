"""Batches and their comparisons as tables and sentences of a page."""

import math
from collections.abc import Iterable, Mapping, Sequence

from grainseg.grains.batches.batch import BatchStatistics
from grainseg.grains.batches.compare import Comparison
from grainseg.grains.batches.other_procedures import OtherProcedures
from grainseg.grains.measuring.astm import MIN_FIELDS
from grainseg.grains.wording import counted, plural
from grainseg.report.files.batch_rows import (
    CLOSED_UNKNOWN,
    SUFFIX,
    Row,
    batch_row,
    budget_rows,
    comparison_row,
)
from grainseg.report.files.tables import cell_text
from grainseg.report.html.cells import (
    MISSING,
    Column,
    Line,
    Number,
    Table,
    TableCell,
    best,
    half_text,
    half_width,
    interval,
    line,
    number,
    number_text,
    plain,
    words,
)

_NOTHING = TableCell((MISSING,), "", "num missing")

_SAMPLING = "95 % sampling interval"

_DIAMETERS = (
    ("mean_diameter", "Mean diameter, by number"),
    ("d10", "D10, by number"),
    ("d50", "D50, by number"),
    ("d90", "D90, by number"),
    ("d10_area", "D10, by area"),
    ("d50_area", "D50, by area"),
    ("d90_area", "D90, by area"),
)


def summary_table(batches: Sequence[BatchStatistics], image_flags: Mapping[str, int]) -> Table:
    """The batches in one table: the mean intercept with its expanded and its sampling interval, and G.

    Args:
        batches: The batches.
        image_flags: By batch, the number of flags of its images, counted with those of the batch.
    """
    unit = _common(batch.unit for batch in batches)
    by_specimen = any(batch.specimens is not None for batch in batches)
    columns = (
        Column("Batch", css="name"),
        Column("Fields"),
        *([Column("Specimens")] if by_specimen else []),
        Column("Grains", "whole"),
        Column("Mean intercept", unit),
        Column("Expanded interval", "95 %, all of the budget"),
        Column("Sampling interval", "95 %, sampling only"),
        Column("Without closed gaps", unit),
        Column("G"),
        Column("%RA", "%"),
        Column("Median diameter D50", unit),
        Column("Flags", "batch and images"),
    )
    lines = [
        _summary_line(batch, index, not unit, by_specimen, len(batch.flags) + image_flags.get(batch.name, 0))
        for index, batch in enumerate(batches)
    ]
    return Table(columns, tuple(lines))


def _common(units: Iterable[str]) -> str:
    """The unit that all share; an empty text if there are several units."""
    different = set(units)
    return different.pop() if len(different) == 1 else ""


def _summary_line(batch: BatchStatistics, index: int, mixed: bool, by_specimen: bool, flags: int) -> Line:
    row, unit = batch_row(batch), SUFFIX[batch.unit]
    half = half_width(row, "mean_intercept_total", unit)
    rounding = half if half > 0 else half_width(row, "mean_intercept_sampling", unit)
    intercept = number(row, f"mean_intercept_{unit}", rounding)
    cells = (
        words(f"{batch.name} (in {batch.unit})" if mixed else batch.name, "name", f"#batch-{index}"),
        plain(row, "fields"),
        *([plain(row, "specimens")] if by_specimen else []),
        plain(row, "grains"),
        TableCell((intercept,), intercept.value, "num lead"),
        _whole(batch, row),
        interval(row, "mean_intercept_sampling", unit),
        _without_closed(batch, row, rounding),
        _g_cell(row),
        plain(row, "relative_accuracy_percent", places=1),
        best(row, "d50", unit),
        words(str(flags), "num", "#flags" if flags else ""),
    )
    return line(cells, batch=batch.name)


def _without_closed(batch: BatchStatistics, row: Row, rounding: float) -> TableCell:
    if not batch.closed_known:
        return TableCell((CLOSED_UNKNOWN,), "", "num incomplete")
    return plain(row, f"mean_intercept_without_closed_{SUFFIX[batch.unit]}", rounding)


def _whole(batch: BatchStatistics, row: Row) -> TableCell:
    """The expanded interval of the whole budget, or a text that names what the budget lacks."""
    if batch.budget.expanded is None:
        return TableCell((batch.budget.coverage,), "", "num incomplete")
    return interval(row, "mean_intercept_total", SUFFIX[batch.unit])


def _g_cell(row: Row) -> TableCell:
    if row["astm_g"] is None:
        return _NOTHING
    half = half_width(row, "astm_g_total")
    if math.isnan(half):
        return best(row, "astm_g", css="num lead")
    shown = number(row, "astm_g", half)
    return TableCell((shown, f" ± {half_text(half)}"), shown.value, "num lead")


def estimate_table(batch: BatchStatistics) -> Table:
    """All estimates of a batch, each with the intervals that are known."""
    row, unit = batch_row(batch), SUFFIX[batch.unit]
    undetermined = TableCell(("not determined",), "", "num missing")
    symbol = words(batch.unit, "unit")
    rows = [
        (
            words("Mean lineal intercept"),
            best(row, "mean_intercept", unit, "num lead"),
            symbol,
            interval(row, "mean_intercept_sampling", unit),
            _whole(batch, row),
        ),
        (
            words("without closed gaps", "sub"),
            _without_closed(batch, row, half_width(row, "mean_intercept_sampling", unit)),
            symbol,
            _NOTHING,
            _NOTHING,
        ),
        *(
            (words(title), best(row, key, unit), symbol, interval(row, f"{key}_sampling", unit), undetermined)
            for key, title in _DIAMETERS
        ),
    ]
    if batch.g is not None:
        whole = interval(row, "astm_g_total")
        if not whole.sort:
            whole = TableCell(("follows from the intercept",), "", "num missing")
        cells = (
            words("G"),
            best(row, "astm_g", css="num lead"),
            words(""),
            interval(row, "astm_g_sampling"),
            whole,
        )
        rows.insert(2, cells)
    columns = (
        Column("Quantity", css=""),
        Column("Value"),
        Column("Unit", css="unit"),
        Column("Sampling interval", "95 %, sampling only"),
        Column("Expanded interval", "95 %, all of the budget"),
    )
    return Table(columns, tuple(line(cells, batch=batch.name) for cells in rows))


def budget_table(batch: BatchStatistics) -> Table:
    """The uncertainty budget: each part, then the combined and the expanded uncertainty."""
    lines = []
    for row, part in zip(budget_rows(batch), batch.budget.entries, strict=True):
        known = row["standard_uncertainty_ln"] is not None
        cells = (
            _uncertainty(row, "standard") if known else (TableCell(("unknown",), "", "num missing"), _NOTHING)
        )
        df = _degrees(part.df) if known else _NOTHING
        lines.append(line((words(str(row["part"])), *cells, df, words(str(row["how"])))))
    row, budget = batch_row(batch), batch.budget
    for title, kind, how in (
        ("Combined" if budget.complete else "Known parts combined", "combined", ""),
        ("Expanded", "expanded", budget.coverage),
    ):
        df = _degrees(budget.df) if kind == "combined" else _NOTHING
        lines.append(line((words(title), *_uncertainty(row, kind), df, words(how)), batch=batch.name))
    columns = (
        Column("Source", css=""),
        Column("Standard uncertainty", "of ln ℓ̄"),
        Column("Standard uncertainty", "%"),
        Column("Degrees of freedom"),
        Column("How it is known", css=""),
    )
    return Table(columns, tuple(lines))


def _degrees(df: float) -> TableCell:
    return TableCell((number_text(df, places=0 if df.is_integer() else 1),), "", "num")


def _uncertainty(row: Row, kind: str) -> tuple[TableCell, TableCell]:
    """The cells of one uncertainty: of the logarithm, and in percent."""
    of_ln, in_percent = (
        plain(row, key, _itself(row, key))
        for key in (f"{kind}_uncertainty_ln", f"{kind}_uncertainty_percent")
    )
    return of_ln, in_percent


def _itself(row: Row, key: str) -> float:
    """The uncertainty as its own half width, so that it is rounded to two digits; nan if it is missing."""
    value = row[key]
    return value if isinstance(value, float) else math.nan


def sampled_sentences(batch: BatchStatistics, others: OtherProcedures) -> list[str]:
    """What was sampled, and G by other procedures; lengths in px have no G."""
    area = f"{number_text(others.area / 1e6)} mm²" if batch.unit == "µm" else f"{others.area:.0f} px²"
    sampled = (
        f"Sampled: {counted(batch.fields, 'field')}, {area} of grains, {counted(others.grains, 'grain')}, of "
        f"which {batch.grains} lie wholly inside a field and make the size distribution; the test circles "
        f"cross {others.circle_crossings:.0f} boundaries."
    )
    if batch.g is None:
        return [sampled]
    found = {
        "test circles": others.g_circles,
        "Saltikov": others.g_saltikov,
        "Jeffries": others.g_jeffries,
        "triple points": others.g_triple,
    }
    listed = ", ".join(f"{name} {number_text(g, places=2)}" for name, g in found.items() if math.isfinite(g))
    check = f"G by other procedures, as a check of the result, from all fields that have them: {listed}."
    largest = f"G of the largest grain in any field (ALA): {number_text(others.g_ala, places=2)}."
    return [sampled, f"{check} {largest}"]


def batch_sentences(batch: BatchStatistics) -> list[str]:
    """Results beside the table: scatter between fields or specimens, shape of the distribution."""
    row = batch_row(batch)
    mean, sd, distance = (
        number_text(row[key])
        for key in (f"geometric_mean_diameter_{SUFFIX[batch.unit]}", "lognormal_sd_ln", "lognormal_distance")
    )
    fit = (
        f"Log-normal fit by number: geometric mean {mean} {batch.unit}, standard deviation of ln d {sd}; "
        f"largest distance between the fit and the data {distance} (a description, not a test)."
    )
    return [
        _relative_accuracy(batch),
        fit if batch.grains else "There is no log-normal fit: no grain lies wholly inside a field.",
        f"Shape of the distribution: {batch.bimodality}.",
    ]


def _relative_accuracy(batch: BatchStatistics) -> str:
    more, replicate = batch.more_for_10_percent, batch.replicate
    if more is None:
        has = f"One {replicate} has" if batch.fields else "No field has a mean intercept, so there is"
        return f"{has} no %RA: it is the scatter between {plural(replicate)} and needs at least two."
    number = batch.fields if batch.specimens is None else batch.specimens
    if number < MIN_FIELDS:
        aim = f"Below {MIN_FIELDS} {plural(replicate)} it says little about the aim of 10 %."
    elif more:
        aim = f"If the scatter stays, {counted(more, f'more {replicate}')} would give 10 %."
    else:
        aim = "The aim of 10 % is met."
    percent = number_text(batch.relative_accuracy_percent, places=1)
    over = counted(number, replicate)
    return (
        f"%RA of the mean intercept over {over}, which count the same here, is {percent} %: that is the "
        f"sampling alone, without the error of the segmentation. {aim}"
    )


def comparison_table(comparisons: Sequence[Comparison]) -> Table:
    """Pairs of batches: ratio and differences with their sampling intervals, p values, verdict."""
    unit = _common(comparison.unit for comparison in comparisons)
    in_unit = ", ".join(filter(None, (unit, _SAMPLING)))
    columns = (
        Column("Batches", css="name"),
        Column("Ratio of geometric mean intercepts", _SAMPLING),
        Column("Difference of mean intercepts", in_unit),
        Column("ΔG", _SAMPLING),
        Column("Difference of D50", in_unit),
        Column("Wasserstein distance", unit),
        Column("p, difference", "Holm"),
        Column("p, equivalence", "Holm"),
        Column("Verdict", css=""),
    )
    return Table(columns, tuple(_comparison_line(comparison) for comparison in comparisons))


def _comparison_line(comparison: Comparison) -> Line:
    row, unit = comparison_row(comparison), SUFFIX[comparison.unit]
    cells = (
        words(f"{comparison.a} → {comparison.b}", "name"),
        _with_interval(row, "intercept_ratio"),
        _with_interval(row, "intercept_difference", unit),
        _with_interval(row, "delta_g"),
        _with_interval(row, "d50_difference", unit),
        plain(row, f"wasserstein_{unit}"),
        _probability(row, "p_holm"),
        _probability(row, "p_equivalence_holm"),
        words(comparison.verdict),
    )
    return line(cells, a=comparison.a, b=comparison.b)


def _probability(row: Row, key: str) -> TableCell:
    value = row[key]
    if not isinstance(value, float) or value >= 0.001:
        return plain(row, key, places=3)
    return TableCell((Number(key, cell_text(value), "< 0.001"),), cell_text(value), "num")


def _with_interval(row: Row, name: str, unit: str = "") -> TableCell:
    value, ends = best(row, name, unit), interval(row, f"{name}_sampling", unit)
    return TableCell((*value.parts, " [", *ends.parts, "]"), value.sort, "num") if ends.sort else value
