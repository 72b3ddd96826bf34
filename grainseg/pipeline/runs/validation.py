"""The end of a run: the partition is chosen, and the validation pictures are written and scored."""

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


def is_real(config: TrainConfig) -> bool:
    """Whether scores of the validation pictures say something of the real ones that a prediction is for.

    Those of synthetic pictures do not.
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
        spec: What the checkpoint says so far.
        images: They were not trained on.
        probabilities: Theirs, (H, W) float32 in [0, 1].
        run_dir: Its ``predictions/`` takes the files.
        training: Pictures that were trained on: they choose the partition with the others, where these have
            few grains, and are not scored.

    Returns:
        What the checkpoint says from now on: partition, its segmentation error and the scores are new. And
        ``val/iou`` and the rest over all pictures together: the grains' are those of the partition's default
        settings, which chose nothing, under ``val/…_fitted`` those of the chosen ones.
    """
    fitted: dict[str, float] = {}
    if config.partition.name != "none":
        spec, fitted = _fit_partition(config, spec, images, probabilities, training)
    metrics = _write_and_score(config, spec, images, probabilities, run_dir) | fitted
    kept = validation_scores(metrics, len(images)) if is_real(config) else None
    return replace(spec, validation=kept), metrics


def _fit_partition(
    config: TrainConfig,
    spec: CheckpointSpec,
    images: Sequence[LabelledMicrograph],
    probabilities: list[FloatImage],
    training: Iterable[PredictedGrains],
) -> tuple[CheckpointSpec, dict[str, float]]:
    """Put the fitted partition into the specification, and score the validation pictures' grains with it."""
    pictures = [
        PredictedGrains.of(probability, image.label)
        for probability, image in zip(probabilities, images, strict=True)
    ]
    settings = fit_grains(with_training(pictures, training), config.partition.given())
    scores = [picture.scores(settings) for picture in pictures]
    log.info("partition: %s", ", ".join(f"{name} {value:g}" for name, value in asdict(settings).items()))
    error = segmentation_error(scores) if is_real(config) else None
    spec = replace(spec, partition=settings, segmentation=error)
    return spec, fitted_metrics(scores, "val/")


def fitted_metrics(scores: Iterable[RegionScores], prefix: str) -> dict[str, float]:
    """Scores of grains by the partition that the checkpoint keeps.

    They are over all pictures together, where errors of opposite sign cancel. The root mean square of the
    pictures' own errors of the mean intercept stands beside them.

    Args:
        scores: One per picture, at least one.
        prefix: Of the names, as in ``<prefix>are_fitted``.
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
    """Write the predictions and score them: the grains by the default partition, which chose nothing."""
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
