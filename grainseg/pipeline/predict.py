"""Prediction: pictures in; masks, probabilities, overlays and, where there are labels, scores out."""

import functools
import json
import logging
import operator
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import track
from torch import nn

from grainseg.config import PredictConfig
from grainseg.data.images import label_spec, to_channels
from grainseg.errors import GrainsegError
from grainseg.inference.device import choose_device
from grainseg.inference.predictor import TileSettings, predict_probability
from grainseg.micrograph.files import read_micrograph
from grainseg.micrograph.labels import read_label
from grainseg.micrograph.normalization import to_unit_range
from grainseg.micrograph.selection import SelectedImage, find_mask, select_images
from grainseg.model.checkpoint import CheckpointSpec, load_network
from grainseg.pipeline.scoring import MaskScores, score_mask
from grainseg.report.prediction_files import PredictionPaths, prediction_paths, write_prediction

log = logging.getLogger(__name__)


@dataclass
class Prediction:
    """What came of a prediction.

    Attributes:
        written: Paths of the files by picture.
        scores: Scores by picture, where a mask was given.
        failures: One line for each picture or mask that could not be read.
    """

    written: dict[Path, PredictionPaths] = field(default_factory=dict)
    scores: dict[Path, MaskScores] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def metrics(self) -> dict[str, dict[str, float]]:
        """Metrics by picture, and over all their pixels under ``all``."""
        by_picture = {path.as_posix(): score.metrics() for path, score in self.scores.items()}
        return by_picture | {"all": functools.reduce(operator.add, self.scores.values()).metrics()}


def predict(config: PredictConfig) -> Prediction:
    """Predict all pictures that ``config.images`` stands for.

    A picture that cannot be read is skipped and reported; the others are done.

    Raises:
        GrainsegError: Nothing can be predicted at all: no checkpoint, no pictures, clashing outputs.
    """
    output = Path(config.output)
    images = select_images(config.images, output)
    if config.masks is not None and not Path(config.masks).exists():
        raise GrainsegError(f"masks={config.masks}: there is no such folder or file")
    if config.masks is not None and Path(config.masks).is_file() and len(images) > 1:
        raise GrainsegError(f"masks={config.masks}: is one mask for {len(images)} pictures; give a folder")
    spec, network = load_network(Path(config.checkpoint))
    network.to(choose_device(config.accelerator, "accelerator"))
    result = Prediction()
    for image in track(images, description="predicting", disable=len(images) == 1):
        try:
            _predict_one(config, spec, network, image, result)
        except GrainsegError as error:
            log.error("%s", error)
            result.failures.append(str(error))
    if result.scores:
        text = json.dumps(result.metrics(), indent=2) + "\n"
        (output / "metrics.json").write_text(text, encoding="utf-8")
    return result


def _predict_one(
    config: PredictConfig, spec: CheckpointSpec, network: nn.Module, image: SelectedImage, result: Prediction
) -> None:
    pixels = read_micrograph(image.path, config.data.max_megapixels).pixels
    unit = to_unit_range(to_channels(pixels, spec.in_channels))
    probability = predict_probability(network, unit, TileSettings(spec.tile_size, spec.overlap))
    threshold = spec.threshold if config.threshold is None else config.threshold
    paths = prediction_paths(Path(config.output), image.relative)
    mask = write_prediction(paths, pixels, probability, threshold, config.pixel_size_um)
    result.written[image.relative] = paths
    if config.masks is None:
        return
    mask_path = find_mask(Path(config.masks), image.relative)
    if mask_path is None:
        log.warning("%s has no mask in %s and is not scored", image.path, config.masks)
        return
    label = read_label(mask_path, mask.shape, label_spec(config.data), config.data.max_megapixels)
    result.scores[image.relative] = score_mask(mask, label, config.boundary_tolerance_px)


def prediction_summary(result: Prediction, output: Path) -> str:
    """The closing lines of a prediction: scores where there are labels, and where everything lies."""
    lines = [
        f"{name}: IoU {values['iou']:.4f}, boundary F1 {values['boundary_f1']:.4f}"
        for name, values in (result.metrics().items() if result.scores else ())
    ]
    if len(result.written) == 1:
        paths = next(iter(result.written.values()))
        return "\n".join((*lines, f"mask:     {paths.mask}", f"overlay:  {paths.overlay}"))
    return "\n".join((*lines, f"{len(result.written)} pictures predicted into {output}"))
