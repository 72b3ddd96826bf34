"""Training: data, network, trainer and logger are put together here, and the best checkpoint is scored."""

import functools
import logging
import math
import operator
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from lightning import Trainer, seed_everything
from torch import nn

from grainseg.config import FolderDataConfig, TrainConfig
from grainseg.data.images import LabelledMicrograph
from grainseg.data.source import TrainingData
from grainseg.errors import GrainsegError
from grainseg.grains.agreement import fit_threshold
from grainseg.grains.labelled_grains import holes_in_lines
from grainseg.grains.partition import (
    DEFAULT_SETTINGS,
    FEW_PINHOLES,
    PINHOLE_PX,
    grains_or_zeros,
    partition_or_none,
)
from grainseg.inference.predictor import predict_probability, tile_settings
from grainseg.micrograph.files import write_png
from grainseg.micrograph.image import FloatImage
from grainseg.model.checkpoint import (
    CheckpointSpec,
    add_to_checkpoint,
    load_network,
)
from grainseg.model.generic import load_generic
from grainseg.model.losses import build_loss
from grainseg.model.networks import NetworkSpec, build_network, parameter_count
from grainseg.model.shrinking import look_shrunk
from grainseg.pipeline.doubt_reference import training_reference
from grainseg.pipeline.failures import tell_left_out
from grainseg.pipeline.observer import generic_observer
from grainseg.pipeline.resuming import bring_best, check_resume, refused_if_damaged, require_same_shrink
from grainseg.pipeline.scoring import (
    MaskScores,
    fit_grains,
    regime_ious,
    score_prediction,
    segmentation_error,
    tolerance_warnings,
)
from grainseg.pipeline.validation_quality import few_grains_warning, quality_lines, validation_scores
from grainseg.report.metrics_file import METRICS, write_metrics
from grainseg.report.overlay import panel
from grainseg.report.prediction_files import PREDICTIONS, PredictionPaths, prediction_paths, write_prediction
from grainseg.training.board import log_score
from grainseg.training.datamodule import BoundaryDataModule
from grainseg.training.metrics import THRESHOLD
from grainseg.training.module import BoundaryModule
from grainseg.training.optimizers import build_optimizers
from grainseg.training.run_folder import TENSORBOARD, checkpoint_path, require_free
from grainseg.training.runtime import quiet_lightning
from grainseg.training.trainer import build_trainer

log = logging.getLogger(__name__)


def train(config: TrainConfig, run_dir: Path, *, fold: bool = False) -> dict[str, float]:
    """Train, choose the best checkpoint on the validation pictures, and predict these with it.

    Args:
        config: The run.
        run_dir: Folder that takes ``checkpoints/``, ``predictions/``, ``config.yaml``, ``metrics.json`` and
            the TensorBoard events.
        fold: Whether it is one of a leave-one-out run, whose images choose the partition together.

    Returns:
        What ``metrics.json`` holds: ``val/iou`` and the rest, all of the best checkpoint. In a run of several
        processes, all but the first return an empty dict.

    Raises:
        GrainsegError: The configuration or the data cannot be used.
    """
    quiet_lightning()
    seed_everything(config.seed, workers=True, verbose=False)
    # What can be wrong without reading any data comes first.
    resumed: CheckpointSpec | None = None
    if config.resume is not None:
        resumed = check_resume(config, network_spec(config), Path(config.resume))
    trainer = build_trainer(config, run_dir, 0 if resumed is None else resumed.steps)
    if resumed is None and trainer.is_global_zero:
        require_free(run_dir)
    network = _build_network(config)
    data = _read_data(config, fold)
    if config.resume is not None and resumed is not None:
        require_same_shrink(config, resumed, data.data.shrink)
        bring_best(Path(config.resume), run_dir)
    module = _build_module(config, network, data)

    run_dir.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with refused_if_damaged(Path(config.resume or "")):
        trainer.fit(module, data, ckpt_path=config.resume, weights_only=True)
    metrics = _score_best(config, trainer, module, data, run_dir)
    metrics |= {"train/line_width_px": data.data.line_width_px, "train/shrink": float(data.data.shrink)}
    down, right = data.data.label_offset_px
    metrics |= {"train/label_offset_down_px": down, "train/label_offset_right_px": right}
    if config.resume is None:  # the time of a part would say nothing
        metrics |= {"train/seconds": time.monotonic() - started}
    if trainer.is_global_zero:
        write_metrics(run_dir / METRICS, metrics)
    return metrics if trainer.is_global_zero else {}


def network_spec(config: TrainConfig) -> NetworkSpec:
    """The network that a configuration asks for."""
    model = config.model
    return NetworkSpec(
        model.architecture, model.encoder, model.in_channels, model.decoder_width, dict(model.options)
    )


def _build_network(config: TrainConfig) -> nn.Module:
    """The network as it is before the first step; a resumed run takes its weights from its checkpoint."""
    spec = network_spec(config)
    init = config.model.init if config.resume is None else "scratch"
    network = build_network(spec, "imagenet" if init == "imagenet" else None)
    if init == "generic":
        load_generic(network, spec)
    return network


def _read_data(config: TrainConfig, fold: bool) -> BoundaryDataModule:
    data = BoundaryDataModule(
        config.data,
        config.augment,
        config.model.in_channels,
        config.batch_size,
        config.seed,
        generic_observer(),
    )
    data.prepare_data()
    data.setup()
    _tell_of(data.data)
    few = few_grains_warning([image.label for image in data.data.val_images])
    if few is not None and is_real(config) and not fold:
        log.warning("%s", few)
    for warning in tolerance_warnings(config.boundary_tolerance_px, data.data.intercept_px):
        log.warning("%s", warning)
    return data


def _tell_of(opened: TrainingData) -> None:
    """Say what trains, and what of the labels may surprise their maker."""
    tell_left_out(opened.left_out)
    log.info("train on %s", opened.trains_on)
    for part, images in (("val", opened.val_images), ("test", opened.test_images)):
        if images:
            log.info("%s on %s", part, ", ".join(image.stem for image in images))
    for image in (*opened.val_images, *opened.test_images):
        holes, places = holes_in_lines(image.label)
        if holes > FEW_PINHOLES * places:
            log.warning(
                "%s: of the %d places that its lines enclose %d have %d pixels or fewer: if these are holes "
                "in the lines, fill them, since they count as grains in scores and in the partition's fit",
                image.stem,
                places,
                holes,
                PINHOLE_PX,
            )
    log.info("lines of the labels: %.1f px wide on average", opened.line_width_px)
    if opened.shrink > 1:
        log.info(
            "mean intercept of the labels %.0f px: the network sees pictures shrunk by %d, and answers at "
            "their own size (data.shrink)",
            opened.intercept_px or math.nan,
            opened.shrink,
        )
    if any(opened.label_offset_px):
        down, right = opened.label_offset_px
        log.info(
            "the labels lie %+.2f px down and %+.2f px to the right of what the pictures show: "
            "learnt without, and given back to predictions (data.label_offset)",
            down,
            right,
        )
    if opened.labelled_share < 1:
        log.info("labelled: %.0f %% of the training pixels", 100 * opened.labelled_share)
    for warning in opened.warnings:
        log.warning("%s", warning)


def _build_module(config: TrainConfig, network: nn.Module, data: BoundaryDataModule) -> BoundaryModule:
    log.info("network: %.1f million parameters", parameter_count(network) / 1e6)
    spec = CheckpointSpec(
        **vars(network_spec(config)),
        tile_size=config.inference.tile_size,
        overlap=config.inference.overlap,
        tta=config.inference.tta,
        threshold=THRESHOLD,
        line_width_px=data.data.line_width_px,
        seed=config.seed,
        pixel_size_um=data.data.pixel_size_um,
        intercept_px=data.data.intercept_px,
        label_offset_px=data.data.label_offset_px,
        shrink=data.data.shrink,
    )
    look_shrunk(network, spec.shrink)
    optimizers = functools.partial(build_optimizers, config.optimizer, config.scheduler)
    return BoundaryModule(network, build_loss(config.loss), optimizers, spec, config.boundary_tolerance_px)


def _score_best(
    config: TrainConfig, trainer: Trainer, module: BoundaryModule, data: BoundaryDataModule, run_dir: Path
) -> dict[str, float]:
    best = checkpoint_path(run_dir)
    if not best.is_file():
        raise GrainsegError(f"epochs={config.epochs}: no epoch was left to train; say more epochs")
    spec, network = load_network(best)
    tested: Mapping[str, float] = {}
    if data.data.test_images:
        module.network.load_state_dict(network.state_dict())
        tested = trainer.test(module, datamodule=data, verbose=False)[0]
    if not trainer.is_global_zero:
        return {}
    network.to(trainer.strategy.root_device)
    tiles = tile_settings(spec)
    probabilities = [predict_probability(network, image.unit, tiles) for image in data.data.val_images]
    metrics: dict[str, float] = {}
    if config.partition.name != "none":
        spec, metrics = fit_validation(config, spec, data.data.val_images, probabilities)
    metrics = score_validation(config, spec, data.data.val_images, probabilities, run_dir) | metrics
    reference = training_reference(data.data, probabilities, spec.partition)
    found = validation_scores(metrics, len(probabilities)) if is_real(config) else None
    add_to_checkpoint(best, replace(spec, doubt_reference=reference, validation=found))
    log_score(trainer.logger, metrics, trainer.global_step)
    return metrics | {name: float(value) for name, value in tested.items()}


def fit_validation(
    config: TrainConfig,
    spec: CheckpointSpec,
    images: Sequence[LabelledMicrograph],
    probabilities: list[FloatImage],
) -> tuple[CheckpointSpec, dict[str, float]]:
    """Choose the partition's settings on the validation pictures, and see how far the grains are off then.

    Args:
        config: The run.
        spec: What the checkpoint says so far.
        images: They were not trained on.
        probabilities: Theirs, (H, W) float32 in [0, 1].

    Returns:
        What the checkpoint says from now on, and the grains' scores under ``val/…_fitted``.
    """
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


def is_real(config: TrainConfig) -> bool:
    """How far synthetic pictures are off says nothing about the real ones that a prediction is for."""
    return isinstance(config.data, FolderDataConfig)


def score_validation(
    config: TrainConfig,
    spec: CheckpointSpec,
    images: Sequence[LabelledMicrograph],
    probabilities: list[FloatImage],
    run_dir: Path,
) -> dict[str, float]:
    """Write and score the predictions of the validation pictures.

    The grains' scores are those of the partition's default settings, which chose nothing.

    Args:
        config: The run.
        spec: Threshold and partition of what is written.
        images: They were not trained on.
        probabilities: Theirs, (H, W) float32 in [0, 1].
        run_dir: Its ``predictions/`` takes the files.

    Returns:
        ``val/iou`` and the rest, over all pictures together.
    """
    scores: list[MaskScores] = []
    tolerance_px = config.boundary_tolerance_px
    for image, probability in zip(images, probabilities, strict=True):
        pixels = image.unit[:, :, 0] if spec.in_channels == 1 else image.unit
        paths = validation_paths(run_dir, image.stem)
        partition = None
        if config.partition.name != "none":
            partition = partition_or_none(probability, spec.partition)
        mask = write_prediction(paths, pixels, probability, spec.threshold, partition)
        write_png(paths.panel, panel(pixels, image.label, probability, mask, tolerance_px))
        default = grains_or_zeros(probability, DEFAULT_SETTINGS)
        scores.append(score_prediction(mask, default, image.label, tolerance_px))
    total = functools.reduce(operator.add, scores).metrics()
    total |= regime_ious([image.regime for image in images], scores)
    threshold, iou = fit_threshold(probabilities, [image.label for image in images])
    fitted = {"val/iou_fitted": iou, "val/threshold_fitted": threshold}
    return {f"val/{name}": value for name, value in total.items()} | fitted


def validation_paths(run_dir: Path, stem: str) -> PredictionPaths:
    """Where a run leaves the prediction of a validation picture."""
    return prediction_paths(run_dir / PREDICTIONS, Path(stem))


def training_summary(metrics: dict[str, float], run_dir: Path) -> str:
    """The closing lines of a run: how good its grains are, and last its IoU and where everything lies."""
    board = run_dir / TENSORBOARD
    return "\n".join(
        (
            *quality_lines(metrics),
            f"val/iou {metrics['val/iou']:.4f}  val/boundary_f1 {metrics['val/boundary_f1']:.4f}",
            f"predictions:  {run_dir / PREDICTIONS}",
            f"checkpoint:   {checkpoint_path(run_dir)}",
            *([f"TensorBoard:  tensorboard --logdir {shlex.quote(str(board))}"] if board.is_dir() else []),
        )
    )
