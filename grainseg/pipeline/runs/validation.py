"""Finish a run: choose the partition, and write and score the validation pictures."""

import logging
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from grainseg.config import FolderDataConfig, TrainConfig
from grainseg.data.images import LabelledMicrograph
from grainseg.grains.closing.partition import DEFAULT_SETTINGS, grains_or_zeros, partition_or_none
from grainseg.grains.scoring.agreement import fit_threshold
from grainseg.grains.scoring.agreement_regions import RegionScores
from grainseg.grains.scoring.scores import MaskScores, metrics_of_all, score_prediction, total
from grainseg.micrograph.files import write_png
from grainseg.micrograph.image import FloatImage
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.pipeline.runs.partition_choice import (
    PredictedGrains,
    fit_grains,
    segmentation_error,
    with_training,
)
from grainseg.pipeline.runs.validation_quality import validation_scores
from grainseg.report.files.prediction_files import PREDICTIONS, stem_paths, write_prediction
from grainseg.report.pictures.overlay import panel

log = logging.getLogger(__name__)


def validates_on_real_pictures(config: TrainConfig) -> bool:
    """Return whether the validation pictures are real, not synthetic.

    Scores of synthetic pictures say nothing about the real pictures that a network is to predict.
    """
    return isinstance(config.data, FolderDataConfig)


def finish_validation(
    config: TrainConfig,
    spec: CheckpointSpec,
    images: Sequence[LabelledMicrograph],
    probabilities: list[FloatImage],
    run_dir: Path,
    training: Iterable[PredictedGrains] = (),
) -> tuple[CheckpointSpec, dict[str, float]]:
    """Choose the partition's settings, write the predictions of the validation pictures and score them.

    Args:
        config: The run.
        spec: Specification in the checkpoint so far.
        images: Validation pictures, on which the network was not trained.
        probabilities: Their boundary maps, (H, W) float32 in [0, 1].
        run_dir: Folder of the run; the files go to its ``predictions/``.
        training: Predicted training pictures. They help to choose the partition if the validation pictures
            have few grains, and are not scored.

    Returns:
        The specification with partition, segmentation error and scores updated; and the metrics, ``val/iou``
        etc., over all pictures together. The grain metrics are those of the partition's default settings,
        which were not fitted to these pictures; ``val/…_fitted`` are those of the chosen settings.
    """
    fitted: dict[str, float] = {}
    if config.partition.name != "none":
        spec, fitted = _fit_partition(config, spec, images, probabilities, training)
    metrics = _write_and_score(config, spec, images, probabilities, run_dir) | fitted
    kept = validation_scores(metrics, len(images)) if validates_on_real_pictures(config) else None
    return replace(spec, validation=kept), metrics


def _fit_partition(
    config: TrainConfig,
    spec: CheckpointSpec,
    images: Sequence[LabelledMicrograph],
    probabilities: list[FloatImage],
    training: Iterable[PredictedGrains],
) -> tuple[CheckpointSpec, dict[str, float]]:
    """Add the fitted partition to the specification, and score the validation pictures' grains with it."""
    pictures = [
        PredictedGrains.of(probability, image.label)
        for probability, image in zip(probabilities, images, strict=True)
    ]
    settings = fit_grains(with_training(pictures, training), config.partition.given())
    scores = [picture.scores(settings) for picture in pictures]
    log.info("partition: %s", ", ".join(f"{name} {value:g}" for name, value in asdict(settings).items()))
    error = segmentation_error(scores) if validates_on_real_pictures(config) else None
    spec = replace(spec, partition=settings, segmentation=error)
    return spec, fitted_metrics(scores, "val/")


def fitted_metrics(scores: Iterable[RegionScores], prefix: str) -> dict[str, float]:
    """Return the metrics of grains with the partition that the checkpoint keeps.

    They are computed over all pictures together, where errors of opposite sign cancel. The root mean square
    over the pictures of the error of the mean intercept is therefore added.

    Args:
        scores: One per picture, at least one.
        prefix: Prefix of the names, as in ``<prefix>are_fitted``.
    """
    scores = list(scores)
    metrics = total(scores).metrics()
    root_sum = math.hypot(*(each.signed_intercept_error for each in scores))
    metrics["intercept_error_rms"] = root_sum / math.sqrt(len(scores))
    return {f"{prefix}{name}_fitted": value for name, value in metrics.items()}


def _write_and_score(
    config: TrainConfig,
    spec: CheckpointSpec,
    images: Sequence[LabelledMicrograph],
    probabilities: list[FloatImage],
    run_dir: Path,
) -> dict[str, float]:
    """Write the predictions and score them; the grains by the default partition, which is not fitted."""
    scores: list[MaskScores] = []
    tolerance_px = config.boundary_tolerance_px
    for image, probability in zip(images, probabilities, strict=True):
        pixels = image.unit[:, :, 0] if spec.in_channels == 1 else image.unit
        paths = stem_paths(run_dir / PREDICTIONS, image.stem)
        partition = None
        if config.partition.name != "none":
            partition = partition_or_none(probability, spec.partition)
        mask = write_prediction(paths, pixels, probability, spec.threshold, partition)
        write_png(paths.panel, panel(pixels, image.label, probability, mask, tolerance_px))
        default = grains_or_zeros(probability, DEFAULT_SETTINGS)
        scores.append(score_prediction(mask, default, image.label, tolerance_px))
    metrics = metrics_of_all(scores, [image.regime for image in images])
    threshold, iou = fit_threshold(probabilities, [image.label for image in images])
    fitted = {"val/iou_fitted": iou, "val/threshold_fitted": threshold}
    return {f"val/{name}": value for name, value in metrics.items()} | fitted
