"""Tune a classical method on labelled pictures, and fit the partition of its boundary maps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from grainseg.baseline.fields import TrainingField
from grainseg.baseline.forest import fit_forest, forest_probability
from grainseg.baseline.ridge import ridge_probability, tune_ridge
from grainseg.data.images import LabelledMicrograph
from grainseg.grains.batches.budget import SegmentationError
from grainseg.grains.closing.partition import PartitionSettings
from grainseg.grains.labels.labelled_grains import label_grains
from grainseg.grains.scoring.agreement import fit_threshold
from grainseg.micrograph.image import FloatImage
from grainseg.pipeline.runs.partition_choice import PredictedGrains, fit_grains, segmentation_error


@dataclass(frozen=True)
class TunedReference:
    """A tuned method.

    Attributes:
        probability: Maps a picture, (H, W) float32 in the unit range, to its boundary probability map, (H, W)
            float32 in [0, 1].
        settings: The tuned settings, in plain values.
    """

    probability: Callable[[FloatImage], FloatImage]
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class FittedReference:
    """A tuned method with the partition fitted to its boundary maps.

    Attributes:
        name: Name of the method.
        reference: The tuned method.
        threshold: Threshold of the mask with the best IoU on the validation pictures; it is used for the
            fitted scores only, not for predictions.
        partition: Settings fitted to the validation pictures.
        segmentation: Error of ln mean intercept on them; None if unknown, see `segmentation_error`.
    """

    name: str
    reference: TunedReference
    threshold: float
    partition: PartitionSettings
    segmentation: SegmentationError | None


def grey(image: LabelledMicrograph) -> FloatImage:
    """Return the picture as the references take it, (H, W)."""
    return image.unit[:, :, 0]


def training_fields(images: Sequence[LabelledMicrograph]) -> list[TrainingField]:
    """Return what the methods are tuned on: grey picture, label and labelled grains of each image."""
    return [TrainingField(grey(image), image.label, label_grains(image.label)) for image in images]


def tune(name: str, fields: Sequence[TrainingField], seed: int) -> TunedReference:
    """Tune a method on labelled pictures.

    Args:
        name: ``ridge`` or ``forest``.
        fields: At least one.
        seed: Seed of the forest.
    """
    if name == "ridge":
        settings, _ = tune_ridge(fields)
        return TunedReference(lambda unit: ridge_probability(unit, settings), asdict(settings))
    forest = fit_forest(fields, seed)
    said = {"grain_px": forest.grain_px, "operating_point": forest.operating_point, "seed": forest.seed}
    return TunedReference(lambda unit: forest_probability(unit, forest), said)


def fit_reference(
    name: str, reference: TunedReference, val: Sequence[LabelledMicrograph], found: Mapping[str, FloatImage]
) -> FittedReference:
    """Fit partition and threshold of a tuned method to the validation pictures.

    Unlike for a network, the training pictures cannot help here: a forest has memorised their pixels.

    Args:
        name: Name of the method.
        reference: The tuned method.
        val: Validation pictures, at least one.
        found: Its boundary maps of these pictures, by stem.
    """
    maps, labels = [found[image.stem] for image in val], [image.label for image in val]
    pictures = [PredictedGrains.of(*picture) for picture in zip(maps, labels, strict=True)]
    settings = fit_grains(pictures)
    error = segmentation_error([picture.scores(settings) for picture in pictures], "the partition")
    threshold, _ = fit_threshold(maps, labels)
    return FittedReference(name, reference, threshold, settings, error)
