"""Training: put data, network, trainer and logger together, and score the best checkpoint."""

import functools
import logging
import math
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lightning import Trainer, seed_everything
from lightning.pytorch.callbacks import Callback
from torch import nn

from grainseg.config import TrainConfig, to_plain
from grainseg.data.source import TrainingData
from grainseg.errors import GrainsegError
from grainseg.grains.closing.partition import FEW_PINHOLES, PINHOLE_PX
from grainseg.grains.labels.labelled_grains import holes_in_lines
from grainseg.grains.scoring.scores import THRESHOLD
from grainseg.inference.adaptation import require_adaptable
from grainseg.inference.predictor import predict_probability, tile_settings
from grainseg.micrograph.files import file_sha256
from grainseg.model.checkpoint import CheckpointSpec, add_to_checkpoint, load_network
from grainseg.model.generic import load_generic, shipped_weights
from grainseg.model.losses import build_loss
from grainseg.model.networks import NetworkSpec, build_network, parameter_count
from grainseg.model.shrinking import shrink_input
from grainseg.pipeline.pictures.failures import log_left_out
from grainseg.pipeline.results.label_remarks import tolerance_warnings
from grainseg.pipeline.runs.doubt_reference import training_reference
from grainseg.pipeline.runs.observer import generic_observer
from grainseg.pipeline.runs.partition_choice import PredictedGrains, small_enough
from grainseg.pipeline.runs.resuming import (
    check_resume,
    copy_best_checkpoint,
    refused_if_damaged,
    require_own_or_free,
    require_same_data,
)
from grainseg.pipeline.runs.run_record import RunRecord, StartingWeights, log_start
from grainseg.pipeline.runs.validation import finish_validation, fitted_metrics, validates_on_real_pictures
from grainseg.pipeline.runs.validation_quality import TEST, few_grains_warning, is_tested, quality_lines
from grainseg.report.files.metrics_file import METRICS, write_metrics
from grainseg.report.files.prediction_files import PREDICTIONS
from grainseg.training.board import log_scores
from grainseg.training.datamodule import BoundaryDataModule
from grainseg.training.module import BoundaryModule
from grainseg.training.optimizers import build_optimizers
from grainseg.training.run_folder import TENSORBOARD, checkpoint_path, require_free
from grainseg.training.runtime import quiet_lightning
from grainseg.training.trainer import build_trainer

log = logging.getLogger(__name__)


def train(
    config: TrainConfig, run_dir: Path, *, fold: bool = False, callbacks: Sequence[Callback] = ()
) -> dict[str, float]:
    """Train, choose the best checkpoint on the validation pictures, and predict these with it.

    Args:
        config: The run.
        run_dir: Folder of ``checkpoints/``, ``predictions/``, ``config.yaml``, ``run.json``,
            ``metrics.json`` and the TensorBoard events.
        fold: Whether it is a fold of a leave-one-out run, whose images choose the partition together.
        callbacks: Lightning callbacks in addition to those of the configuration.

    Returns:
        The contents of ``metrics.json``: ``val/iou`` etc., all of the best checkpoint. In a run of several
        processes, all but the first return an empty dict.

    Raises:
        GrainsegError: The configuration or the data cannot be used.
    """
    quiet_lightning()
    seed_everything(config.seed, workers=True, verbose=False)
    # Checks that need no data come first.
    resumed: CheckpointSpec | None = None
    if config.resume is not None:
        resumed = check_resume(config, network_spec(config), Path(config.resume))
    steps = 0 if resumed is None else resumed.steps
    trainer = build_trainer(config, run_dir, steps, callbacks, fold=fold)
    if trainer.is_global_zero:
        if config.resume is None:
            require_free(run_dir)
        else:
            require_own_or_free(Path(config.resume), run_dir)
    network, start = _build_network(config)
    parameters = parameter_count(network)
    data = _read_data(config, fold)
    if config.resume is not None and resumed is not None:
        require_same_data(config, resumed, data.data)
        copy_best_checkpoint(Path(config.resume), run_dir)
    module = _build_module(config, network, data)
    log_start(config, trainer, start, steps, data.data)
    trainer.callbacks.append(RunRecord(config, run_dir, start, data.data))  # type: ignore[attr-defined]

    run_dir.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with refused_if_damaged(Path(config.resume or "")):
        trainer.fit(module, data, ckpt_path=config.resume, weights_only=True)
    metrics = _score_best(config, trainer, module, data, run_dir, fold)
    metrics |= {"train/line_width_px": data.data.line_width_px, "train/shrink": float(data.data.shrink)}
    down, right = data.data.label_offset_px
    metrics |= {"train/label_offset_down_px": down, "train/label_offset_right_px": right}
    metrics |= {"train/parameters": float(parameters)}
    if config.resume is None:  # the time of only a part of the run means nothing
        metrics |= {"train/seconds": time.monotonic() - started}
    if trainer.is_global_zero:
        log_scores(trainer.logger, to_plain(config), metrics, trainer.global_step, fold)
        write_metrics(run_dir / METRICS, metrics)
    return metrics if trainer.is_global_zero else {}


def network_spec(config: TrainConfig) -> NetworkSpec:
    """Return the specification of the network that a configuration asks for."""
    model = config.model
    return NetworkSpec(
        model.architecture, model.encoder, model.in_channels, model.decoder_width, dict(model.options)
    )


def _build_network(config: TrainConfig) -> tuple[nn.Module, StartingWeights | None]:
    """Build the network as it is before the first step.

    Returns:
        The network, and from which weights it starts; None in a resumed run, whose checkpoint sets them.
    """
    spec = network_spec(config)
    init = config.model.init if config.resume is None else "scratch"
    if init == "generic":
        shipped_weights(spec)  # raises before a network is built if no weights ship for it
    network = build_network(spec, "imagenet" if init == "imagenet" else None)
    require_adaptable(network, config.inference.adapt, "inference.adapt")
    start = StartingWeights(init)
    if init == "generic":
        shipped, path = load_generic(network, spec), shipped_weights(spec)
        start = StartingWeights(init, path.name, file_sha256(path), shipped.steps)
    return network, start if config.resume is None else None


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
    if few is not None and validates_on_real_pictures(config) and not fold:
        log.warning("%s", few)
    for warning in tolerance_warnings(config.boundary_tolerance_px, data.data.intercept_px):
        log.warning("%s", warning)
    return data


def _tell_of(opened: TrainingData) -> None:
    """Log which images are used, and what may be unexpected about the labels."""
    log_left_out(opened.without_mask, opened.without_image)
    log.info("train on %s", opened.trains_on)
    if opened.test_images:
        log.info("test on %s", ", ".join(image.stem for image in opened.test_images))
    for image in (*opened.train_images, *opened.val_images, *opened.test_images):
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
        adapt=float(config.inference.adapt),
        threshold=THRESHOLD,
        line_width_px=data.data.line_width_px,
        seed=config.seed,
        pixel_size_um=data.data.pixel_size_um,
        intercept_px=data.data.intercept_px,
        label_offset_px=data.data.label_offset_px,
        shrink=data.data.shrink,
        images=data.data.images,
    )
    shrink_input(network, spec.shrink)
    optimizers = functools.partial(build_optimizers, config.optimizer, config.scheduler)
    return BoundaryModule(network, build_loss(config.loss), optimizers, spec, config.boundary_tolerance_px)


def _score_best(
    config: TrainConfig,
    trainer: Trainer,
    module: BoundaryModule,
    data: BoundaryDataModule,
    run_dir: Path,
    fold: bool,
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
    # In a leave-one-out run, the out-of-fold predictions choose the partition later.
    training = () if fold else small_enough(data.data.train_images)
    known = (
        PredictedGrains.of(predict_probability(network, each.unit, tiles), each.label) for each in training
    )
    spec, metrics = finish_validation(config, spec, data.data.val_images, probabilities, run_dir, known)
    reference = training_reference(data.data, probabilities, spec.partition)
    add_to_checkpoint(best, replace(spec, doubt_reference=reference))
    metrics |= {name: float(value) for name, value in tested.items()}
    if tested and config.partition.name != "none":
        # Predicted again: the fitted partition was not known when the test pictures were scored.
        seen = (
            PredictedGrains.of(predict_probability(network, image.unit, tiles), image.label)
            for image in data.data.test_images
        )
        metrics |= fitted_metrics((picture.scores(spec.partition) for picture in seen), TEST)
    return metrics


def training_summary(metrics: dict[str, float], run_dir: Path) -> str:
    """Return the closing lines of a run: grain scores, IoU and boundary F1, and the paths of the results."""
    board = run_dir / TENSORBOARD
    parts = [TEST, "val/"] if is_tested(metrics) else ["val/"]
    scores = [
        "  ".join(f"{part}{name} {metrics[part + name]:.4f}" for name in ("iou", "boundary_f1"))
        for part in parts
    ]
    return "\n".join(
        (
            *quality_lines(metrics),
            *scores,
            f"predictions:  {run_dir / PREDICTIONS}",
            f"checkpoint:   {checkpoint_path(run_dir)}",
            *([f"TensorBoard:  tensorboard --logdir {shlex.quote(str(board))}"] if board.is_dir() else []),
        )
    )
