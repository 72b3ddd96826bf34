"""Do two batches differ, are they equivalent, or are there not enough fields to tell?

The test is Welch's on ln mean intercept. Its unit of replication is the specimen where both batches name two
or more, else the field. Grains pooled over fields are never tested against each other (for example by
Kolmogorov and Smirnov's test): they resemble their neighbours, and such a test takes the scatter between
fields for a difference between batches. In the same way a test over fields takes the scatter between
specimens for such a difference.

A pair is **different** if the test, corrected after Holm for the number of pairs, finds a difference at 5 %.
It is **equivalent** if two one-sided tests, corrected likewise, find the difference smaller than a margin.
Both hold where many fields show a difference that is real but too small to matter. The margin defines what
matters, so the verdict is then equivalent, and the sentence says that a difference exists. If neither holds,
there are **not enough fields**, or specimens.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from grainseg.grains.batches.compared import MIN_REPLICATES, ComparedBatch, compared_batch, unequal_lines
from grainseg.grains.batches.samples import (
    FIELD,
    SPECIMEN,
    UNDEFINED,
    Estimate,
    FieldSample,
    by_specimen,
    require_samples,
    t_quantile,
)
from grainseg.grains.batches.verdict import (
    DIFFERENT,
    EQUIVALENT,
    NOT_ENOUGH,
    cautions,
    decision,
    finding,
    no_test,
    systematic_words,
)
from grainseg.grains.batches.welch import NO_SCATTER, Welch, effective_df, fields_for_decision, holm, welch
from grainseg.grains.measuring.astm import MIN_FIELDS

MIN_MARGIN_G, MAX_MARGIN_G = 0.01, 5.0
"""Range of the margin of equivalence in G: from 0.3 % of the mean intercept, which no measurement resolves,
to a factor of 5.7."""

_SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class Comparison:
    """Comparison of two batches; lengths in `unit`, 95 % sampling intervals for this pair alone.

    Attributes:
        a: Name of batch a.
        b: Name of batch b; ratios are b over a, differences b minus a.
        unit: "µm" or "px".
        fields_a: Number of fields of a with a mean intercept.
        fields_b: The same for b.
        replicate: FIELD or SPECIMEN, the unit of replication of the tests and intervals.
        specimens_a: Number of specimens of a with a mean intercept; None where fields are the unit.
        specimens_b: The same for b.
        ratio: Ratio of the geometric means of the units' mean intercepts, which the tests are about.
        difference_intercept: Difference of the pooled mean intercepts.
        difference_d50: Difference of the number-weighted median diameters.
        delta_g: ASTM grain size number of b minus that of a, from the ratio; None in px.
        p: p-value of no difference (Welch); nan where the units allow no test.
        p_holm: The same, corrected for all pairs compared at once.
        p_equivalence: p-value of a difference as large as the margin (two one-sided tests); the margin is
            reduced by what lines of different width can add to the difference.
        p_equivalence_holm: The same, corrected likewise.
        margin_g: Margin of equivalence in grain size numbers.
        wasserstein: Distance of the number-weighted size distributions, the mean displacement between
            percentiles; a description, no test. nan without grains.
        verdict: DIFFERENT, EQUIVALENT or one of NOT_ENOUGH.
        sentence: The verdict in words.
        needed: Number of new units per batch from which on any outcome would be a decision, at the observed
            scatter; None where no scatter was observed, or unequal lines take up the margin.
        systematic: Which errors cancel between the batches, and which scatter counts, in words.
    """

    a: str
    b: str
    unit: str
    fields_a: int
    fields_b: int
    replicate: str
    specimens_a: int | None
    specimens_b: int | None
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
    needed: int | None
    systematic: str


def compare_batches(
    batches: Mapping[str, Sequence[FieldSample]], unit: str, margin_g: float = 0.25
) -> tuple[Comparison, ...]:
    """Compare every batch with every other.

    Args:
        batches: Fields by batch; fields without crossings have no part in the tests. Where both batches of a
            pair name two specimens or more, specimens are the unit, see `by_specimen`.
        unit: "µm" or "px", the unit of all lengths.
        margin_g: Differences within ± this many grain size numbers do not matter: 0.25 is a ratio of the mean
            intercepts of 0.917 to 1.091. From MIN_MARGIN_G to MAX_MARGIN_G.

    Returns:
        The pairs, in the order of the batches.

    Raises:
        ValueError: If there are fewer than two batches, the margin is out of its range, the unit is neither
            µm nor px, or fields of a batch have the same name.
    """
    if len(batches) < 2:
        raise ValueError("a comparison needs at least two batches")
    if not MIN_MARGIN_G <= margin_g <= MAX_MARGIN_G:
        raise ValueError(f"margin of {margin_g} G is not from {MIN_MARGIN_G:g} to {MAX_MARGIN_G:g}")
    for samples in batches.values():
        require_samples(samples, unit)
    fields = {name: compared_batch(name, FIELD, samples) for name, samples in batches.items()}
    named = {name: by_specimen(samples) for name, samples in batches.items()}
    specimens = {name: compared_batch(name, SPECIMEN, merged) for name, merged in named.items() if merged}
    pairs = []
    for a, b in itertools.combinations(batches, 2):
        units = specimens if a in specimens and b in specimens else fields
        pairs.append((units[a], units[b]))
    tests = [_test(a, b) for a, b in pairs]
    # The margin must also cover the error that lines of different width can add to a difference.
    margins = [margin_ln(margin_g) - unequal_lines(*pair) for pair in pairs]
    p = [float(test.p()) for test in tests]
    p_equivalence = [float(test.p_equivalence(margin)) for test, margin in zip(tests, margins, strict=True)]
    tested = sum(not math.isnan(value) for value in p)
    p_holm, p_equivalence_holm = holm(p), holm(p_equivalence)
    return tuple(
        _comparison(*pair, [fields[batch.name].count for batch in pair], unit, margin_g, test, ps, tested)
        for pair, test, ps in zip(
            pairs, tests, zip(p, p_holm, p_equivalence, p_equivalence_holm, strict=True), strict=True
        )
    )


def margin_ln(margin_g: float) -> float:
    """Convert a difference in G to one in ln mean intercept: G = 2·log2(0.32 mm / ℓ), so ΔG·ln(2)/2."""
    return margin_g * math.log(2) / 2


def difference_estimate(a: Estimate, b: Estimate) -> Estimate:
    """Difference b - a of two independent estimates of lengths, with Welch-Satterthwaite degrees of freedom.

    Args:
        a: Estimate with its standard error on the ln scale.
        b: Likewise.

    Returns:
        The difference in the same unit; no interval where either has none.
    """
    value = b.value - a.value
    errors = [np.asarray((estimate.value * estimate.se_ln) ** 2) for estimate in (a, b)]
    total = float(sum(errors))
    if not total > 0:  # also nan
        return Estimate(value, math.nan, math.nan, math.nan, 0.0)
    df = float(effective_df(errors, [a.df, b.df]))
    reach = t_quantile(df) * math.sqrt(total)
    return Estimate(value, value - reach, value + reach, math.nan, df)


def _test(a: ComparedBatch, b: ComparedBatch) -> Welch:
    """Welch's test; nan where a batch has too few units, or units that are all alike, to know the scatter."""
    nothing = np.asarray(np.nan)
    if not (a.count and b.count):
        return Welch(nothing, nothing, nothing)
    found = welch(a.ln_intercepts, b.ln_intercepts)
    testable = all(each.count >= MIN_REPLICATES and not each.all_alike for each in (a, b))
    return found if testable else Welch(found.difference, nothing, nothing)


def _comparison(
    a: ComparedBatch,
    b: ComparedBatch,
    fields: Sequence[int],
    unit: str,
    margin_g: float,
    test: Welch,
    ps: tuple[float, float, float, float],
    tested: int,
) -> Comparison:
    p, p_holm, p_equivalence, p_equivalence_holm = ps
    different, equivalent = p_holm < _SIGNIFICANCE, p_equivalence_holm < _SIGNIFICANCE
    ratio = _ratio(test)
    delta_g = _delta_g(ratio) if unit == "µm" else None
    needed = _needed(a, b, margin_ln(margin_g) - unequal_lines(a, b), tested + math.isnan(p))
    verdict = EQUIVALENT if equivalent else DIFFERENT if different else NOT_ENOUGH[a.replicate]
    by_specimens = a.replicate == SPECIMEN
    if math.isnan(p):
        sentences = [no_test(a, b, needed)]
    else:
        sentences = [
            finding(a, b, ratio, delta_g, p_holm, tested),
            decision(verdict, different, p_equivalence < _SIGNIFICANCE, ratio, margin_g, needed, a.replicate),
        ]
    return Comparison(
        a=a.name,
        b=b.name,
        unit=unit,
        fields_a=fields[0],
        fields_b=fields[1],
        replicate=a.replicate,
        specimens_a=a.count if by_specimens else None,
        specimens_b=b.count if by_specimens else None,
        ratio=ratio,
        difference_intercept=difference_estimate(a.intercept, b.intercept),
        difference_d50=difference_estimate(a.d50, b.d50),
        delta_g=delta_g,
        p=p,
        p_holm=p_holm,
        p_equivalence=p_equivalence,
        p_equivalence_holm=p_equivalence_holm,
        margin_g=margin_g,
        wasserstein=_wasserstein(a, b),
        verdict=verdict,
        sentence=" ".join([*sentences, *cautions(a, b)]),
        needed=needed,
        systematic=systematic_words(unit, a.replicate),
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


def _needed(a: ComparedBatch, b: ComparedBatch, margin: float, pairs: int) -> int | None:
    """New units per batch that would decide, from the scatter of both batches or of the one that shows some.

    The significance is divided by the number of pairs, Bonferroni's bound on Holm's level.
    """
    sds = [batch.sd for batch in (a, b) if batch.sd is not None]
    sds = [sd for sd in sds if sd >= NO_SCATTER]
    if not sds or margin <= 0:
        return None
    return max(MIN_FIELDS, fields_for_decision(sds[0], sds[-1], margin, _SIGNIFICANCE / pairs))


def _wasserstein(a: ComparedBatch, b: ComparedBatch) -> float:
    if not (a.diameters.size and b.diameters.size):
        return math.nan
    return float(stats.wasserstein_distance(a.diameters, b.diameters, a.weights, b.weights))
