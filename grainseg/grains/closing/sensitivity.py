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

    Half the span of ln mean intercept between the thresholds ``REACH`` below and above the chosen one, over
    √3: what the GUM (JCGM 100:2008, 4.3.7) gives a value that may lie anywhere between two bounds.

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
    for shift in (-REACH, REACH):
        threshold = min(max(settings.threshold + shift, 0.01), 0.99)
        partition = partition_or_none(middle, replace(settings, threshold=threshold), left_out.mask)
        if partition is None:
            return None
        found.append(left_out.mean_intercept_px(partition.grains))
    if not all(math.isfinite(length) and length > 0 for length in found):
        return None
    return abs(math.log(found[1] / found[0])) / 2 / math.sqrt(3)
