"""How far the networks of an ensemble differ in the grain sizes of a field.

Where networks that were trained alike differ, none of them knows the answer (Lakshminarayanan, Pritzel &
Blundell 2017, NeurIPS 30). Their difference is no bound of the error: all of them may err together.
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
        mean_intercept_px: Mean intercept pooled over the four directions, in px as in `FieldMeasurement`.
        d50_px: Median equivalent circular diameter by number, weighted as in batches; in the same px.
    """

    mean_intercept_px: float = math.nan
    d50_px: float = math.nan


@dataclass(frozen=True)
class MemberRange:
    """Range and scatter of one grain size over all members.

    Attributes:
        low_px: Smallest value.
        high_px: Largest value.
        sd_ln: Standard deviation of the natural logarithm (n - 1).
    """

    low_px: float
    high_px: float
    sd_ln: float


@dataclass(frozen=True)
class MemberSpread:
    """Grain sizes of a field over all members of an ensemble.

    Attributes:
        count: Number of members, at least 2.
        mean_intercept: Range of the mean intercept; None where a member has none.
        d50: Range of the median diameter; None where a member has none.
    """

    count: int
    mean_intercept: MemberRange | None
    d50: MemberRange | None


def member_spread(members: Sequence[MemberSizes]) -> MemberSpread | None:
    """Compare the members; None for fewer than two."""
    if len(members) < 2:
        return None
    return MemberSpread(
        len(members),
        _range([each.mean_intercept_px for each in members]),
        _range([each.d50_px for each in members]),
    )


def member_flags(spread: MemberSpread | None) -> Iterator[str]:
    """Flags on disagreement of the members, which limits trust in a field's figures; one line each."""
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
