"""Whether to trust a prediction: a doubt score from signs of trouble that need no label.

Signs of the picture (``grainseg.micrograph.checks.appearance``) measure how far it lies from the training
pictures; signs of the prediction measure how sure the network was and how well its lines close. Each sign is
taken in standard deviations from its mean in training, and a logistic function of their weighted sum is the
score. It is about the share of the IoU that is lost, and was fitted once to pictures corrupted in known ways
(``benchmarks/trust.py``). A network's own confidence indicates errors: Hendrycks & Gimpel 2017, ICLR; so does
the distance from the training data: Lee et al. 2018, NeurIPS 31:7167; the quality of a segmentation can be
estimated without its truth: Robinson et al. 2018, MICCAI. The choice and combination of signs is this
project's own.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grainseg.grains.closing.partition import Partition
from grainseg.micrograph.checks.appearance import APPEARANCE, GREY, NOISE, TEXTURE, appearance
from grainseg.micrograph.image import BoolMask, FloatImage

UNCERTAIN, OPEN_ENDS, CLOSED = "uncertain", "open_ends", "closed"
PREDICTED = (UNCERTAIN, OPEN_ENDS, CLOSED)
SIGNS = (*APPEARANCE, *PREDICTED)
"""Names of all signs, in a reference as in the signs that are compared with it."""
Signs = Mapping[str, float]
Reference = Mapping[str, tuple[float, float]]
"""Mean and standard deviation of each sign in training."""

DO_NOT_TRUST = "do not trust the boundaries"
"""First words of the flag."""

UNSURE = (0.2, 0.8)
"""Probabilities between which the network is not sure of a boundary."""
_DIGITS = 4
"""Decimal places of a reference: further digits of a sum depend on the machine, and pictures scatter more."""
_LARGEST = 1000.0
"""Largest magnitude accepted in a reference; no sign reaches it."""


def prediction_signs(
    probability: FloatImage, partition: Partition | None, left_out: BoolMask | None = None
) -> dict[str, float]:
    """Measure the signs of a boundary map.

    Args:
        probability: (H, W) float32 in [0, 1].
        partition: Grains of the map; None where everything is boundary, for which all signs are 1.
        left_out: (H, W), pixels that are not measured, as in the partition.

    Returns:
        ``uncertain``: share below the upper limit of `UNSURE` among the pixels above the lower limit (1 if
        there are none). ``open_ends``: ends of lines per grain; a grain stands for a length of boundary that
        does not depend on the magnification. ``closed``: share of the boundary's length that only the
        partition closed.
    """
    if partition is None:
        return {UNCERTAIN: 1.0, OPEN_ENDS: 1.0, CLOSED: 1.0}
    seen = probability if left_out is None else np.where(left_out, np.float32(0), probability)
    possible = int(np.count_nonzero(seen > UNSURE[0]))
    sure = int(np.count_nonzero(seen >= UNSURE[1]))
    length = partition.boundary_length_px
    return {
        UNCERTAIN: 1 - sure / possible if possible else 1.0,
        OPEN_ENDS: partition.open_ends / max(partition.count, 1),
        CLOSED: partition.closed_length_px / length if length > 0 else 0.0,
    }


def make_reference(appearances: Sequence[Signs], predictions: Sequence[Signs]) -> Reference:
    """Mean and standard deviation of every sign.

    Args:
        appearances: Signs of pictures that trained the network, at least one.
        predictions: Signs of predictions for pictures that it was not trained on, at least one.
    """
    found = {}
    for names, samples in ((APPEARANCE, appearances), (PREDICTED, predictions)):
        for name in names:
            values = np.array([sample[name] for sample in samples])
            sd = float(values.std(ddof=1)) if len(values) > 1 else 0.0
            found[name] = (round(float(values.mean()), _DIGITS), round(sd, _DIGITS))
    return found


def pooled_reference(references: Sequence[Reference]) -> Reference:
    """Reference of several networks together: variance within the networks plus variance of their means."""
    found = {}
    for name in SIGNS:
        means, sds = np.array([each[name] for each in references]).T
        found[name] = (float(means.mean()), float(np.sqrt(np.mean(sds**2) + means.var())))
    return found


def read_reference(values: Mapping[Any, Any]) -> dict[str, tuple[float, float]]:
    """Check a reference from a file.

    Args:
        values: A mean and a standard deviation by the name of each sign.

    Raises:
        ValueError: A sign is missing or unknown, or its values are not floats in their ranges.
    """
    if set(values) != set(SIGNS):
        raise ValueError("the doubt's reference has other signs")
    found = {}
    for name in SIGNS:
        pair = values[name]
        fits = type(pair) in (list, tuple) and len(pair) == 2
        if not (fits and all(type(value) is float and abs(value) <= _LARGEST for value in pair)):
            raise ValueError(f"{name} of the doubt's reference is no pair of numbers in their range")
        if pair[1] < 0:
            raise ValueError(f"{name} of the doubt's reference has a negative standard deviation")
        found[name] = (pair[0], pair[1])
    return found


@dataclass(frozen=True)
class Doubt:
    """Doubt about a prediction, from all signs.

    Attributes:
        score: In (0, 1); near 0 there is no reason for doubt.
        reason: The sign that contributes most, in words.
    """

    score: float
    reason: str

    @property
    def flag(self) -> str | None:
        """A warning in words; None where the score is low enough."""
        if self.score <= FLAG_ABOVE:
            return None
        return (
            f"{DO_NOT_TRUST} before you have seen the overlay: {self.reason} "
            f"(doubt {self.score:.2f}; a flag above {FLAG_ABOVE:g})"
        )


def deviations(signs: Signs, reference: Reference) -> dict[str, float]:
    """Distance of each kind of sign from training, in standard deviations on a logarithmic scale.

    z becomes sign(z)·ln(1 + |z|). Large deviations count less and less, so that no sign outweighs all others;
    but they always count, so that pictures far from the training data keep their order. Grey levels and
    texture may deviate either way; for each, z is the root mean square over its signs. For signs of the
    prediction, more is worse and less is better. A standard deviation below `LEAST_SD` is replaced by it: a
    few similar pictures tell little about how far the next one may lie.

    Returns:
        The distances by the names of `WEIGHTS`.
    """
    z = _standardised(signs, reference)
    found = {
        "grey": math.sqrt(sum(z[name] ** 2 for name in GREY) / len(GREY)),
        "texture": math.sqrt(sum(z[name] ** 2 for name in _BANDS) / len(_BANDS)),
        **{name: z[name] for name in PREDICTED},
    }
    return {name: math.copysign(math.log1p(abs(value)), value) for name, value in found.items()}


def _standardised(signs: Signs, reference: Reference) -> dict[str, float]:
    found = {}
    for name in SIGNS:
        mean, sd = reference[name]
        found[name] = (signs[name] - mean) / max(sd, LEAST_SD[name])
    return found


def doubt_of(
    unit: FloatImage,
    probability: FloatImage,
    partition: Partition | None,
    reference: Reference | None,
    left_out: BoolMask | None = None,
) -> Doubt:
    """Score a predicted picture.

    Args:
        unit: (H, W, C) float32 in the unit range, as the network saw it.
        probability: (H, W) float32 in [0, 1].
        partition: Grains of the map; None where everything is boundary.
        reference: Reference of the network; None takes that of the shipped weights.
        left_out: (H, W), pixels that are not measured and do not count in the signs.
    """
    signs = {**appearance(unit, left_out), **prediction_signs(probability, partition, left_out)}
    return judge(signs, reference)


def judge(signs: Signs, reference: Reference | None) -> Doubt:
    """Score a prediction from its signs.

    Args:
        signs: Signs of the picture and of its prediction, by the names of `SIGNS`.
        reference: Reference of the network; None takes that of the shipped weights.
    """
    reference = DEFAULT_REFERENCE if reference is None else reference
    parts = {name: WEIGHTS[name] * value for name, value in deviations(signs, reference).items()}
    score = 1 / (1 + math.exp(-(BIAS + sum(parts.values()))))
    return Doubt(score, _reason(max(parts, key=parts.__getitem__), signs, _standardised(signs, reference)))


def _reason(kind: str, signs: Signs, z: Mapping[str, float]) -> str:
    if kind == UNCERTAIN:
        return f"{100 * signs[UNCERTAIN]:.0f} % of the boundary's pixels are uncertain"
    if kind == OPEN_ENDS:
        return f"many open ends of lines ({signs[OPEN_ENDS]:.1f} per grain)"
    if kind == CLOSED:
        return f"{100 * signs[CLOSED]:.0f} % of the boundary was not predicted, only closed"
    if kind == "grey":
        return f"{'brighter' if z['grey_50'] > 0 else 'darker'} than the training images"
    furthest = max(_BANDS, key=lambda name: abs(z[name]))
    more = z[furthest] > 0
    if furthest in (NOISE, TEXTURE[0]):
        how = "noisier, or of much finer texture," if more else "less sharp, or more magnified,"
    else:
        how = "of stronger texture" if more else "of weaker texture"
    return f"{how} than the training images"


_BANDS = (*TEXTURE, NOISE)
LEAST_SD = {
    **dict.fromkeys(GREY, 0.08),
    **dict.fromkeys(TEXTURE, 0.2),
    NOISE: 0.4,
    UNCERTAIN: 0.04,
    OPEN_ENDS: 0.1,
    CLOSED: 0.02,
}
"""Least standard deviation of each sign, about that of pictures of one material taken in the same way."""
DEFAULT_REFERENCE: Reference = {
    "grey_10": (0.255, 0.139),
    "grey_50": (0.518, 0.180),
    "grey_90": (0.762, 0.159),
    "texture_1": (-2.690, 0.454),
    "texture_2": (-3.196, 0.312),
    "texture_4": (-3.148, 0.287),
    "texture_8": (-3.276, 0.320),
    NOISE: (-3.244, 0.867),
    UNCERTAIN: (0.387, 0.022),
    OPEN_ENDS: (0.347, 0.070),
    CLOSED: (0.038, 0.012),
}
"""Reference of the shipped weights, whose file has none, and of other networks without one. From 160 patches
of the synthetic stream that trained the U-Net's weights (before it drew scratches from edge to edge), and
from their predictions for 20 plain synthetic fields (``python benchmarks/trust.py reference``, 26 November
2026)."""

BIAS = -3.92
WEIGHTS = {"grey": 0.20, "texture": 0.72, UNCERTAIN: 0.69, OPEN_ENDS: 0.35, CLOSED: 0.52}
"""Weights of the values from `deviations`; `BIAS` is the constant term. Both fitted on 28 November 2026 by
``benchmarks/trust.py`` (docs/robustness.md has the commands) to three networks on corrupted pictures: the
shipped weights on synthetic fields and etched iron, one trained on iron, and one trained on texture."""
FLAG_ABOVE = 0.07
"""Doubt above which a prediction is flagged: half of the fitted predictions above it lost more than
`MUCH_LOST` of their IoU."""
MUCH_LOST = 0.15
"""Lost share of the IoU on the untouched picture above which a prediction counts as bad."""
