"""Do two batches differ, are they equivalent, or are there not enough fields to tell?

The unit of replication is the field: Welch's test on the fields' ln mean intercepts. Grains pooled over
fields are never tested against each other (by Kolmogorov and Smirnov's test, say): they resemble their
neighbours, and such a test takes the scatter between fields for a difference between batches.

A pair is **different** if the test, corrected after Holm for the number of pairs, finds a difference at 5 %.
It is **equivalent** if two one-sided tests, corrected likewise, find the difference smaller than a margin.
Both may hold, where many fields show a difference that is real and too small to matter: the margin says what
matters, so the verdict is then equivalent, and the sentence says that a difference exists. If neither holds,
there are **not enough fields**.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from grainseg.grains.astm import MIN_FIELDS
from grainseg.grains.intervals import (
    field_intercepts,
    mean_intercept,
    percentile_estimate,
    size_distribution,
)
from grainseg.grains.samples import UNDEFINED, Estimate, FieldSample, require_samples, t_quantile
from grainseg.grains.welch import NO_SCATTER, Welch, effective_df, fields_for_decision, holm, welch
from grainseg.grains.wording import counted, signed
from grainseg.micrograph.arrays import Floats

DIFFERENT = "different"
EQUIVALENT = "equivalent"
NOT_ENOUGH = "not enough fields"

MIN_MARGIN_G, MAX_MARGIN_G = 0.01, 5.0
"""Of equivalence: 0.3 % of the mean intercept, which no measurement resolves, to a factor of 5.7."""

_SIGNIFICANCE = 0.05
_MOST_FIELDS = 1000

_SYSTEMATIC = {
    "µm": (
        "An error that both batches share cancels in the ratio and in ΔG: that of the pixel size, if one "
        "instrument took all images at one magnification, and the bias of the segmentation, if one network "
        "saw material that looks the same. Where these differ between the batches they do not cancel, and "
        "the intervals do not contain them."
    ),
    "px": (
        "Lengths in px compare only if all images have the same pixel size. A bias of the segmentation "
        "cancels in the ratio if one network saw material that looks the same; otherwise it does not, and "
        "the intervals do not contain it."
    ),
}


@dataclass(frozen=True)
class Comparison:
    """Two batches; lengths in `unit`, intervals of 95 %, of the sampling and for this pair alone.

    Attributes:
        a: Name of the first batch.
        b: Of the second; ratios are b over a, differences b minus a.
        unit: "µm" or "px".
        fields_a: Fields with a mean intercept.
        fields_b: The same.
        ratio: Of the geometric means of the fields' mean intercepts: what the tests are about.
        difference_intercept: Of the pooled mean intercepts.
        difference_d50: Of the number-weighted median diameters.
        delta_g: ASTM grain size number of b minus that of a, from the ratio; None in px.
        p: Of no difference (Welch); nan where the fields allow no test.
        p_holm: Corrected for all pairs compared at once.
        p_equivalence: Of a difference as large as the margin (two one-sided tests).
        p_equivalence_holm: Corrected likewise.
        margin_g: Margin of equivalence in grain size numbers.
        wasserstein: Distance of the number-weighted size distributions, the mean displacement between
            percentiles; a description, no test. nan without grains.
        verdict: DIFFERENT, EQUIVALENT or NOT_ENOUGH.
        sentence: The verdict in words.
        fields_needed: Fields per batch from which on any outcome would be a decision, at the scatter seen;
            None where no scatter was seen.
        systematic: Which errors cancel between the batches, in words.
    """

    a: str
    b: str
    unit: str
    fields_a: int
    fields_b: int
    ratio: Estimate
    difference_intercept: Estimate
    difference_d50: Estimate
    delta_g: Estimate | None
    p: float
    p_holm: float
    p_equivalence: float
    p_equivalence_holm: float
    margin_g: float
    wasserstein: float
    verdict: str
    sentence: str
    fields_needed: int | None
    systematic: str


@dataclass(frozen=True, eq=False)
class _Batch:
    name: str
    ln_intercepts: Floats  # (fields,)
    left_out: int
    intercept: Estimate
    d50: Estimate
    diameters: Floats
    weights: Floats

    @property
    def fields(self) -> int:
        return self.ln_intercepts.size

    @property
    def sd(self) -> float | None:
        return float(self.ln_intercepts.std(ddof=1)) if self.fields > 1 else None

    @property
    def all_alike(self) -> bool:
        return self.sd is not None and self.sd < NO_SCATTER


def compare_batches(
    batches: Mapping[str, Sequence[FieldSample]], unit: str, margin_g: float = 0.25
) -> tuple[Comparison, ...]:
    """Compare every batch with every other.

    Args:
        batches: Fields by batch; fields without crossings are left out.
        unit: "µm" or "px", of all lengths.
        margin_g: Differences within ± this many grain size numbers do not matter: 0.25 is a ratio of the mean
            intercepts of 0.917 to 1.091. From MIN_MARGIN_G to MAX_MARGIN_G.

    Returns:
        The pairs, in the order of the batches.

    Raises:
        ValueError: If there are fewer than two batches, the margin is out of its range, the unit is none, or
            fields of a batch have the same name.
    """
    if len(batches) < 2:
        raise ValueError("a comparison needs at least two batches")
    if not MIN_MARGIN_G <= margin_g <= MAX_MARGIN_G:
        raise ValueError(f"margin of {margin_g} G is not from {MIN_MARGIN_G:g} to {MAX_MARGIN_G:g}")
    for samples in batches.values():
        require_samples(samples, unit)
    pairs = list(itertools.combinations([_batch(name, fields) for name, fields in batches.items()], 2))
    tests = [_test(a, b) for a, b in pairs]
    margin = margin_ln(margin_g)
    p = [float(test.p()) for test in tests]
    p_equivalence = [float(test.p_equivalence(margin)) for test in tests]
    tested = sum(not math.isnan(value) for value in p)
    p_holm, p_equivalence_holm = holm(p), holm(p_equivalence)
    return tuple(
        _comparison(*pair, unit, margin_g, test, ps, tested)
        for pair, test, ps in zip(
            pairs, tests, zip(p, p_holm, p_equivalence, p_equivalence_holm, strict=True), strict=True
        )
    )


def margin_ln(margin_g: float) -> float:
    """A difference in G as one of ln mean intercept: G = 2·log2(0.32 mm / ℓ), so ΔG·ln(2)/2."""
    return margin_g * math.log(2) / 2


def difference_estimate(a: Estimate, b: Estimate) -> Estimate:
    """Difference b - a of two independent estimates of lengths, with Welch-Satterthwaite degrees of freedom.

    Args:
        a: With its standard error on the ln scale.
        b: Likewise.

    Returns:
        The difference in the same unit; no interval where either has none.
    """
    value = b.value - a.value
    errors = [np.asarray((estimate.value * estimate.se_ln) ** 2) for estimate in (a, b)]
    total = float(sum(errors))
    if not total > 0:  # nan, too
        return Estimate(value, math.nan, math.nan, math.nan, 0.0)
    df = float(effective_df(errors, [a.df, b.df]))
    reach = t_quantile(df) * math.sqrt(total)
    return Estimate(value, value - reach, value + reach, math.nan, df)


def _batch(name: str, samples: Sequence[FieldSample]) -> _Batch:
    sizes = size_distribution(samples, by_area=False)
    ln_intercepts = np.log(field_intercepts(samples))
    return _Batch(
        name=name,
        ln_intercepts=ln_intercepts,
        left_out=len(samples) - ln_intercepts.size,
        intercept=mean_intercept(samples),
        d50=percentile_estimate(sizes, 0.5),
        diameters=np.exp(sizes.ln_diameter),
        weights=sizes.weight,
    )


def _test(a: _Batch, b: _Batch) -> Welch:
    """Of a batch whose fields are all alike nothing is known about the scatter, so there is no test."""
    nothing = np.asarray(np.nan)
    if not (a.fields and b.fields):
        return Welch(nothing, nothing, nothing)
    found = welch(a.ln_intercepts, b.ln_intercepts)
    return Welch(found.difference, nothing, nothing) if a.all_alike or b.all_alike else found


def _comparison(
    a: _Batch,
    b: _Batch,
    unit: str,
    margin_g: float,
    test: Welch,
    ps: tuple[float, float, float, float],
    tested: int,
) -> Comparison:
    p, p_holm, p_equivalence, p_equivalence_holm = ps
    different, equivalent = p_holm < _SIGNIFICANCE, p_equivalence_holm < _SIGNIFICANCE
    ratio = _ratio(test)
    needed = _fields_needed(a, b, margin_g, tested + math.isnan(p))
    verdict = EQUIVALENT if equivalent else DIFFERENT if different else NOT_ENOUGH
    if math.isnan(p) or needed is None:
        sentences = [_no_test(a, b, needed)]
    else:
        sentences = [_finding(a, b, ratio, p_holm, tested), _decision(verdict, different, margin_g, needed)]
    return Comparison(
        a=a.name,
        b=b.name,
        unit=unit,
        fields_a=a.fields,
        fields_b=b.fields,
        ratio=ratio,
        difference_intercept=difference_estimate(a.intercept, b.intercept),
        difference_d50=difference_estimate(a.d50, b.d50),
        delta_g=_delta_g(ratio) if unit == "µm" else None,
        p=p,
        p_holm=p_holm,
        p_equivalence=p_equivalence,
        p_equivalence_holm=p_equivalence_holm,
        margin_g=margin_g,
        wasserstein=_wasserstein(a, b),
        verdict=verdict,
        sentence=" ".join([*sentences, *_cautions(a, b)]),
        fields_needed=needed,
        systematic=_SYSTEMATIC[unit],
    )


def _ratio(test: Welch) -> Estimate:
    value, error, df = math.exp(test.difference), float(test.error), float(test.df)
    if math.isnan(error):
        return Estimate(value, math.nan, math.nan, math.nan, 0.0) if value > 0 else UNDEFINED
    factor = math.exp(t_quantile(df) * error)
    return Estimate(value, value / factor, value * factor, error, df)


def _delta_g(ratio: Estimate) -> Estimate:
    value, high, low = (-2 * math.log2(number) for number in (ratio.value, ratio.low, ratio.high))
    return Estimate(value, low, high, ratio.se_ln, ratio.df)


def _fields_needed(a: _Batch, b: _Batch, margin_g: float, pairs: int) -> int | None:
    """By the scatter of both batches, or of the one that shows some; Bonferroni's bound on Holm's level."""
    sds = [batch.sd for batch in (a, b) if batch.sd is not None]
    sds = [sd for sd in sds if sd >= NO_SCATTER]
    if not sds:
        return None
    return max(MIN_FIELDS, fields_for_decision(sds[0], sds[-1], margin_ln(margin_g), _SIGNIFICANCE / pairs))


def _wasserstein(a: _Batch, b: _Batch) -> float:
    if not (a.diameters.size and b.diameters.size):
        return math.nan
    return float(stats.wasserstein_distance(a.diameters, b.diameters, a.weights, b.weights))


def _finding(a: _Batch, b: _Batch, ratio: Estimate, p_holm: float, tested: int) -> str:
    value, low, high = (100 * (number - 1) for number in (ratio.value, ratio.low, ratio.high))
    direction = "larger" if value >= 0 else "smaller"
    p = "p < 0.0001" if p_holm < 1e-4 else f"p = {p_holm:.2g}"
    alone, corrected = (" of this pair alone", f" after Holm for {tested} pairs") if tested > 1 else ("", "")
    return (
        f"The geometric mean of the fields' mean intercepts is {abs(value):.1f} % {direction} in {b.name} "
        f"than in {a.name} (95 % sampling interval{alone} {signed(low, 1)} to {signed(high, 1)} %; "
        f"{p}{corrected})."
    )


def _decision(verdict: str, different: bool, margin_g: float, needed: int) -> str:
    within = f"±{margin_g:g} G"
    if verdict == DIFFERENT:
        return "The batches are different."
    if verdict == EQUIVALENT:
        found = "A difference exists, but it" if different else "The difference"
        return f"{found} is smaller than {within}: the batches are equivalent within this margin."
    return (
        f"Not enough fields: neither a difference nor equivalence within {within} is shown; "
        f"{_about(needed)} would decide at this scatter between fields."
    )


def _no_test(a: _Batch, b: _Batch, needed: int | None) -> str:
    few = [batch for batch in (a, b) if batch.fields < 2]
    if not few:
        alike = " and ".join(batch.name for batch in (a, b) if batch.all_alike)
        return (
            f"Not enough fields for {a.name} and {b.name}: the fields of {alike} do not differ at all, so "
            "nothing is known about their scatter; are they copies of one image?"
        )
    counts = " and ".join(f"{each.name} has {'one' if each.fields else 'no'} field" for each in few)
    wanted = f"; {_about(needed)} would decide at the scatter of the other" if needed else ""
    return (
        f"Not enough fields for {a.name} and {b.name}: {counts}, and a batch with fewer than two shows no "
        f"scatter{wanted}."
    )


def _about(needed: int) -> str:
    """Fields per batch; beyond what anybody measures, the exact number is of no use."""
    return f"{f'about {needed}' if needed <= _MOST_FIELDS else f'more than {_MOST_FIELDS}'} fields per batch"


def _cautions(a: _Batch, b: _Batch) -> list[str]:
    cautions = []
    few = [batch.name for batch in (a, b) if 2 <= batch.fields < MIN_FIELDS]
    if few:
        cautions.append(f"Fewer than {MIN_FIELDS} fields in {' and '.join(few)}: the scatter is badly known.")
    for batch in (a, b):
        if batch.left_out:
            are = "is" if batch.left_out == 1 else "are"
            cautions.append(
                f"{counted(batch.left_out, 'field')} of {batch.name} {are} left out: no boundary is crossed."
            )
    return cautions
