"""Prediction: pictures in; masks, grains, tables and a report out, and scores where there are labels."""

import functools
import hashlib
import json
import logging
import operator
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from omegaconf import OmegaConf
from torch import nn

from grainseg.config import PredictConfig
from grainseg.data.images import label_spec, to_channels
from grainseg.errors import GrainsegError
from grainseg.grains.label_files import read_label
from grainseg.grains.partition import partition_probability
from grainseg.grains.sensitivity import threshold_sd_ln
from grainseg.inference.device import choose_device
from grainseg.inference.predictor import TileSettings, predict_probability
from grainseg.micrograph.crop import crop_setting
from grainseg.micrograph.files import read_micrograph
from grainseg.micrograph.image import Label, Micrograph
from grainseg.micrograph.normalization import to_unit_range
from grainseg.micrograph.selection import SelectedImage, find_mask, select_images
from grainseg.model.checkpoint import CheckpointSpec, load_network
from grainseg.model.generic import default_checkpoint
from grainseg.pipeline.measurement import (
    BatchResults,
    MappedField,
    Measurements,
    read_excluded,
    summary,
    title_of,
    versions,
    without,
)
from grainseg.pipeline.progress import progress
from grainseg.pipeline.scoring import MaskScores, score_prediction
from grainseg.report.contents import Provenance
from grainseg.report.prediction_files import PredictionPaths, prediction_paths, write_prediction

log = logging.getLogger(__name__)


@dataclass
class Prediction:
    """What came of a prediction.

    Attributes:
        written: Paths of the files by picture.
        scores: Scores by picture, where a mask was given.
        failures: One line for each picture or mask that could not be read.
        measured: Batches, comparisons and the report; None without a partition or a picture.
    """

    written: dict[Path, PredictionPaths] = field(default_factory=dict)
    scores: dict[Path, MaskScores] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    measured: BatchResults | None = None

    def metrics(self) -> dict[str, dict[str, float]]:
        """Metrics by picture, and over all their pixels under ``all``."""
        by_picture = {path.as_posix(): score.metrics() for path, score in self.scores.items()}
        return by_picture | {"all": functools.reduce(operator.add, self.scores.values()).metrics()}


def predict(config: PredictConfig, command: str = "") -> Prediction:
    """Predict and measure all pictures that ``config.images`` stands for.

    A picture that cannot be read is skipped and reported; the others are done.

    Args:
        config: The prediction.
        command: As typed, for the report.

    Raises:
        GrainsegError: Nothing can be predicted at all: no checkpoint, no pictures, clashing outputs.
    """
    checkpoint = default_checkpoint() if config.checkpoint is None else Path(config.checkpoint)
    output = Path(config.output)
    images = select_images(config.images, output)
    if config.masks is not None and not Path(config.masks).exists():
        raise GrainsegError(f"masks={config.masks}: there is no such folder or file")
    if config.masks is not None and Path(config.masks).is_file() and len(images) > 1:
        raise GrainsegError(f"masks={config.masks}: is one mask for {len(images)} pictures; give a folder")
    label_spec(config.data)  # refuses what cannot be before any picture is read
    spec, network = load_network(checkpoint)
    network.to(choose_device(config.accelerator, "accelerator"))
    measurements = _measurements(config, spec, images)
    result = Prediction()
    for image in progress(images, "predicting"):
        try:
            _predict_one(config, spec, network, image, result, measurements)
        except GrainsegError as error:
            log.error("%s", error)
            result.failures.append(str(error))
    if result.scores:
        text = json.dumps(result.metrics(), indent=2) + "\n"
        (output / "metrics.json").write_text(text, encoding="utf-8")
    if measurements is not None:
        flags = tuple(f"not measured: {failure}" for failure in result.failures)
        result.measured = measurements.write(
            title_of(config.images), _provenance(config, checkpoint, command), flags
        )
    return result


def _measurements(
    config: PredictConfig, spec: CheckpointSpec, images: list[SelectedImage]
) -> Measurements | None:
    if config.partition.name == "none":
        return None
    relatives = [image.relative for image in images]
    return Measurements(config, relatives, title_of(config.images), spec.segmentation)


def _provenance(config: PredictConfig, checkpoint: Path, command: str) -> Provenance:
    return Provenance(
        source="boundaries predicted by a network",
        checkpoint=str(checkpoint),
        checkpoint_sha256=hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        config=OmegaConf.to_yaml(OmegaConf.create(asdict(config))),
        versions=versions() | {"torch": version("torch")},
        command=command,
    )


def _predict_one(
    config: PredictConfig,
    spec: CheckpointSpec,
    network: nn.Module,
    image: SelectedImage,
    result: Prediction,
    measurements: Measurements | None,
) -> None:
    limit = config.data.max_megapixels
    picture = read_micrograph(image.path, limit, config.pixel_size_um, crop_setting(config.crop))
    excluded = read_excluded(config, image.relative, picture.shape, picture.crop, limit)
    for note in picture.notes:
        log.warning("%s: %s", image.path, note)
    unit = to_unit_range(to_channels(picture.pixels, spec.in_channels))
    probability = predict_probability(network, unit, TileSettings(spec.tile_size, spec.overlap))
    partition, trouble = None, None
    if measurements is not None:
        settings = replace(spec.partition, **config.partition.given())
        try:
            partition = without(partition_probability(probability, settings), excluded)
        except GrainsegError as error:  # mask and probability show best what is wrong
            trouble = GrainsegError(f"{image.path}: {error}")
    threshold = spec.threshold if config.threshold is None else config.threshold
    paths = prediction_paths(Path(config.output), image.relative)
    mask = write_prediction(paths, picture.pixels, probability, threshold, partition, picture.pixel_size_um)
    result.written[image.relative] = paths
    if measurements is not None and partition is not None:
        measurements.add(
            MappedField(
                relative=image.relative,
                path=image.path,
                pixels=picture.pixels,
                grains=partition.grains,
                partition=partition,
                pixel_size=picture.pixel_size,
                notes=picture.notes,
                threshold_sd_ln=threshold_sd_ln(probability, partition.settings),
            )
        )
    if trouble is not None:
        raise trouble
    label = _read_label(config, image, picture)
    if label is not None:
        grains = None if partition is None else partition.grains
        result.scores[image.relative] = score_prediction(mask, grains, label, config.boundary_tolerance_px)


def _read_label(config: PredictConfig, image: SelectedImage, picture: Micrograph) -> Label | None:
    if config.masks is None:
        return None
    path = find_mask(Path(config.masks), image.relative)
    if path is None:
        log.warning("%s has no mask in %s and is not scored", image.path, config.masks)
        return None
    limit = config.data.max_megapixels
    return read_label(path, picture.shape, label_spec(config.data), limit, picture.crop)


def prediction_summary(result: Prediction, output: Path) -> str:
    """The closing lines: scores where there are labels, the batches, and where everything lies."""
    lines = [
        f"{name}: IoU {values['iou']:.4f}, boundary F1 {values['boundary_f1']:.4f}"
        for name, values in (result.metrics().items() if result.scores else ())
    ]
    if result.measured is not None:
        lines += summary(result.measured)
    if len(result.written) == 1:
        paths = next(iter(result.written.values()))
        return "\n".join((*lines, f"mask:     {paths.mask}", f"overlay:  {paths.overlay}"))
    return "\n".join((*lines, f"{len(result.written)} pictures predicted into {output}"))
