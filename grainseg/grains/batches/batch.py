"""One batch of material: its grain size with intervals, its distribution, and its uncertainty budget.

The unit of replication is the field of view (see `intervals`), or the specimen where specimens are named. %RA
and the number of fields follow ASTM E112, as summarised in public literature (the standard's text was not
consulted).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from grainseg.grains.batches.budget import SegmentationError, StatedError, UncertaintyBudget, intercept_budget
from grainseg.grains.batches.distribution import bimodality, lognormal_fit
from grainseg.grains.batches.doubted import doubted_fields
from grainseg.grains.batches.intervals import (
    effective_number,
    field_intercepts,
    mean_diameter,
    mean_intercept,
    percentile_estimate,
    size_distribution,
)
from grainseg.grains.batches.samples import (
    FIELD,
    SPECIMEN,
    Estimate,
    FieldSample,
    by_specimen,
    line_share,
    require_samples,
    t_quantile,
)
from grainseg.grains.measuring.astm import MIN_FIELDS, TARGET_RELATIVE_ACCURACY_PERCENT, g_from_mean_intercept
from grainseg.grains.wording import counted, plural
from grainseg.micrograph.arrays import Floats

_SHARES = (0.1, 0.5, 0.9)
_IDENTICAL_LN = 1e-9
"""Range of ln mean intercept below which all fields (or specimens) count as alike."""
_EQUAL_SHARE = 0.7
"""Effective number over number of fields (or specimens) below which a flag says that they differ in size."""
_EQUIAXED = 1.3
"""Elongation that equiaxed grains hardly reach: in single fields of 10 grains across, it averages 1.05, and
the upper tenth begins at 1.08."""
_NOT_ONE_MEAN = (
    "or specks such as precipitates that were ringed: look at the overlay; one mean does not describe it"
)


@dataclass(frozen=True)
class BatchStatistics:
    """Statistics of a batch; lengths in `unit`, 95 % intervals over fields, or over specimens.

    Attributes:
        name: Name of the batch.
        unit: "µm" or "px".
        fields: Number of fields with a mean intercept.
        specimens: Number of specimens with one; None where fields are the unit of replication.
        grains: Number of grains with a sampling weight, in all fields.
        intercept: Mean lineal intercept, total length over total crossings.
        intercept_without_closed: The same without the boundaries that only the partition closed; nan if no
            crossing is left, or if they are not known.
        closed_known: Whether the closed boundaries are known in all of these fields; in given grain maps they
            are not.
        g: ASTM grain size number of the mean intercept (never a mean of the fields' numbers); its `se_ln` is
            the intercept's. None in px.
        relative_accuracy_percent: %RA = 100·t·s / (√n·mean) of the units' mean intercepts; nan below two.
        d10: 10th percentile of the equivalent circular diameter by number; d50 and d90 likewise.
        d10_area: The same with each grain weighted by its area; d50_area and d90_area likewise.
        mean_diameter: Number-weighted mean of the equivalent circular diameter.
        lognormal_mean_ln: Mean ln diameter of the log-normal fit, number-weighted; see `LogNormalFit`.
        lognormal_sd_ln: Standard deviation of ln diameter of that fit.
        lognormal_distance: Kolmogorov-Smirnov distance from the fit, a description and no test.
        elongation: Elongation of the grains over all fields, at least 1; nan if unknown.
        bimodal: Whether the grains look like two populations; see `bimodality`.
        bimodality: Sentence on how that was decided.
        more_for_10_percent: How many more fields, or specimens, bring %RA to 10 at this scatter; 0 if no more
            are needed, None below two, which show no scatter.
        budget: Budget of the mean intercept; the uncertainty has a value only if the budget is complete.
        flags: Warnings in plain words.
    """

    name: str
    unit: str
    fields: int
    specimens: int | None
    grains: int
    intercept: Estimate
    intercept_without_closed: float
    closed_known: bool
    g: Estimate | None
    relative_accuracy_percent: float
    d10: Estimate
    d50: Estimate
    d90: Estimate
    d10_area: Estimate
    d50_area: Estimate
    d90_area: Estimate
    mean_diameter: Estimate
    lognormal_mean_ln: float
    lognormal_sd_ln: float
    lognormal_distance: float
    elongation: float
    bimodal: bool
    bimodality: str
    more_for_10_percent: int | None
    budget: UncertaintyBudget
    flags: tuple[str, ...]

    @property
    def replicate(self) -> str:
        """The unit of replication, FIELD or SPECIMEN."""
        return FIELD if self.specimens is None else SPECIMEN


def batch_statistics(
    name: str,
    unit: str,
    samples: Sequence[FieldSample],
    segmentation: SegmentationError | StatedError | None = None,
    pixel_size_rel_unc: float | None = None,
    threshold_sd_ln: float | None = None,
    elongation: float = math.nan,
) -> BatchStatistics:
    """Compute the statistics of a batch from its fields.

    A field without crossings has no intercept of its own, though its lines count in the pooled one; a field
    without weighted grains takes no part in the diameters. Both are flagged.

    Args:
        name: Name of the batch.
        unit: "µm" or "px", the unit of all lengths in `samples`.
        samples: The fields; an empty sequence is allowed and flagged. Where all of them name their specimen,
            and there are two or more, specimens are the unit of replication, see `by_specimen`.
        segmentation: See `intercept_budget`; None if unknown.
        pixel_size_rel_unc: Relative standard uncertainty of the pixel size; None if unknown.
        threshold_sd_ln: Standard deviation of ln mean intercept over thresholds, see `intercept_budget`; None
            if unknown, 0 where there was no threshold.
        elongation: Elongation of the grains over all fields, at least 1; nan if unknown.

    Returns:
        The statistics; values that cannot be known are nan or None, with a flag.

    Raises:
        ValueError: If the unit is neither µm nor px, fields have the same name, or an uncertainty is out of
            range.
    """
    require_samples(samples, unit)
    specimens = by_specimen(samples)
    replicate, units = (SPECIMEN, specimens) if specimens else (FIELD, samples)
    intercept, per_unit = mean_intercept(units), field_intercepts(units)
    by_number = size_distribution(units, by_area=False)
    by_area = size_distribution(units, by_area=True)
    d10, d50, d90 = (percentile_estimate(by_number, share) for share in _SHARES)
    d10_area, d50_area, d90_area = (percentile_estimate(by_area, share) for share in _SHARES)
    fit = lognormal_fit(by_number.ln_diameter, by_number.weight)
    bimodal, why = bimodality(by_number.ln_diameter, by_number.weight)
    accuracy, more = relative_accuracy_percent(per_unit), more_fields(per_unit)
    flags = [
        *_doubted(samples),
        *_excluded(samples),
        *_few(per_unit, replicate),
        *_unequal(units, replicate),
        *_unlimited(d90, d90_area),
        *_missing(more, accuracy, replicate),
        *_elongated(elongation),
        *([f"the size distribution has {why}, {_NOT_ONE_MEAN}"] if bimodal else []),
    ]
    return BatchStatistics(
        name=name,
        unit=unit,
        fields=field_intercepts(samples).size,
        specimens=per_unit.size if specimens else None,
        grains=by_number.ln_diameter.size,
        intercept=intercept,
        intercept_without_closed=_without_closed(samples),
        closed_known=_open_crossings(samples) is not None,
        g=g_of(intercept) if unit == "µm" else None,
        relative_accuracy_percent=accuracy,
        d10=d10,
        d50=d50,
        d90=d90,
        d10_area=d10_area,
        d50_area=d50_area,
        d90_area=d90_area,
        mean_diameter=mean_diameter(units),
        lognormal_mean_ln=fit.mean_ln,
        lognormal_sd_ln=fit.sd_ln,
        lognormal_distance=fit.distance,
        elongation=elongation,
        bimodal=bimodal,
        bimodality=why,
        more_for_10_percent=more,
        budget=intercept_budget(
            intercept,
            unit,
            segmentation,
            pixel_size_rel_unc,
            threshold_sd_ln,
            line_share(samples),
            counted(per_unit.size if intercept.df < 1 else _lined(units), replicate),
            doubted_fields(samples),
        ),
        flags=tuple(flags),
    )


def g_of(intercept_um: Estimate) -> Estimate:
    """ASTM grain size number of a mean intercept in µm, with its interval (a long intercept is a low G)."""
    value, high, low = (
        g_from_mean_intercept(length / 1000)
        for length in (intercept_um.value, intercept_um.low, intercept_um.high)
    )
    return Estimate(value, low, high, intercept_um.se_ln, intercept_um.df)


def relative_accuracy_percent(per_unit: Floats) -> float:
    """%RA = 100 · t(0.975, n-1) · s / (√n · mean), after ASTM E112 §15.

    Args:
        per_unit: (n,) mean intercept of each field or specimen.

    Returns:
        Percent; nan below two fields.
    """
    fields = per_unit.size
    if fields < 2:
        return math.nan
    confidence = t_quantile(fields - 1) * float(per_unit.std(ddof=1)) / math.sqrt(fields)
    return 100 * confidence / float(per_unit.mean())


def more_fields(per_unit: Floats) -> int | None:
    """Number of further fields until %RA is 10: smallest n ≥ (t(0.975, n-1) · CV / 0.1)² less those seen.

    Args:
        per_unit: (n,) mean intercept of each field or specimen.

    Returns:
        0 or more, at the observed coefficient of variation CV; None below two fields.
    """
    fields = per_unit.size
    if fields < 2:
        return None
    if relative_accuracy_percent(per_unit) <= TARGET_RELATIVE_ACCURACY_PERCENT:
        return 0
    variation = float(per_unit.std(ddof=1) / per_unit.mean())
    squared = (100 * variation / TARGET_RELATIVE_ACCURACY_PERCENT) ** 2
    # t is at most 2.571 from six fields on, so this range holds the answer.
    candidates = np.arange(fields + 1, fields + 6 + math.ceil(squared * t_quantile(5) ** 2))
    enough = candidates >= squared * special.stdtrit(candidates - 1, 0.975) ** 2
    return int(candidates[np.argmax(enough)]) - fields


def _without_closed(samples: Sequence[FieldSample]) -> float:
    crossings = _open_crossings(samples)
    length = sum(sample.line_length for sample in samples)
    return float(length / crossings) if crossings else math.nan


def _open_crossings(samples: Sequence[FieldSample]) -> float | None:
    """Crossings of boundaries that no partition closed; None if they are not known in one of the fields."""
    known = [sample.crossings_without_closed for sample in samples if sample.has_intercept]
    return None if None in known else float(sum(crossings or 0.0 for crossings in known))


def _lined(units: Sequence[FieldSample]) -> int:
    """Number of units in the jackknife: all that have test lines, also those without crossings."""
    return sum(unit.line_length > 0 for unit in units)


def _doubted(samples: Sequence[FieldSample]) -> list[str]:
    doubted = doubted_fields(samples)
    if doubted is None:
        return []
    return [f"{doubted}: do not trust the boundaries before you have seen the overlays"]


def _excluded(samples: Sequence[FieldSample]) -> list[str]:
    uncrossed = [sample.name for sample in samples if not sample.has_intercept]
    empty = [sample.name for sample in samples if not sample.diameters.size]
    flags = []
    if uncrossed:
        flags.append(
            f"no boundary is crossed in {', '.join(uncrossed)}: these lines count in the mean intercept, but "
            "not in %RA and comparisons; leave out fields in which boundaries were missed"
        )
    if empty:
        flags.append(f"no whole grain in {', '.join(empty)}: left out of the diameters")
    return flags


def _unequal(units: Sequence[FieldSample], replicate: str) -> list[str]:
    lengths = np.array([unit.line_length for unit in units if unit.line_length > 0], np.float64)
    if lengths.size < 2 or effective_number(lengths) >= _EQUAL_SHARE * lengths.size:
        return []
    return [
        f"{plural(replicate)} differ in size: the pooled values rest on about {effective_number(lengths):g} "
        f"of {lengths.size}, as their intervals allow for; %RA and comparisons take all of them for equal"
    ]


def _unlimited(d90: Estimate, d90_area: Estimate) -> list[str]:
    return [
        f"{name} has no upper sampling limit: too few grains are larger"
        for name, estimate in (("D90 by number", d90), ("D90 by area", d90_area))
        if estimate.df > 0 and math.isnan(estimate.high)
    ]


def _missing(more: int | None, accuracy: float, replicate: str) -> list[str]:
    if not more:
        return []
    needed = counted(more, f"more {replicate}")
    return [f"if the scatter stays, {needed} would bring %RA from {accuracy:.1f} to 10"]


def _elongated(elongation: float) -> list[str]:
    """Elongated grains: G by lines and G by counts differ, and depend on the plane of the section."""
    if not elongation > _EQUIAXED:  # also nan
        return []
    how = "elongated without end" if math.isinf(elongation) else f"elongated {elongation:.1f} : 1"
    return [
        f"grains are {how}: sizes and G are those of this section; ASTM E112 asks for counts on the "
        "principal planes"
    ]


def _few(per_unit: Floats, replicate: str) -> list[str]:
    count, nouns = per_unit.size, plural(replicate)
    if count == 0:
        return [f"no {replicate} could be measured"]
    if count == 1:
        return [
            f"one {replicate}: no sampling interval and no %RA can be given; "
            f"at least {MIN_FIELDS} {nouns} are needed"
        ]
    flags = []
    if count < MIN_FIELDS:
        flags.append(f"{count} {nouns}: below {MIN_FIELDS} the sampling intervals mean little")
    if float(np.ptp(np.log(per_unit))) < _IDENTICAL_LN:
        flags.append(f"all {nouns} have the same mean intercept: are they copies of one image?")
    return flags
