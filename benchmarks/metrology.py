"""How often the intervals of a batch cover the truth, and how often a comparison of batches errs.

    python benchmarks/metrology.py [--runs 10000] [--tests 40000]

The batches are simulated; their true values are known by integration. A field has a fixed area and its own
deviation u. It has about 150 exp(-2u) grains with log-normal diameters (median exp(u), sd of ln 0.45). Only
grains that do not touch the border count, weighted after Miles and Lantuéjoul. Its crossings scatter by
another 3 %. The intervals are computed by the package's own functions, one batch at a time; the tests for all
batches at once. Prints the tables of docs/metrology.md.
"""

import argparse
import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from scipy import optimize, special, stats

from grainseg.grains.batches.compare import difference_estimate, margin_ln
from grainseg.grains.batches.distribution import bimodality
from grainseg.grains.batches.intervals import (
    effective_number,
    mean_diameter,
    mean_intercept,
    percentile_estimate,
    size_distribution,
)
from grainseg.grains.batches.samples import Estimate, FieldSample
from grainseg.grains.batches.welch import fields_for_decision, welch
from grainseg.micrograph.arrays import Floats, Ints

Scatter = Callable[[Floats], Floats]  # quantile function of u

GRAINS = 150
SD_LN = 0.45
NOISE = 0.03  # of ln intercept within a field: 3 %, as measured for fields 13 grains across
SIDE = math.sqrt(GRAINS * math.pi / 4 * math.exp(2 * SD_LN**2))  # side of the field, in median diameters
FIELDS = (5, 10, 20)
DESIGNS = ((5, 5), (5, 10), (10, 10), (20, 20))
BETWEEN_SPECIMENS = 0.03  # standard deviation of the specimens' ln mean intercepts, where there are specimens
SIZES = ((1,) * 5, (2, 2, 1, 1, 1), (4, 1, 1, 1, 1), (16, 1, 1, 1, 1), (16, 16, 1, 1, 1), (16, *(1,) * 9))
NESTED = ((1, 5), (1, 10), (1, 20), (3, 3), (3, 7), (5, 2), (5, 4), (10, 2))  # specimens, fields of each
SHARES = (0.1, 0.5, 0.9)
NAMES = ("ℓ̄", "mean D", "D10", "D50", "D90", "D10 area", "D50 area", "D90 area")


def normal(sd: float) -> Scatter:
    return lambda share: sd * special.ndtri(share)


def skewed(sd: float) -> Scatter:
    """Exponential, skewness ±2: a few coarse fields (sd > 0) or a few fine ones (sd < 0)."""
    return lambda share: sd * (-np.log1p(-share) - 1)


SCATTERS = {
    "0": normal(0),
    "3 %": normal(0.03),
    "6 %": normal(0.06),
    "10 %": normal(0.1),
    "10 %, some coarse": skewed(0.1),
    "10 %, some fine": skewed(-0.1),
}


def truth(scatter: Scatter) -> list[float]:
    """The values for infinitely many fields, in the order of NAMES."""
    u = scatter((np.arange(20_000) + 0.5) / 20_000)
    number = np.exp(-2 * u) / np.exp(-2 * u).sum()
    area = np.full(u.size, 1 / u.size)
    values = [1 / float(np.mean(np.exp(-u))), float(number @ np.exp(u)) * math.exp(SD_LN**2 / 2)]
    for weight, shift in ((number, 0.0), (area, 2 * SD_LN**2)):
        for share in SHARES:
            below = _excess(weight, u + shift, share)
            values.append(math.exp(optimize.brentq(below, -4, 4)))
    return values


def _excess(weight: Floats, centre: Floats, share: float) -> Callable[[float], float]:
    return lambda ln_size: float(weight @ special.ndtr((ln_size - centre) / SD_LN)) - share


def batch(
    rng: np.random.Generator,
    scatter: Scatter,
    fields: int,
    scale: float = 1.0,
    sizes: Sequence[float] | None = None,
) -> list[FieldSample]:
    """Fields, each as large as GRAINS implies, or `sizes` times that."""
    samples = []
    for index, (u, area) in enumerate(zip(scatter(rng.random(fields)), sizes or [1.0] * fields, strict=True)):
        ln_size = u + SD_LN * rng.standard_normal(rng.poisson(area * GRAINS * math.exp(-2 * u)))
        size = np.exp(ln_size)
        # Probability that a grain does not touch the border.
        seen = np.maximum(1 - size / (SIDE * math.sqrt(area)), 0) ** 2
        keep = rng.random(size.size) < seen
        noise = NOISE / math.sqrt(area)
        length = 400 * area * scale
        crossings = 400 * area * math.exp(-u + noise * rng.standard_normal() - noise**2 / 2)
        samples.append(
            FieldSample(str(index), length, crossings, crossings, scale * size[keep], 1 / seen[keep])
        )
    return samples


def estimates(samples: Sequence[FieldSample]) -> list[Estimate]:
    found = [mean_intercept(samples), mean_diameter(samples)]
    for by_area in (False, True):
        sizes = size_distribution(samples, by_area=by_area)
        found += [percentile_estimate(sizes, share) for share in SHARES]
    return found


def coverage(runs: int) -> None:
    print("\n### Coverage of the 95 % sampling intervals, %\n")
    header(["scatter of the fields", "fields", *NAMES, "… up to the largest", "… without limit"])
    for name, scatter in SCATTERS.items():
        true = truth(scatter)
        for fields in FIELDS:
            rng = np.random.default_rng([fields, len(name)])
            batches = [batch(rng, scatter, fields) for _ in range(runs)]
            found = [estimates(samples) for samples in batches]
            intervals = np.array([[(e.low, e.high) for e in run] for run in found])
            low, high = intervals[..., 0], intervals[..., 1]
            inside = (low <= true) & (true <= high)  # an interval without a limit counts as missed
            covered = (f"{100 * share:.1f}" for share in inside.mean(axis=0))
            largest = [max(float(field.diameters.max()) for field in samples) for samples in batches]
            up_to_largest = 100 * np.mean(high[:, -1] > 0.9999 * np.array(largest))
            row([name, fields, *covered, f"{up_to_largest:.0f}", f"{100 * np.isnan(high[:, -1]).mean():.1f}"])


def unequal_sizes(runs: int) -> None:
    print("\n### Coverage of the 95 % sampling intervals where fields differ in size (scatter 6 %), %\n")
    header(["sizes of the fields", "effective number", "ℓ̄", "mean D", "D50", "D50 area"])
    columns = [NAMES.index(name) for name in ("ℓ̄", "mean D", "D50", "D50 area")]
    scatter = SCATTERS["6 %"]
    true = truth(scatter)
    for sizes in SIZES:
        rng = np.random.default_rng([31, *sizes])
        inside = np.zeros(len(columns))
        for _ in range(runs):
            found = estimates(batch(rng, scatter, len(sizes), sizes=sizes))
            inside += [found[index].low <= true[index] <= found[index].high for index in columns]
        number = effective_number(np.array(sizes, np.float64))
        row([" : ".join(map(str, sizes)), number, *(f"{100 * share / runs:.1f}" for share in inside)])


def differences(runs: int) -> None:
    print("\n### Coverage of the 95 % intervals for differences between batches (ratio 1.1), %\n")
    header(["scatter of the fields", "fields", "Δℓ̄", "ΔD50"])
    for name in ("0", "6 %", "10 %"):
        scatter = SCATTERS[name]
        true = truth(scatter)
        for first, second in DESIGNS[:3]:
            rng = np.random.default_rng([first, second, len(name)])
            covered = np.zeros(2)
            for _ in range(runs):
                a, b = estimates(batch(rng, scatter, first)), estimates(batch(rng, scatter, second, 1.1))
                for column, index in enumerate((0, NAMES.index("D50"))):
                    interval = difference_estimate(a[index], b[index])
                    covered[column] += interval.low <= 0.1 * true[index] <= interval.high
            row([name, f"{first} + {second}", *(f"{100 * value / runs:.1f}" for value in covered)])


def ln_intercepts(rng: np.random.Generator, scatter: Scatter, runs: int, fields: int) -> Floats:
    """(runs, fields) ln mean intercepts of the fields alone."""
    return scatter(rng.random((runs, fields))) + NOISE * rng.standard_normal((runs, fields))


def false_alarms(tests: int) -> None:
    print("\n### False alarms of 'different' between equal batches, %\n")
    header(["scatter of the fields", *(f"{first} + {second}" for first, second in DESIGNS)])
    for name, scatter in SCATTERS.items():
        rng = np.random.default_rng([7, len(name)])
        rates = []
        for first, second in DESIGNS:
            a, b = (ln_intercepts(rng, scatter, tests, fields) for fields in (first, second))
            rates.append(f"{100 * np.mean(welch(a, b).p() < 0.05):.2f}")
        row([name, *rates])


def few_fields(tests: int) -> None:
    print("\n### False alarms of few fields against many, by the ratio of their scatters, %\n")
    ratios = (0.5, 1.0, 2.0)
    header(["fields", *(f"{ratio:g}" for ratio in ratios)])
    for first, second in ((2, 2), (2, 6), (2, 20), (3, 3), (3, 10), (3, 30), (4, 40), (5, 50)):
        rng = np.random.default_rng([23, first, second])
        rates = []
        for ratio in ratios:
            a, b = (ln_intercepts(rng, normal(0.06), tests, fields) for fields in (first, second))
            rates.append(f"{100 * np.mean(welch(ratio * a, b).p() < 0.05):.1f}")
        row([f"{first} + {second}", *rates])


def nested(tests: int) -> None:
    print("\n### False alarms where specimens scatter, by what is taken for the unit, %\n")
    header(["specimens of each batch", "fields of each specimen", "fields", "specimens"])
    for specimens, fields in NESTED:
        rng = np.random.default_rng([19, specimens, fields])
        a, b = (_on_specimens(rng, tests, specimens, fields) for _ in range(2))
        found = [welch(a.reshape(tests, -1), b.reshape(tests, -1)).p() < 0.05]
        if specimens > 1:  # a specimen's total length over its total crossings; its fields have one size
            found.append(welch(*(-np.log(np.exp(-each).mean(axis=2)) for each in (a, b))).p() < 0.05)
        rates = [f"{100 * np.mean(each):.1f}" for each in found]
        row([specimens, fields, *rates, *(["–"] if specimens == 1 else [])])


def _on_specimens(rng: np.random.Generator, tests: int, specimens: int, fields: int) -> Floats:
    """(tests, specimens, fields) ln mean intercepts, the fields of a specimen with a scatter of 4 %."""
    alone = ln_intercepts(rng, normal(0.04), tests, specimens * fields).reshape(tests, specimens, fields)
    return alone + BETWEEN_SPECIMENS * rng.standard_normal((tests, specimens, 1))


def power(tests: int) -> None:
    print("\n### Verdicts by the true ratio of the mean intercepts (margin ±0.25 G), %\n")
    header(["scatter of the fields", "fields", "ratio", "p < 0.05", "different", "equivalent", "not enough"])
    margin = margin_ln(0.25)
    for name in ("3 %", "6 %", "10 %"):
        for fields in (5, 10, 20):
            for ratio in (1.0, 1.05, 1.1, 1.2):
                rng = np.random.default_rng([fields, len(name), round(100 * ratio)])
                a, b = (ln_intercepts(rng, SCATTERS[name], tests, fields) for _ in range(2))
                test = welch(a, b + math.log(ratio))
                found, equivalent = test.p() < 0.05, test.p_equivalence(margin) < 0.05
                shares = [found, found & ~equivalent, equivalent, ~found & ~equivalent]
                row([name, fields, ratio, *(f"{100 * np.mean(share):.1f}" for share in shares)])


def decisions(tests: int) -> None:
    print("\n### At the number of fields that the comparison asks for, %\n")
    header(["scatter of the fields", "fields", "equal: equivalent", "apart by the margin: different"])
    margin = margin_ln(0.25)
    for name, sd in (("0", 0.0), ("3 %", 0.03), ("6 %", 0.06), ("10 %", 0.1)):
        total = math.hypot(sd, NOISE)
        fields = fields_for_decision(total, total, margin)
        rng = np.random.default_rng([11, len(name)])
        a, b = (ln_intercepts(rng, SCATTERS[name], tests, fields) for _ in range(2))
        equivalent = np.mean(welch(a, b).p_equivalence(margin) < 0.05)
        different = np.mean(welch(a, b + margin).p() < 0.05)
        row([name, fields, f"{100 * equivalent:.1f}", f"{100 * different:.1f}"])


def extended(tests: int) -> None:
    print("\n### Equal batches called different in the end, by how undecided ones go on, %\n")
    header(["scatter of the fields", "fields", "first alone", "added once", "new ones alone", "one by one"])
    for name, sd in (("3 %", 0.03), ("6 %", 0.06), ("10 %", 0.1)):
        for first in (5, 10):
            rng = np.random.default_rng([29, first, len(name)])
            a, b = (ln_intercepts(rng, normal(sd), tests, 40) for _ in range(2))
            verdict = _verdicts(a[:, :first], b[:, :first])
            ever = verdict.copy()
            for fields in range(first + 1, 41):
                ever = np.where(ever == 0, _verdicts(a[:, :fields], b[:, :fields]), ever)
            added, new = verdict.copy(), verdict.copy()
            for run in np.flatnonzero(verdict == 0):
                sd_a, sd_b = (float(each[run, :first].std(ddof=1)) for each in (a, b))
                wanted = max(first + 1, fields_for_decision(sd_a, sd_b, margin_ln(0.25)))
                later = [ln_intercepts(rng, normal(sd), 1, wanted) for _ in range(2)]
                new[run] = _verdicts(*later)[0]
                both = ((each[run : run + 1, :first], more) for each, more in zip((a, b), later, strict=True))
                added[run] = _verdicts(*(np.hstack((old, more[:, first:])) for old, more in both))[0]
            row([name, first, *(f"{100 * np.mean(each == 1):.1f}" for each in (verdict, added, new, ever))])


def _verdicts(a: Floats, b: Floats) -> Ints:
    """(runs,) 1 where batches are called different, -1 where equivalent, 0 where neither."""
    test = welch(a, b)
    return np.where(test.p_equivalence(margin_ln(0.25)) < 0.05, -1, (test.p() < 0.05).astype(np.int64))


def two_populations(runs: int) -> None:
    print("\n### How often a batch is called bimodal, %\n")
    header(["grains", "fields", "bimodal"])
    rng = np.random.default_rng(13)
    for name in ("0", "6 %", "10 %", "10 %, some coarse"):
        for fields in (5, 20):
            pooled = (
                size_distribution(batch(rng, SCATTERS[name], fields), by_area=False) for _ in range(runs)
            )
            called = [bimodality(sizes.ln_diameter, sizes.weight)[0] for sizes in pooled]
            row([f"log-normal, scatter {name}", fields, f"{100 * np.mean(called):.1f}"])
    for ratio, area in ((1.0, 0.5), (2.0, 0.5), (3.0, 0.5), (3.0, 0.2), (4.0, 0.2)):
        for fields in (5, 20):
            called = [bimodality(*_duplex(rng, fields * GRAINS, ratio, area))[0] for _ in range(runs)]
            label = f"duplex, diameters 1 : {ratio:g}, {100 * area:g} % of the area coarse"
            row(["Poisson-Voronoi areas" if ratio == 1 else label, fields, f"{100 * np.mean(called):.1f}"])


def _duplex(rng: np.random.Generator, grains: int, ratio: float, area: float) -> tuple[Floats, Floats]:
    """Two populations whose areas scatter as those of Poisson-Voronoi cells.

    Areas follow a gamma distribution of shape 3.5 (Ferenc and Néda 2007, Physica A 385:518).
    """
    number = area / ratio**2 / (area / ratio**2 + 1 - area)
    ln_size = np.log(rng.gamma(3.5, size=grains)) / 2 + math.log(ratio) * (rng.random(grains) < number)
    return np.sort(ln_size), np.ones(grains)


def pooled_grains(tests: int) -> None:
    print("\n### What it would be on pooled grains: Kolmogorov-Smirnov test, 5 + 5 fields, %\n")
    header(["scatter of the fields", "false alarms"])
    for name in ("0", "3 %", "6 %", "10 %"):
        rng = np.random.default_rng([17, len(name)])
        alarms = 0
        for _ in range(tests):
            a, b = (np.concatenate([s.diameters for s in batch(rng, SCATTERS[name], 5)]) for _ in range(2))
            alarms += stats.ks_2samp(a, b, method="asymp").pvalue < 0.05
        row([name, f"{100 * alarms / tests:.1f}"])


def header(cells: Sequence[str]) -> None:
    row(cells)
    row(["---"] * len(cells))


def row(cells: Iterable[object]) -> None:
    print("|", " | ".join(str(cell) for cell in cells), "|", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000, help="batches per line of the coverage tables")
    parser.add_argument("--tests", type=int, default=40_000, help="pairs of batches per figure of the tests")
    arguments = parser.parse_args()
    coverage(arguments.runs)
    unequal_sizes(arguments.runs // 5)
    differences(arguments.runs)
    false_alarms(arguments.tests)
    few_fields(arguments.tests)
    nested(arguments.tests)
    power(arguments.tests)
    decisions(arguments.tests)
    extended(arguments.tests // 4)
    two_populations(arguments.runs // 10)
    pooled_grains(arguments.runs // 10)


if __name__ == "__main__":
    main()
