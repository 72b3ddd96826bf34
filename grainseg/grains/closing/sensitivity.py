"""How much the threshold of the boundary map decides about the grain size."""

import math
from dataclasses import replace

import numpy as np

from grainseg.grains.closing.partition import PartitionSettings, partition_or_none
from grainseg.grains.measuring.left_out import NOTHING_LEFT_OUT, LeftOut
from grainseg.micrograph.image import FloatImage

REACH = 0.1
"""Thresholds within this of the chosen one could as well have been chosen."""

_SIDE_PX = 2048
"""A middle part this large tells the shift of a field; larger ones cost minutes."""


def threshold_sd_ln(
    probability: FloatImage, settings: PartitionSettings, left_out: LeftOut = NOTHING_LEFT_OUT
) -> float | None:
    """Standard uncertainty of ln mean intercept from the choice of the threshold.

    Any threshold within ``REACH`` of the chosen one could as well have been chosen, each as likely (GUM,
    JCGM 100:2008, 4.3.7). ln mean intercept is taken to change linearly from the chosen threshold down to the
    lowest, by a, and up to the highest, by b. Its root mean square about the value that is reported is then
    √((a² + b²)/6): for a steady shift half the span over √3, and not nothing where a and b cancel.

    Args:
        probability: (H, W) float32 in [0, 1]; of larger maps the middle is looked at.
        settings: Of the partition, with the chosen threshold.
        left_out: What of the field is not measured.

    Returns:
        Not negative; None where one of the thresholds leaves no boundary, or nothing else.
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
