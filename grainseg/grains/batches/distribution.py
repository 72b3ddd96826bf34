"""Shape of a size distribution: how log-normal it is, and whether it consists of two populations."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from grainseg.grains.batches.samples import cumulated_shares, interpolated, weighted_moments
from grainseg.grains.wording import counted
from grainseg.micrograph.arrays import Floats

_FEWEST_GRAINS = 50  # effective number; fewer cannot show two populations
_BINS = 256
_ITERATIONS = 300
_STARTS = (0.1, 0.5, 0.9, 0.97)  # cumulated shares at which the fit splits the grains at its start
_NARROWEST = 0.1  # share of the whole spread; a narrower component has collapsed onto a few grains
_BIC_DIFFERENCE = 10.0  # "very strong": Kass and Raftery 1995, J. Am. Statist. Assoc. 90:773
_SEPARATION = 2.0  # Ashman, Bird and Zepf 1994, Astron. J. 108:2348
_SMALLEST_AREA = 0.05  # share of the area
_FEWEST_IN_POPULATION = 10
_LEAST_RATIO = 1.3  # of the diameters; below it, the noise of the raster can split grains of one size


@dataclass(frozen=True)
class LogNormalFit:
    """Log-normal distribution fitted to grain diameters, and its distance from the data.

    Attributes:
        mean_ln: Weighted mean of ln diameter; `exp(mean_ln)` is the geometric mean in the diameter's unit.
        sd_ln: Weighted standard deviation of ln diameter; `exp(sd_ln)` is the multiplicative one.
        distance: Kolmogorov-Smirnov distance of the fit, 0-1; a description, never a test, since grains of a
            field are not independent.
    """

    mean_ln: float
    sd_ln: float
    distance: float


@dataclass(frozen=True, eq=False)
class _Mixture:
    share: Floats  # (2,) of the grains
    mean: Floats  # (2,) of ln diameter
    sd: Floats  # (2,)
    log_likelihood: float
    area_share: Floats  # (2,) of the area


def lognormal_fit(ln_diameter: Floats, weights: Floats) -> LogNormalFit:
    """Fit a log-normal distribution by weighted moments of the logarithm.

    Args:
        ln_diameter: (n,) ascending.
        weights: (n,) above 0.

    Returns:
        The fit; nan without grains, a distance of nan where all grains have one size.
    """
    if ln_diameter.size == 0:
        return LogNormalFit(math.nan, math.nan, math.nan)
    mean, sd = weighted_moments(ln_diameter, weights)
    if sd <= 1e-9:
        return LogNormalFit(mean, 0.0, math.nan)
    fitted = special.ndtr((ln_diameter - mean) / sd)
    half = weights / weights.sum() / 2
    middle = cumulated_shares(weights)
    distance = max(np.max(np.abs(middle + half - fitted)), np.max(np.abs(middle - half - fitted)))
    return LogNormalFit(mean, sd, float(distance))


def bimodality(ln_diameter: Floats, weights: Floats) -> tuple[bool, str]:
    """Decide whether the grains are two populations, and report how it was decided.

    One and two log-normal distributions are fitted (expectation maximisation: Dempster, Laird and Rubin
    1977, J. R. Statist. Soc. B 39:1, on a histogram). Two populations are reported where all of these hold:
    Schwarz's criterion (1978, Ann. Statist. 6:461) prefers two by more than 10; their separation
    |m1 - m2| / √((s1² + s2²) / 2) exceeds 2; the coarse grains are at least 1.3 times as large as the fine
    ones, so that the raster's noise does not count as a population; each population holds 5 % of the area or
    more, so that specks do not count as one; and each holds 10 grains or more. The number of weighted grains
    is Kish's effective number (Σw)²/Σw² (1965, Survey Sampling).

    Args:
        ln_diameter: (n,) ascending.
        weights: (n,) above 0.

    Returns:
        Whether there are two populations, and a sentence that gives the reason.
    """
    grains = float(weights.sum() ** 2 / (weights @ weights)) if weights.size else 0.0
    if grains < _FEWEST_GRAINS:
        return False, f"not examined: fewer than {_FEWEST_GRAINS} grains"
    mean, sd = weighted_moments(ln_diameter, weights)
    if sd <= 1e-9:
        return False, "one population: all grains have the same size"
    counts, edges = np.histogram((ln_diameter - mean) / sd, _BINS, weights=weights * grains / weights.sum())
    values = (edges[1:] + edges[:-1]) / 2
    starts = interpolated((ln_diameter - mean) / sd, cumulated_shares(weights), _STARTS)
    fits = [_fit_two(values, counts, float(start), sd) for start in starts]
    best = max(fits, key=lambda fit: fit.log_likelihood)
    gain = 2 * (best.log_likelihood - _one_log_likelihood(values, counts)) - 3 * math.log(grains)
    separation = float(abs(best.mean[1] - best.mean[0]) / math.sqrt(np.mean(best.sd**2)))
    ratio = math.exp(float(np.ptp(best.mean)) * sd)
    fewest, smallest = float(best.share.min()) * grains, float(best.area_share.min())
    reasons = {
        _preferred(gain): gain > _BIC_DIFFERENCE,
        f"the two that fit best lie {_below(separation, _SEPARATION, 1)} standard deviations apart, not more "
        f"than {_SEPARATION:.0f}": separation > _SEPARATION,
        f"the grains of one would be {_below(ratio, _LEAST_RATIO, 2)} times as large as the other's, less "
        f"than {_LEAST_RATIO:g}": ratio >= _LEAST_RATIO,
        f"the smaller holds {_below(100 * smallest, 100 * _SMALLEST_AREA, 1)} % of the area, less than "
        f"{100 * _SMALLEST_AREA:.0f} %": smallest >= _SMALLEST_AREA,
        f"the smaller holds {counted(min(round(fewest), _FEWEST_IN_POPULATION - 1), 'grain')}, fewer than "
        f"{_FEWEST_IN_POPULATION}": fewest >= _FEWEST_IN_POPULATION,
    }
    missed = [reason for reason, holds in reasons.items() if not holds]
    if missed:
        return False, f"one population: {missed[0]}"
    coarse = int(best.mean.argmax())
    return True, (
        f"two populations: the coarse one's grains are {ratio:.1f} times the fine one's in diameter and hold "
        f"{100 * best.area_share[coarse]:.0f} % of the area ({separation:.1f} standard deviations apart, "
        f"preferred by {gain:.0f} by Schwarz's criterion)"
    )


def _preferred(gain: float) -> str:
    """Result of Schwarz's criterion where it does not prefer two populations by enough, in words."""
    if gain <= 0:
        return f"Schwarz's criterion prefers one, by {abs(gain):.1f}"
    limit = _BIC_DIFFERENCE
    return f"Schwarz's criterion prefers two by {_below(gain, limit, 1)} only, not by more than {limit:.0f}"


def _below(value: float, limit: float, places: int) -> str:
    """A number below a limit, rounded, but never to the limit itself."""
    return f"{min(value, limit - 10.0**-places):.{places}f}"


def _one_log_likelihood(values: Floats, counts: Floats) -> float:
    return float(counts @ _ln_normal_density(values, *weighted_moments(values, counts)))


def _fit_two(values: Floats, counts: Floats, start: float, scale: float) -> _Mixture:
    """Fit two normal components by expectation maximisation, starting from a split at `start`.

    `values` and `start` are in units of `scale`, the standard deviation of ln diameter.
    """
    # (2, bins): the probability that a grain of each bin belongs to each component.
    belongs = np.stack([values <= start, values > start]).astype(np.float64)
    belongs = 0.9 * belongs + 0.05
    likelihood = -math.inf
    for _ in range(_ITERATIONS):
        held = belongs * counts
        size = held.sum(axis=1)
        share, mean = size / size.sum(), held @ values / size
        spread = np.sum(held * (values - mean[:, None]) ** 2, axis=1) / size
        sd = np.sqrt(np.maximum(spread, _NARROWEST**2))
        density = np.log(share)[:, None] + _ln_normal_density(values, mean[:, None], sd[:, None])
        together = np.logaddexp(density[0], density[1])
        belongs = np.exp(density - together)
        before, likelihood = likelihood, float(counts @ together)
        if likelihood - before < 1e-3:
            break
    area = belongs * counts @ np.exp(2 * scale * values)
    return _Mixture(share, mean, sd, likelihood, area / area.sum())


def _ln_normal_density(values: Floats, mean: Floats | float, sd: Floats | float) -> Floats:
    """Logarithm of the normal density."""
    return np.asarray(-0.5 * ((values - mean) / sd) ** 2 - np.log(sd) - 0.5 * math.log(2 * math.pi))
