"""Leave-one-out: every image validates once, and all networks together become one ensemble checkpoint.

One validation image of five says little about the others. So each image is predicted by the network that was
trained on all others (Stone 1974, J. R. Statist. Soc. B 36:111). All these predictions together choose the
partition's settings and show how much the segmentation error varies, which one image cannot show.
"""

import logging
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger
from torch import nn

from grainseg.config import FolderDataConfig, TrainConfig, to_plain
from grainseg.console import aligned
from grainseg.data.folder import prepare_folder
from grainseg.data.images import LabelledMicrograph, read_labelled
from grainseg.data.scale import (
    labelled_intercept_px,
    shared_intercept_px,
    shared_pixel_size_um,
    suited_shrink,
)
from grainseg.errors import GrainsegError
from grainseg.grains.closing.partition import grains_or_zeros
from grainseg.grains.scoring.scores import score_prediction, total
from grainseg.grains.trust.doubt import pooled_reference
from grainseg.inference.device import choose_device
from grainseg.inference.ensemble import predict_members
from grainseg.inference.predictor import predict_probability, tile_settings
from grainseg.micrograph.folders.folder import list_folder, split_with_test
from grainseg.micrograph.folders.used_images import used_by_all
from grainseg.micrograph.image import FloatImage
from grainseg.micrograph.names import plain_name
from grainseg.model.checkpoint import MAX_MEMBERS, CheckpointSpec, load_network
from grainseg.model.ensemble import write_ensemble
from grainseg.pipeline.resumable_training import require_same, train_or_resume
from grainseg.pipeline.runs.validation import finish_validation
from grainseg.pipeline.runs.validation_quality import TEST, has_grains, quality_lines
from grainseg.report.files.metrics_file import METRICS, write_metrics
from grainseg.report.files.prediction_files import PREDICTIONS
from grainseg.report.files.tables import write_csv
from grainseg.training.board import log_configuration, tagged_scores
from grainseg.training.run_folder import (
    CONFIG,
    FOLDS,
    LAST,
    TENSORBOARD,
    checkpoint_path,
    fold_dir,
    remove_events,
    require_free_or_folds,
    write_config,
)
from grainseg.training.runtime import hardware_used

log = logging.getLogger(__name__)

FEWEST_IMAGES = 3
"""Fewest images: each network trains on two, and more than two errors are needed to show how they vary."""
OUT_OF_FOLD = "out_of_fold/"
ENSEMBLE = "_ensemble"
"""Suffix of the names of the ensemble's own scores: those of test pictures by all networks together."""
_POOLED = "all images as one, by the checkpoint's partition; in the table each by itself, by the default one"
"""Explains how the grain scores of all predictions together differ from those of the folds."""
_SHOWN = ("val/iou", "val/boundary_f1", "val/are", "val/intercept_error", "test/iou", "test/boundary_f1")


@dataclass(frozen=True)
class LeaveOneOut:
    """Results of a leave-one-out run.

    Attributes:
        run_dir: Folder of the run.
        images: Name of the image that each fold left out.
        folds: Contents of ``metrics.json`` of each fold.
        metrics: Mean of each metric over the folds, and its standard deviation (n - 1) as ``…_sd``;
            ``out_of_fold/…``: scores of all out-of-fold predictions together, in ``…_fitted`` with the
            ensemble's partition; ``test/…_ensemble``: scores of test pictures by all networks together, with
            the ensemble's partition, too.
    """

    run_dir: Path
    images: tuple[str, ...]
    folds: tuple[dict[str, float], ...]
    metrics: dict[str, float]

    def summary(self) -> str:
        """Return the closing lines: a table of the folds, the grain scores, and the paths of the results."""
        names = [name for name in _SHOWN if name in self.metrics]
        rows = [["left out", *(name.removeprefix("val/") for name in names)]]
        for image, scores in zip(self.images, self.folds, strict=True):
            rows.append([image, *(f"{scores[name]:.4f}" for name in names)])
        for title, end in (("mean", ""), ("sd", "_sd"), ("together", ENSEMBLE)):
            cells = [
                f"{self.metrics[name + end]:.4f}" if name + end in self.metrics else "" for name in names
            ]
            if any(cells):
                rows.append([title, *cells])
        judged = quality_lines(self.metrics | _of_ensemble(self.metrics), OUT_OF_FOLD)
        if has_grains(self.metrics, OUT_OF_FOLD):
            judged[0] += f" ({_POOLED})"
        board = self.run_dir / TENSORBOARD
        shown = shlex.quote(str(self.run_dir))
        return "\n".join(
            (
                *aligned(rows),
                *judged,
                f"predictions:  {self.run_dir / PREDICTIONS}, each by the network that did not see the image",
                f"checkpoint:   {checkpoint_path(self.run_dir)}, all {len(self.folds)} networks",
                *([f"TensorBoard:  tensorboard --logdir {shown}"] if board.is_dir() else []),
            )
        )


def leave_one_out(config: TrainConfig, run_dir: Path) -> LeaveOneOut:
    """Train one network per image on all others, and combine them into an ensemble.

    Finished folds are not trained again, and an interrupted fold is resumed.

    Args:
        config: Configuration with ``leave_one_out``; fold i is an ordinary run with ``data.fold=i``.
        run_dir: Folder of the run. It gets a ``fold_<i>/`` for each image, ``folds.csv`` and, as for an
            ordinary run, ``checkpoints/best.ckpt`` (the ensemble), ``predictions/`` (of each image by the
            network that was not trained on it), ``config.yaml``, ``metrics.json`` and the TensorBoard events.

    Raises:
        GrainsegError: There are too few or too many images, or ``run_dir`` holds another run or folds of
            another configuration; then nothing is written. Or a fold cannot be trained.
    """
    require_free_or_folds(run_dir)
    data = _data(config)
    prepare_folder(data)
    images = left_out_images(data)
    data = replace(data, shrink=_common_shrink(config, data, images))
    splits = [replace(data, fold=number, folds=len(images)) for number in range(len(images))]
    runs = [replace(config, leave_one_out=False, data=split) for split in splits]
    folders = [fold_dir(run_dir, number) for number in range(len(images))]
    for run, folder in zip(runs, folders, strict=True):
        require_same(run, folder, "hydra.run.dir")
    write_config(run_dir / CONFIG, to_plain(config))
    folds: list[dict[str, float]] = []
    for number, (image, run, folder) in enumerate(zip(images, runs, folders, strict=True)):
        log.info("fold %d of %d: %s is left out", number + 1, len(images), image)
        folds.append(train_or_resume(run, folder, fold=True))
        # It holds the optimizer state, which a finished run does not need: 1.2 GB for five folds.
        checkpoint_path(folder, LAST).unlink(missing_ok=True)
    metrics = over_folds(folds) | _combine(config, images, folders, run_dir)
    write_csv(
        run_dir / FOLDS,
        [{"fold": number, "image": image, **folds[number]} for number, image in enumerate(images)],
    )
    if config.logger.tensorboard:
        _write_board(config, run_dir, metrics)
    write_metrics(run_dir / METRICS, metrics)
    return LeaveOneOut(run_dir, tuple(images), tuple(folds), metrics)


def left_out_images(data: FolderDataConfig) -> list[str]:
    """Return the names of the images to leave out, in the order of the folds.

    Raises:
        GrainsegError: There are too few or too many of them.
    """
    stems = list(list_folder(Path(data.root)).by_stem)
    count = len(set(stems).difference(map(plain_name, data.test or [])))
    if count < FEWEST_IMAGES:
        raise GrainsegError(
            f"data.root={data.root}: holds {count} labelled images that do not test; leave_one_out needs "
            f"at least {FEWEST_IMAGES}, label more"
        )
    if count > MAX_MEMBERS:
        raise GrainsegError(
            f"data.root={data.root}: holds {count} labelled images, leave_one_out trains a network for each "
            f"of up to {MAX_MEMBERS}; say data.fold=0 data.folds=5 and leave_one_out=false instead"
        )
    images = []
    for number in range(count):
        _, [left_out], _ = split_with_test(stems, None, data.test, number, count)
        images.append(left_out)
    return images


def over_folds(folds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return mean and SD (n - 1, ``…_sd``) of each metric in all folds; nan if a value is not finite."""
    statistics = {}
    for name in folds[0]:
        values = [fold[name] for fold in folds if name in fold]
        if len(values) == len(folds):
            finite = all(map(math.isfinite, values))
            statistics[name] = float(np.mean(values)) if finite else math.nan
            statistics[f"{name}_sd"] = float(np.std(values, ddof=1)) if finite else math.nan
    return statistics


def out_of_fold(
    images: Sequence[str], folds: Sequence[tuple[CheckpointSpec, nn.Module]], config: TrainConfig
) -> tuple[list[LabelledMicrograph], list[FloatImage]]:
    """Predict each image with the network that was trained without it.

    Args:
        images: Name of the image that each fold left out.
        folds: Specification and network of each fold's best checkpoint, in the same order.
        config: The run.

    Returns:
        The images with their labels, and their boundary probability maps, (H, W) float32.
    """
    data = _data(config)
    items = list_folder(Path(data.root)).by_stem
    device = choose_device(config.trainer.accelerator, "trainer.accelerator")
    read, probabilities = [], []
    for image, (spec, network) in zip(images, folds, strict=True):
        read.append(read_labelled(items[image], data, spec.in_channels))
        tiles = tile_settings(spec)
        probabilities.append(predict_probability(network.to(device), read[-1].unit, tiles))
        network.cpu()
    return read, probabilities


def _data(config: TrainConfig) -> FolderDataConfig:
    assert isinstance(config.data, FolderDataConfig)  # the configuration is checked
    return config.data


def _common_shrink(config: TrainConfig, data: FolderDataConfig, images: Sequence[str]) -> int:
    """Choose the shrink factor of all folds by the labels of all images: the networks become one ensemble."""
    if data.shrink != "auto":
        return int(data.shrink)
    items = list_folder(Path(data.root)).by_stem
    labels = [read_labelled(items[image], data, config.model.in_channels).label for image in images]
    return suited_shrink(labelled_intercept_px(labels))


def _combine(
    config: TrainConfig, images: Sequence[str], folders: Sequence[Path], run_dir: Path
) -> dict[str, float]:
    """Write the ensemble with partition and error from all out-of-fold predictions, and return the scores."""
    folds = [load_network(checkpoint_path(folder)) for folder in folders]
    read, probabilities = out_of_fold(images, folds, config)
    specs = [spec for spec, _ in folds]
    down, right = (float(mean) for mean in np.mean([fold.label_offset_px for fold in specs], axis=0))
    sizes = [fold.pixel_size_um for fold in specs]
    references = [fold.doubt_reference for fold in specs if fold.doubt_reference is not None]
    spec = replace(
        specs[0],
        line_width_px=float(np.mean([fold.line_width_px for fold in specs])),
        label_offset_px=(down, right),
        pixel_size_um=shared_pixel_size_um([size if size is None else (size, size) for size in sizes]),
        intercept_px=shared_intercept_px([fold.intercept_px for fold in specs]),
        steps=max(fold.steps for fold in specs),
        segmentation=None,
        images=used_by_all(fold.images for fold in specs),
        doubt_reference=None if len(references) < len(specs) else pooled_reference(references),
    )
    spec, scores = finish_validation(config, spec, read, probabilities, run_dir)
    if spec.segmentation is not None:
        source = (
            f"leave-one-out over {len(images)} images, which also chose checkpoints and partition; each "
            "predicted by the network that did not see it, the mean of all networks is not measured"
        )
        spec = replace(spec, segmentation=replace(spec.segmentation, source=source))
    networks = [network for _, network in folds]
    write_ensemble(checkpoint_path(run_dir), spec, networks)
    unseen = {f"{OUT_OF_FOLD}{name.removeprefix('val/')}": value for name, value in scores.items()}
    return unseen | _test_together(config, spec, networks)


def _test_together(
    config: TrainConfig, spec: CheckpointSpec, networks: Sequence[nn.Module]
) -> dict[str, float]:
    """Score the test pictures, if any, as the ensemble predicts them at their own scale."""
    data = _data(config)
    if not data.test:
        return {}
    items = list_folder(Path(data.root)).by_stem
    device = choose_device(config.trainer.accelerator, "trainer.accelerator")
    networks = [network.to(device) for network in networks]
    scores = []
    for stem in data.test:
        image = read_labelled(items[plain_name(stem)], data, spec.in_channels)
        together = predict_members(networks, image.unit, tile_settings(spec))
        grains = grains_or_zeros(together.probability, spec.partition)
        mask = together.probability > spec.threshold
        scores.append(score_prediction(mask, grains, image.label, config.boundary_tolerance_px))
    metrics = total(scores).metrics()
    return {f"{TEST}{name}{ENSEMBLE}": value for name, value in metrics.items()}


def _of_ensemble(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the ensemble's scores of the test pictures under the names that one network's scores have."""
    own = {name.removesuffix(ENSEMBLE): value for name, value in metrics.items() if name.endswith(ENSEMBLE)}
    return own | {f"{name}_fitted": value for name, value in own.items()}


def _write_board(config: TrainConfig, run_dir: Path, metrics: Mapping[str, float]) -> None:
    """Write means and standard deviations to TensorBoard, replacing those of an earlier start."""
    remove_events(run_dir / TENSORBOARD)
    logger = TensorBoardLogger(run_dir, name="", version=TENSORBOARD, default_hp_metric=False)
    plain = to_plain(config)
    log_configuration(logger, plain, hardware_used(config.trainer))
    logger.log_metrics({**tagged_scores(plain, metrics), **metrics}, 0)
    logger.finalize("success")
