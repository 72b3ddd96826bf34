"""Prediction: pictures in; masks, grains, tables and a report out, and scores where there are labels."""

import functools
import logging
import operator
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from omegaconf import OmegaConf
from torch import nn

from grainseg.config import PredictConfig
from grainseg.config.checks import SYMMETRIES
from grainseg.data.images import label_spec, network_unit
from grainseg.errors import GrainsegError
from grainseg.grains.doubt import doubt_of
from grainseg.grains.label_files import read_label
from grainseg.grains.partition import DEFAULT_SETTINGS
from grainseg.inference.device import choose_device
from grainseg.inference.ensemble import Forecast, predict_members
from grainseg.inference.predictor import TileSettings, predict_probability, tile_settings
from grainseg.inference.scale import on_grid
from grainseg.micrograph.data_bar import bar_warnings
from grainseg.micrograph.exposure import exposure_warnings
from grainseg.micrograph.files import file_sha256
from grainseg.micrograph.image import GRAIN, FloatImage, Label, Micrograph
from grainseg.micrograph.names import shown
from grainseg.micrograph.selection import SelectedImage, find_mask, list_images, require_masks
from grainseg.model.checkpoint import CheckpointSpec
from grainseg.model.ensemble import load_networks
from grainseg.model.generic import default_checkpoint, ships
from grainseg.pipeline.earlier_run import (
    TABLES,
    existing,
    require_no_folder,
    warn_of_older,
    warn_of_older_maps,
)
from grainseg.pipeline.failures import SKIPPED, failure_of, tell_unlisted
from grainseg.pipeline.mapping import (
    ClosedPicture,
    OpenedPicture,
    close_picture,
    make_output,
    open_picture,
    require_folders,
)
from grainseg.pipeline.measurement import BatchResults, Measurements, summary, title_of, versions
from grainseg.pipeline.members import MemberGrains
from grainseg.pipeline.progress import progress
from grainseg.pipeline.scaling import ScaledPicture, Scaling, scale_of_picture, scaling_of
from grainseg.pipeline.scoring import MaskScores, score_prediction
from grainseg.report.contents import Provenance
from grainseg.report.metrics_file import METRICS, write_metrics
from grainseg.report.prediction_files import PredictionPaths, prediction_paths, write_uncertainty
from grainseg.report.robustness_note import read_note

log = logging.getLogger(__name__)


@dataclass
class Prediction:
    """What came of a prediction.

    Attributes:
        written: Paths of the files by picture.
        scores: Scores by picture, where a mask was given.
        failures: One line for each picture that could not be read, and each folder that could not be listed.
        unscored: One line for each mask that could not be, or judges nothing; its picture is measured.
        measured: Batches, comparisons and the report; None without a partition or a picture.
    """

    written: dict[Path, PredictionPaths] = field(default_factory=dict)
    scores: dict[Path, MaskScores] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    unscored: list[str] = field(default_factory=list)
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
    selection = list_images(config.images, output)
    images = selection.images
    if config.masks is not None:
        require_masks(Path(config.masks), images)
    label_spec(config.data)  # refuses what cannot be before any picture is read
    require_folders(config)
    spec, networks = load_networks(checkpoint)
    card = None if config.robustness is None else read_note(Path(config.robustness), file_sha256(checkpoint))
    scaling = scaling_of(config, spec, checkpoint)
    for network in networks:
        network.to(choose_device(config.accelerator, "accelerator"))
    measurements = _measurements(config, spec, scaling, images)
    make_output(config.output)
    require_no_folder(output / METRICS)
    result = Prediction(failures=tell_unlisted(selection))
    for image in progress(images, "predicting"):
        older = existing(output, _names_of(output, image))
        try:
            predicted = _predict_one(config, spec, networks, scaling, image, result, measurements)
        except SKIPPED as error:
            result.failures.append(failure_of(image.path, error))
            log.error("%s", result.failures[-1])
            warn_of_older(output, *older)
            continue
        try:
            _score(config, image, predicted, result)
        except SKIPPED as error:
            result.unscored.append(failure_of(image.path, error))
            log.error("%s", result.unscored[-1])
    warn_of_older_maps(output, {path for paths in result.written.values() for path in vars(paths).values()})
    if result.scores:
        write_metrics(output / METRICS, result.metrics())
    else:
        warn_of_older(output, METRICS)
    if measurements is None:
        warn_of_older(output, *TABLES)
    else:
        result.measured = measurements.write(
            title_of(config.images),
            _provenance(config, checkpoint, spec, scaling, command),
            _flags(config, spec, scaling, result),
            card,
        )
    return result


def _names_of(output: Path, image: SelectedImage) -> list[str]:
    """Files of a picture, relative to the output folder."""
    paths = vars(prediction_paths(output, image.relative)).values()
    return [path.relative_to(output).as_posix() for path in paths]


def _measurements(
    config: PredictConfig, spec: CheckpointSpec, scaling: Scaling, images: list[SelectedImage]
) -> Measurements | None:
    if config.partition.name == "none":
        return None
    relatives = [image.relative for image in images]
    # The error was found with the checkpoint's own settings, and says nothing of others.
    segmentation = None if _other_settings(config, spec, scaling) else spec.segmentation
    return Measurements(config, relatives, title_of(config.images), segmentation)


def _other_settings(config: PredictConfig, spec: CheckpointSpec, scaling: Scaling) -> list[str]:
    """What of this prediction is not as it was when the checkpoint's error was found."""
    scaled = [] if scaling.choice is None else [f"scale={scaling.choice}"]
    seen = [] if config.tta in (None, spec.tta) else [f"tta={config.tta}"]
    return [*(f"partition.{name}" for name in config.partition.given()), *scaled, *seen]


def _flags(
    config: PredictConfig, spec: CheckpointSpec, scaling: Scaling, result: Prediction
) -> tuple[str, ...]:
    """What concerns all pictures."""
    flags = [f"not measured: {failure}" for failure in result.failures]
    flags += [f"measured, but not scored: {failure}" for failure in result.unscored]
    others = _other_settings(config, spec, scaling)
    if others and spec.segmentation is not None and config.segmentation_rel_unc is None:
        flags.append(
            f"said by hand: {', '.join(others)}; the segmentation error that the checkpoint knows is that "
            "of its own settings and was not taken, so the uncertainty is incomplete"
        )
    return tuple(flags)


def _provenance(
    config: PredictConfig, checkpoint: Path, spec: CheckpointSpec, scaling: Scaling, command: str
) -> Provenance:
    by = "by the checkpoint" if config.threshold is None else "said by the user"
    threshold = f"{_threshold(config, spec):g}, {by}"
    fitted = "chosen for the weights that ship" if ships(checkpoint) else "fitted to the validation images"
    default = "by default" if spec.partition == DEFAULT_SETTINGS else fitted
    given = config.partition.given()
    origin = dict.fromkeys(asdict(spec.partition), default) | dict.fromkeys(given, "said by the user")
    partition = {
        f"Partition: {name.replace('_', ' ')}": f"{value:g}, {origin[name]}"
        for name, value in asdict(replace(spec.partition, **given)).items()
    }
    return Provenance(
        source="boundaries predicted by a network",
        checkpoint=str(checkpoint),
        checkpoint_sha256=file_sha256(checkpoint),
        settings={"Threshold of the mask": threshold}
        | _averaged(config, spec)
        | scaling.says()
        | {"Line width of the training labels": f"{spec.line_width_px:.1f} px"}
        | _shrink(spec)
        | _offset(spec)
        | partition,
        config=OmegaConf.to_yaml(OmegaConf.create(asdict(config))),
        versions=versions() | {"torch": version("torch")},
        command=command,
    )


def _shrink(spec: CheckpointSpec) -> dict[str, str]:
    """How the network sees a picture, if not as it is."""
    if spec.shrink == 1:
        return {}
    return {
        "The network sees": f"pictures shrunk by {spec.shrink}, as in training; it answers at their own size"
    }


def _offset(spec: CheckpointSpec) -> dict[str, str]:
    """Where the lines are drawn, if not where the network sees them."""
    if not any(spec.label_offset_px):
        return {}
    down, right = spec.label_offset_px
    said = f"{down:+.2f} px down, {right:+.2f} px to the right of what the pictures show; predictions, too"
    return {"Offset of the training labels": said}


def _averaged(config: PredictConfig, spec: CheckpointSpec) -> dict[str, str]:
    """What the probability is the mean of, where it is one."""
    found = {}
    if spec.members > 1:
        found["Networks"] = f"{spec.members}, the mean of their probabilities"
    tta = _tta(config, spec)
    if SYMMETRIES[tta] > 1:
        by = "by the checkpoint" if config.tta is None else "said by the user"
        found["Test-time augmentation"] = f"{tta}, the mean over {SYMMETRIES[tta]} views, {by}"
    return found


def _predict_one(
    config: PredictConfig,
    spec: CheckpointSpec,
    networks: Sequence[nn.Module],
    scaling: Scaling,
    image: SelectedImage,
    result: Prediction,
    measurements: Measurements | None,
) -> tuple[OpenedPicture, ClosedPicture]:
    opened = open_picture(config, image, config.data.max_megapixels)
    unit = network_unit(opened.micrograph.pixels, spec.in_channels)
    left_out, crop = opened.left_out.mask, opened.micrograph.crop
    exposure = exposure_warnings(unit, left_out)
    opened = opened.warned(*exposure, *bar_warnings(unit, left_out, crop))
    tiles = replace(tile_settings(spec), views=SYMMETRIES[_tta(config, spec)])
    # The scale needs no more than a look at the picture as it is.
    first = functools.partial(predict_probability, networks[0], tiles=replace(tiles, views=1))
    scaled = scale_of_picture(scaling, opened, unit, first)
    opened, shape = scaled.opened, opened.micrograph.shape
    settings = None if measurements is None else replace(spec.partition, **config.partition.given())
    members = MemberGrains(opened, settings) if settings is not None and len(networks) > 1 else None
    of_member = None if members is None else lambda seen: members.add(on_grid(seen, shape))
    forecast = _forecast(networks, tiles, scaled, of_member)
    output, threshold = Path(config.output), _threshold(config, spec)
    closed = close_picture(opened, on_grid(forecast.probability, shape), threshold, settings, output)
    paths = prediction_paths(output, image.relative)
    spread = None if forecast.spread is None else on_grid(forecast.spread, shape)
    write_uncertainty(paths, spread, opened.micrograph.pixel_size_um)
    result.written[image.relative] = paths
    if measurements is not None:
        field = closed.require_field()
        # On the network's grid, as in training: lines that were enlarged look unsure.
        left_out = opened.left_out.on_grid(forecast.probability.shape).mask
        doubt = doubt_of(scaled.unit, forecast.probability, field.partition, spec.doubt_reference, left_out)
        if doubt.flag is not None:
            log.warning("%s: %s", shown(image.path), doubt.flag)
        of_grains = None if members is None else members.spread()
        measurements.add(replace(field, doubt=doubt, members=of_grains, exposed_badly=bool(exposure)))
    return opened, closed


def _forecast(
    networks: Sequence[nn.Module],
    tiles: TileSettings,
    scaled: ScaledPicture,
    of_member: Callable[[FloatImage], None] | None,
) -> Forecast:
    """On the network's grid. One network that answered while the scale was estimated is not asked again."""
    if scaled.probability is not None and len(networks) == tiles.views == 1:
        return Forecast(scaled.probability, None)
    return predict_members(networks, scaled.unit, tiles, of_member)


def _score(
    config: PredictConfig,
    image: SelectedImage,
    predicted: tuple[OpenedPicture, ClosedPicture],
    result: Prediction,
) -> None:
    opened, closed = predicted
    label = _read_label(config, image, opened.micrograph)
    if label is None:
        return
    label = opened.left_out.of_label(label)
    if not (label == GRAIN).any():
        raise GrainsegError(
            f"{image.path}: its mask shows no grain outside what is excluded or ignored, and it is not "
            "scored; leave less out, or remove the mask"
        )
    grains = None if closed.field is None else closed.field.grains
    result.scores[image.relative] = score_prediction(closed.mask, grains, label, config.boundary_tolerance_px)


def _threshold(config: PredictConfig, spec: CheckpointSpec) -> float:
    return spec.threshold if config.threshold is None else config.threshold


def _tta(config: PredictConfig, spec: CheckpointSpec) -> str:
    return spec.tta if config.tta is None else config.tta


def _read_label(config: PredictConfig, image: SelectedImage, picture: Micrograph) -> Label | None:
    if config.masks is None:
        return None
    path = find_mask(Path(config.masks), image.relative)
    if path is None:
        log.warning("%s has no mask in %s and is not scored", shown(image.path), config.masks)
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
