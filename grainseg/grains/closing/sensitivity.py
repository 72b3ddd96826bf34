"""How much the grain size depends on the threshold of the boundary map."""

import math
from dataclasses import replace

import numpy as np

from grainseg.grains.closing.partition import PartitionSettings, partition_or_none
from grainseg.grains.measuring.left_out import NOTHING_LEFT_OUT, LeftOut
from grainseg.micrograph.image import FloatImage

REACH = 0.1
"""Largest difference from the chosen threshold at which another one is regarded as equally good."""

_SIDE_PX = 2048
"""Side of the middle part that is evaluated: large enough to estimate the effect; more would take minutes."""


def threshold_sd_ln(
    probability: FloatImage, settings: PartitionSettings, left_out: LeftOut = NOTHING_LEFT_OUT
) -> float | None:
    """Standard uncertainty of ln mean intercept from the choice of the threshold.

    All thresholds within ``REACH`` of the chosen one are taken as equally likely (GUM, JCGM 100:2008, 4.3.7).
    ln mean intercept is assumed to change linearly from the chosen threshold down to the lowest, by a, and up
    to the highest, by b. Its root mean square deviation from the reported value is then √((a² + b²)/6). For a
    steady change this is half the span over √3; it does not vanish where a and b cancel.

    Args:
        probability: (H, W) float32 in [0, 1]; of a map with sides above ``_SIDE_PX``, the middle is used.
        settings: Settings of the partition, with the chosen threshold.
        left_out: Parts of the field that are not measured.

    Returns:
        Not negative; None if at one of the thresholds nothing, or everything, is boundary.
    """
    rows, columns = (
        slice(max(0, (side - _SIDE_PX) // 2), (side + _SIDE_PX) // 2) for side in probability.shape
    )
    middle = np.ascontiguousarray(probability[rows, columns])
    left_out = left_out.window(rows, columns)
    found = []
    for shift in (-REACH, 0.0, REACH):
        threshold = min(max(settings.threshold + shift, 0.01), 0.99)
        partition = partition_or_none(middle, replace(settings, threshold=threshold), left_out.mask)
        if partition is None:
            return None
        found.append(left_out.mean_intercept_px(partition.grains))
    if not all(math.isfinite(length) and length > 0 for length in found):
        return None
    lowest, chosen, highest = map(math.log, found)
    return math.hypot(lowest - chosen, highest - chosen) / math.sqrt(6)
