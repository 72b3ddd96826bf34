"""Measure the grains of each network of an ensemble, one network after the other. Needs no torch."""

from dataclasses import replace

import numpy as np

from grainseg.grains.batches.samples import weighted_percentiles
from grainseg.grains.closing.partition import PartitionSettings, partition_or_none
from grainseg.grains.fields.measure_field import measure_field
from grainseg.grains.fields.members import MemberSizes, MemberSpread, member_spread
from grainseg.micrograph.image import FloatImage
from grainseg.pipeline.pictures.picture import OpenedPicture


class MemberGrains:
    """Collects the grain sizes that each network of an ensemble finds in a picture.

    Args:
        opened: The picture, and the areas that are left out of it.
        settings: Settings of the partition, the same as for the grains of the ensemble's mean.
    """

    def __init__(self, opened: OpenedPicture, settings: PartitionSettings) -> None:
        self._opened = opened
        self._settings = settings
        self._sizes: list[MemberSizes] = []

    def add(self, probability: FloatImage) -> None:
        """Keep mean intercept and median diameter of a network's boundary map, (H, W) float32 in [0, 1]."""
        left_out = self._opened.left_out
        partition = partition_or_none(probability, self._settings, left_out.mask)
        if partition is None:
            self._sizes.append(MemberSizes())
            return
        partition = replace(partition, grains=left_out.of_grains(partition.grains))
        size = self._opened.micrograph.pixel_size
        field = measure_field("", partition.grains, size, partition, left_out.ignored)
        weighted = field.grains.weight > 0
        diameters = np.asarray(field.grains.ecd_px[weighted], np.float64)
        weights = np.asarray(field.grains.weight[weighted], np.float64)
        d50 = float(weighted_percentiles(diameters, weights, [0.5])[0])
        self._sizes.append(MemberSizes(field.mean_intercept_px, d50))

    def spread(self) -> MemberSpread | None:
        """Return how far the networks differ; None for fewer than two networks."""
        return member_spread(self._sizes)
