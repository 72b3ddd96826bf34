"""Compare two samples of unequal variance: Welch's test, two one-sided tests, Holm's correction.

Fields are on the last axis, and all functions of arrays broadcast over the other axes, so that one call
serves a pair of batches as well as a simulation of many.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from grainseg.micrograph.arrays import Floats

NO_SCATTER = 1e-9  # standard deviation of ln length below which only rounding is left


@dataclass(frozen=True, eq=False)
class Welch:
    """Difference of two means, b minus a.

    Attributes:
        difference: (…) mean of b minus mean of a.
        error: (…) its standard error; nan where neither sample scatters or one has fewer than two values.
        df: (…) degrees of freedom of Welch (1947, Biometrika 34:28) and Satterthwaite (1946, Biometrics
            Bulletin 2:110); nan likewise.
    """

    difference: Floats
    error: Floats
    df: Floats

    def p(self) -> Floats:
        """Two-sided p-value of no difference."""
        return np.asarray(2 * special.stdtr(self.df, -np.abs(self.difference) / self.error))

    def p_equivalence(self, margin: float) -> Floats:
        """The larger p-value of two one-sided tests (Schuirmann 1987, J. Pharmacokinet. Biopharm. 15:657).

        Args:
            margin: Largest difference in either direction that does not matter; at 0 or less the p-value is
                at least 0.5.

        Returns:
            (…) p-values, small where the difference is shown to lie within the margin.
        """
        return np.asarray(special.stdtr(self.df, (np.abs(self.difference) - margin) / self.error))


def welch(a: Floats, b: Floats) -> Welch:
    """Compare the means of two samples.

    Args:
        a: (…, n) values.
        b: (…, m) values.

    Returns:
        (…) differences.
    """
    difference = b.mean(axis=-1) - a.mean(axis=-1)
    if min(a.shape[-1], b.shape[-1]) < 2:
        nothing = np.full_like(difference, np.nan)
        return Welch(difference, nothing, nothing)
    parts = [_squared_error(a), _squared_error(b)]
    error = np.sqrt(parts[0] + parts[1])
    df = effective_df(parts, [a.shape[-1] - 1.0, b.shape[-1] - 1.0])
    return Welch(difference, np.where(error > 0, error, np.nan), df)


def effective_df(squared_errors: Sequence[Floats], freedoms: Sequence[float]) -> Floats:
    """Degrees of freedom of a sum of independent squared errors; nan where all are 0."""
    total = np.asarray(sum(squared_errors), np.float64)
    shares = np.asarray(
        sum(part**2 / freedom for part, freedom in zip(squared_errors, freedoms, strict=True))
    )
    df = np.full_like(total, np.nan)
    np.divide(total**2, shares, out=df, where=shares > 0)
    return df


def holm(p: Sequence[float]) -> list[float]:
    """Holm's correction for several tests (1979, Scand. J. Statist. 6:65).

    Args:
        p: p-values; nan (no test) does not count as a test.

    Returns:
        Corrected values in the same order; nan stays nan.
    """
    order = sorted((index for index, value in enumerate(p) if not math.isnan(value)), key=lambda i: p[i])
    corrected, running = [math.nan] * len(p), 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * p[index]))
        corrected[index] = running
    return corrected


def fields_for_decision(sd_a: float, sd_b: float, margin: float, significance: float = 0.05) -> int:
    """Fields per batch from which on every outcome is a decision, at the observed scatter.

    At that number the bounds of the two tests meet: (t of the two-sided + t of the one-sided test) · standard
    error ≤ margin. Batches that are equal are then found equivalent, and batches that differ by the margin
    different, with a power of about 95 % each (see docs/metrology.md); differences in between are decided one
    way or the other. The observed difference is not used: power computed from it is a p-value in disguise
    (Hoenig and Heisey 2001, Am. Statist. 55:19).

    Args:
        sd_a: Standard deviation of ln mean intercept over the fields of one batch.
        sd_b: The same for the other batch.
        margin: Margin of the equivalence test, on the same scale; above 0.
        significance: Significance level of either test.

    Returns:
        Number of fields for each of the batches, at least 2.
    """
    variance = sd_a**2 + sd_b**2
    if variance < 2 * NO_SCATTER**2:
        return 2

    def decided(fields: int) -> bool:
        df = (fields - 1) * variance**2 / (sd_a**4 + sd_b**4)
        both = -special.stdtrit(df, significance / 2) - special.stdtrit(df, significance)
        return bool(both * math.sqrt(variance / fields) <= margin)

    # Quantile and error fall with the number of fields, so bisection finds the answer.
    enough = 2
    while not decided(enough):
        enough *= 2
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        enough, too_few = (middle, too_few) if decided(middle) else (enough, middle)
    return enough


def _squared_error(values: Floats) -> Floats:
    """Squared standard error of the mean: (…), 0 where the values differ by rounding only."""
    variance = values.var(axis=-1, ddof=1)
    return np.asarray(np.where(variance < NO_SCATTER**2, 0.0, variance) / values.shape[-1], np.float64)
