"""Overlaps of two partitions of a field, and the sums from which their agreement is computed."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import coo_array

from grainseg.grains.measuring.intercepts import GrainIds
from grainseg.micrograph.arrays import Floats, Ints


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Table of common pixels, with one entry per pair of predicted region and labelled grain that overlap.

    Attributes:
        predicted: (K,) number of the region.
        label: (K,) number of the grain.
        pixels: (K,) number of pixels in both.
    """

    predicted: Ints
    label: Ints
    pixels: Floats

    @property
    def by_predicted(self) -> Floats:
        """Pixels of each region, by its number."""
        return np.bincount(self.predicted, self.pixels).astype(np.float64)

    @property
    def by_label(self) -> Floats:
        """Pixels of each grain, by its number."""
        return np.bincount(self.label, self.pixels).astype(np.float64)

    def joined(self, into: Ints) -> "Overlaps":
        """The table after joining regions; `into` is (N,), the number of the new region for each old one."""
        span = int(self.label.max()) + 1
        pairs, place = np.unique(into[self.predicted] * span + self.label, return_inverse=True)
        return Overlaps(pairs // span, pairs % span, np.bincount(place, self.pixels).astype(np.float64))


@dataclass(frozen=True)
class OverlapSums:
    """Sums over the overlaps of predicted and labelled grains; they can be added over images.

    With n_ij pixels common to predicted grain i and labelled grain j, which have n_i and n_j pixels:

    Attributes:
        pixels: Σ n_ij.
        pairs_common: Σ n_ij (n_ij - 1), ordered pairs of pixels that lie in one grain in both partitions.
        pairs_predicted: Σ n_i (n_i - 1).
        pairs_label: Σ n_j (n_j - 1).
        split_bits: Pixels times the entropy of the prediction given the label.
        merge_bits: Pixels times the entropy of the label given the prediction.
    """

    pixels: float = 0.0
    pairs_common: float = 0.0
    pairs_predicted: float = 0.0
    pairs_label: float = 0.0
    split_bits: float = 0.0
    merge_bits: float = 0.0

    def __add__(self, other: Self) -> "OverlapSums":
        return OverlapSums(
            self.pixels + other.pixels,
            self.pairs_common + other.pairs_common,
            self.pairs_predicted + other.pairs_predicted,
            self.pairs_label + other.pairs_label,
            self.split_bits + other.split_bits,
            self.merge_bits + other.merge_bits,
        )

    @property
    def adapted_rand_error(self) -> float:
        """1 minus the F1 of the pixel pairs that lie in one grain, in [0, 1].

        Arganda-Carreras et al. 2015, Front. Neuroanat. 9:142.
        """
        pairs = self.pairs_predicted + self.pairs_label
        return 1 - 2 * self.pairs_common / pairs if pairs else 0.0

    @property
    def voi_split(self) -> float:
        """Conditional entropy of the prediction given the label, in bits: how much grains were split.

        Meilă 2007, J. Multivariate Anal. 98:873.
        """
        return self.split_bits / self.pixels if self.pixels else 0.0

    @property
    def voi_merge(self) -> float:
        """Conditional entropy of the label given the prediction, in bits: how much grains were merged."""
        return self.merge_bits / self.pixels if self.pixels else 0.0


def overlaps(predicted: GrainIds, label: GrainIds) -> Overlaps:
    """Count the pixels that each pair of regions has in common.

    Args:
        predicted: (P,) region of each judged pixel, not negative.
        label: (P,) grain of each judged pixel.
    """
    ids = predicted.astype(np.int64), label.astype(np.int64)
    table = coo_array((np.ones(predicted.size), ids)).tocsr().tocoo()
    return Overlaps(table.row.astype(np.int64), table.col.astype(np.int64), table.data)


def overlap_sums(table: Overlaps) -> OverlapSums:
    """Compute the sums of a table from `overlaps`."""
    common, by_predicted, by_label = table.pixels, table.by_predicted, table.by_label
    by_predicted, by_label = by_predicted[by_predicted > 0], by_label[by_label > 0]
    bits_common, bits_predicted, bits_label = (
        float(np.sum(each * np.log2(each))) for each in (common, by_predicted, by_label)
    )
    pixels = float(common.sum())
    return OverlapSums(
        pixels=pixels,
        pairs_common=float(np.sum(common**2)) - pixels,
        pairs_predicted=float(np.sum(by_predicted**2)) - pixels,
        pairs_label=float(np.sum(by_label**2)) - pixels,
        split_bits=max(bits_label - bits_common, 0.0),
        merge_bits=max(bits_predicted - bits_common, 0.0),
    )
