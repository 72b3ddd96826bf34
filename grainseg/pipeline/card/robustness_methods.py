"""The methods that a robustness card compares, the network and the tuned references, and their scores."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from grainseg.config.baseline import METHODS
from grainseg.data.images import LabelledMicrograph, to_channels
from grainseg.grains.closing.partition import Partition, PartitionSettings, partition_or_none
from grainseg.grains.labels.labelled_grains import label_grains
from grainseg.grains.scoring.agreement import boundary_counts, pixel_scores
from grainseg.grains.scoring.agreement_regions import region_scores
from grainseg.grains.scoring.scores import THRESHOLD
from grainseg.grains.trust.doubt import doubt_of
from grainseg.grains.trust.lost_boundaries import without_lost_boundaries
from grainseg.grains.trust.robustness import ImageScores
from grainseg.inference.device import choose_device
from grainseg.inference.ensemble import predict_members
from grainseg.inference.predictor import tile_settings
from grainseg.micrograph.corruptions import featureless_places, to_grid
from grainseg.micrograph.image import BOUNDARY, IGNORE, BoolMask, FloatImage
from grainseg.micrograph.morphology import skeleton
from grainseg.micrograph.normalization import to_unit_range
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.pipeline.references.tuning import FittedReference, fit_reference, training_fields, tune

NETWORK = "network"


@dataclass(frozen=True)
class Method:
    """One of the methods compared.

    Attributes:
        name: Name in tables.
        probability: Maps a picture, (H, W, C) float32 in the unit range, to its boundary probability map,
            (H, W) float32 in [0, 1].
        threshold: Threshold of the mask.
        partition: Settings of the partition into grains.
        doubt: Doubt score from the picture in the unit range, its boundary map and its partition; None for a
            method without one.
    """

    name: str
    probability: Callable[[FloatImage], FloatImage]
    threshold: float
    partition: PartitionSettings
    doubt: Callable[[FloatImage, FloatImage, Partition | None], float] | None = None


class Truth:
    """Label of a picture and what the scores need of it, computed once per picture.

    Args:
        image: The untouched picture and its label.
    """

    def __init__(self, image: LabelledMicrograph) -> None:
        self.stem = image.stem
        self.label = image.label
        self.grains = label_grains(image.label)
        self.ignored = np.asarray(image.label == IGNORE, np.bool_)
        self.line = skeleton(np.asarray(image.label == BOUNDARY, np.bool_))
        self.reach_px = math.ceil(image.line_width_px)

    def intercept_left_px(self, lost: BoolMask) -> float:
        """Return the mean intercept of the labelled grains without the boundaries that a picture lost."""
        left = without_lost_boundaries(self.grains, lost)
        return region_scores(left, self.grains, self.ignored).predicted.mean_intercept_px


def network_method(spec: CheckpointSpec, networks: Sequence[nn.Module], accelerator: str) -> Method:
    """Return a network, or an ensemble of several, as a method that works as in prediction.

    Raises:
        GrainsegError: There is no such accelerator.
    """
    for network in networks:
        network.to(choose_device(accelerator, "accelerator"))
    tiles = tile_settings(spec)
    return Method(
        NETWORK,
        lambda unit: predict_members(networks, unit, tiles).probability,
        spec.threshold,
        spec.partition,
        lambda unit, found, grains: doubt_of(unit, found, grains, spec.doubt_reference).score,
    )


def reference_methods(
    train: Sequence[LabelledMicrograph], val: Sequence[LabelledMicrograph], seed: int
) -> list[Method]:
    """Return the classical references, tuned as by ``grainseg baseline``.

    Args:
        train: Grey pictures to tune on, at least one.
        val: Grey pictures that choose the partition, at least one.
        seed: Seed of the forest.
    """
    fields = training_fields(train)
    methods = []
    for name in METHODS:
        reference = tune(name, fields, seed)
        found = {image.stem: reference.probability(image.unit[:, :, 0]) for image in val}
        methods.append(_reference_method(fit_reference(name, reference, val, found)))
    return methods


def _reference_method(fitted: FittedReference) -> Method:
    def probability(unit: FloatImage) -> FloatImage:
        return fitted.reference.probability(to_channels(unit, 1)[:, :, 0])

    return Method(fitted.name, probability, THRESHOLD, fitted.partition)


def score_picture(
    method: Method, picture: FloatImage, truth: Truth, corrupted: bool, tolerance_px: float
) -> ImageScores:
    """Predict a picture and score the prediction on the label's pixels.

    Args:
        method: Method that predicts.
        picture: (h, w, C) float32 in [0, 1], of any size; it shows the same field as the label.
        truth: The label.
        corrupted: Whether to normalise the picture's grey scale as that of a new file; that of an untouched
            picture was normalised when it was read.
        tolerance_px: Tolerance of the boundary F1.
    """
    unit = to_unit_range(picture) if corrupted else picture
    shape = (truth.label.shape[0], truth.label.shape[1])
    seen = method.probability(unit)
    probability = to_grid(seen, shape)
    mask = probability > method.threshold
    partition = partition_or_none(probability, method.partition)
    grains = np.zeros(shape, np.uint32) if partition is None else partition.grains
    regions = region_scores(grains, truth.grains, truth.ignored)
    lost = featureless_places(picture, shape, truth.reach_px)
    doubt = math.nan
    if method.doubt is not None:  # of the prediction at its own resolution, as a user gets it
        own = partition if seen.shape == shape else partition_or_none(seen, method.partition)
        doubt = method.doubt(unit, seen, own)
    return ImageScores(
        image=truth.stem,
        iou=pixel_scores(mask, truth.label).iou,
        boundary_f1=boundary_counts(mask, truth.label, tolerance_px).f1,
        signed_count_error=regions.signed_count_error,
        intercept_px=regions.predicted.mean_intercept_px,
        label_intercept_px=regions.label.mean_intercept_px,
        lost_share=float(lost[truth.line].mean()) if truth.line.any() else 0.0,
        left_intercept_px=truth.intercept_left_px(lost),
        doubt=doubt,
    )
