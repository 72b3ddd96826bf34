"""The validation pictures of a finished run: they choose the partition, and are written and scored."""

import functools
import logging
import operator
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from grainseg.config import FolderDataConfig, TrainConfig
from grainseg.data.images import LabelledMicrograph
from grainseg.grains.agreement import fit_threshold
from grainseg.grains.partition import DEFAULT_SETTINGS, grains_or_zeros, partition_or_none
from grainseg.grains.scores import MaskScores, metrics_of_all, score_prediction
from grainseg.micrograph.files import write_png
from grainseg.micrograph.image import FloatImage
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.pipeline.scoring import fit_grains, segmentation_error
from grainseg.pipeline.validation_quality import validation_scores
from grainseg.report.overlay import panel
from grainseg.report.prediction_files import PREDICTIONS, prediction_paths, write_prediction

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
) -> tuple[CheckpointSpec, dict[str, float]]:
    """Choose the partition's settings on the validation pictures, write their predictions and score them.

    Args:
        config: The run.
        spec: What the checkpoint says so far.
        images: They were not trained on.
        probabilities: Theirs, (H, W) float32 in [0, 1].
        run_dir: Its ``predictions/`` takes the files.

    Returns:
        What the checkpoint says from now on: partition, its segmentation error and the scores are new. And
        ``val/iou`` and the rest over all pictures together: the grains' are those of the partition's default
        settings, which chose nothing, under ``val/…_fitted`` those of the chosen ones.
    """
    fitted: dict[str, float] = {}
    if config.partition.name != "none":
        spec, fitted = _fit_partition(config, spec, images, probabilities)
    metrics = _write_and_score(config, spec, images, probabilities, run_dir) | fitted
    kept = validation_scores(metrics, len(images)) if is_real(config) else None
    return replace(spec, validation=kept), metrics


def _fit_partition(
    config: TrainConfig,
    spec: CheckpointSpec,
    images: Sequence[LabelledMicrograph],
    probabilities: list[FloatImage],
) -> tuple[CheckpointSpec, dict[str, float]]:
    """Put the partition fitted to the pictures into the specification, and score their grains with it."""
    settings, scores = fit_grains(
        probabilities,
        [image.label for image in images],
        config.partition.objective,
        config.partition.given(),
    )
    log.info("partition: %s", ", ".join(f"{name} {value:g}" for name, value in asdict(settings).items()))
    error = segmentation_error(scores) if is_real(config) else None
    spec = replace(spec, partition=settings, segmentation=error)
    total = functools.reduce(operator.add, scores)
    return spec, {f"val/{name}_fitted": value for name, value in total.metrics().items()}


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
        paths = prediction_paths(run_dir / PREDICTIONS, Path(image.stem))
        partition = None
        if config.partition.name != "none":
            partition = partition_or_none(probability, spec.partition)
        mask = write_prediction(paths, pixels, probability, spec.threshold, partition)
        write_png(paths.panel, panel(pixels, image.label, probability, mask, tolerance_px))
        default = grains_or_zeros(probability, DEFAULT_SETTINGS)
        scores.append(score_prediction(mask, default, image.label, tolerance_px))
    total = metrics_of_all(scores, [image.regime for image in images])
    threshold, iou = fit_threshold(probabilities, [image.label for image in images])
    fitted = {"val/iou_fitted": iou, "val/threshold_fitted": threshold}
    return {f"val/{name}": value for name, value in total.items()} | fitted
