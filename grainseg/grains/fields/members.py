"""How far the networks of an ensemble differ in the grain sizes of a field.

Networks that were trained alike and differ tell where none of them knows (Lakshminarayanan, Pritzel &
Blundell 2017, NeurIPS 30). That is no bound of the error: all of them may err together.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from grainseg.grains.wording import percent

DISAGREEMENT_LN = 0.05
"""Standard deviation of ln mean intercept above which a field is flagged: 0.14 in G, more than half of the
margin within which two batches are called equivalent."""


@dataclass(frozen=True)
class MemberSizes:
    """Grain sizes in one network's partition of a field; nan where undefined.

    Attributes:
        mean_intercept_px: Pooled over the four directions, in px of `FieldMeasurement` as the other.
        d50_px: Median of the equivalent circular diameters by number, weighted as in batches.
    """

    mean_intercept_px: float = math.nan
    d50_px: float = math.nan


@dataclass(frozen=True)
class MemberRange:
    """One size over all members.

    Attributes:
        low_px: The least.
        high_px: The greatest.
        sd_ln: Standard deviation of the logarithm (n - 1).
    """

    low_px: float
    high_px: float
    sd_ln: float


@dataclass(frozen=True)
class MemberSpread:
    """All members of an ensemble on one field.

    Attributes:
        count: How many there are, at least 2.
        mean_intercept: None where one of them has no mean intercept.
        d50: None where one of them has no median diameter.
    """

    count: int
    mean_intercept: MemberRange | None
    d50: MemberRange | None


def member_spread(members: Sequence[MemberSizes]) -> MemberSpread | None:
    """Compare the members; None where there is one or none."""
    if len(members) < 2:
        return None
    return MemberSpread(
        len(members),
        _range([each.mean_intercept_px for each in members]),
        _range([each.d50_px for each in members]),
    )


def member_flags(spread: MemberSpread | None) -> Iterator[str]:
    """What a reader must know of the members before trusting a field's figures, one line each."""
    if spread is None:
        return
    found = spread.mean_intercept
    if found is None:
        yield f"one or more of the ensemble's {spread.count} networks find no boundary that can be measured"
    elif found.sd_ln > DISAGREEMENT_LN:
        yield (
            f"the ensemble's {spread.count} networks disagree: their mean intercepts have a standard "
            f"deviation of {percent(found.sd_ln):.1f} %; the uncertainty map shows where"
        )


def _range(values: Sequence[float]) -> MemberRange | None:
    if not all(math.isfinite(value) and value > 0 for value in values):
        return None
    return MemberRange(min(values), max(values), float(np.std(np.log(values), ddof=1)))
