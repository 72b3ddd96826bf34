"""Predict pictures: write masks, grains, tables and a report, and score those that have labels."""

import functools
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

from grainseg.config import PredictConfig
from grainseg.data.images import label_spec, network_unit
from grainseg.errors import GrainsegError
from grainseg.grains.labels.label_files import read_label
from grainseg.grains.scoring.scores import MaskScores, score_prediction, total
from grainseg.grains.trust.doubt import doubt_of
from grainseg.inference.device import choose_device
from grainseg.inference.ensemble import Forecast, predict_members
from grainseg.inference.predictor import named_if_diverged, predict_probability
from grainseg.inference.scale import on_grid
from grainseg.micrograph.files import file_sha256
from grainseg.micrograph.folders.selection import SelectedImage, find_mask, list_images, require_masks
from grainseg.micrograph.image import GRAIN, FloatImage, Label, Micrograph
from grainseg.micrograph.labels import line_width_px, thin_line_warnings
from grainseg.model.ensemble import load_networks
from grainseg.model.generic import default_checkpoint, ships
from grainseg.pipeline.pictures.failures import SKIPPED, log_failure, log_unlisted
from grainseg.pipeline.pictures.member_grains import MemberGrains
from grainseg.pipeline.pictures.picture import (
    ClosedPicture,
    MappedField,
    OpenedPicture,
    close_picture,
    make_output,
    open_picture,
    require_folders,
)
from grainseg.pipeline.pictures.progress import progress
from grainseg.pipeline.pictures.scaling import scale_of_picture
from grainseg.pipeline.prediction_plan import (
    PredictionPlan,
    plan_prediction,
    prediction_provenance,
    unfinished_warning,
)
from grainseg.pipeline.results.batch_results import BatchResults, Measurements, summary, title_of
from grainseg.pipeline.results.earlier_run import (
    TABLES,
    FileState,
    files_before,
    maps_before,
    require_metrics,
    require_own_pictures,
    tables_come_last,
    warn_of_older,
    warn_of_older_maps,
    warn_of_unreplaced,
)
from grainseg.pipeline.results.label_remarks import labelled_error_flag, tolerance_warnings
from grainseg.pipeline.runs.training_record import read_record, seen_in_training_warning
from grainseg.report.files.metrics_file import METRICS, write_metrics
from grainseg.report.files.prediction_files import PredictionPaths, prediction_paths, write_uncertainty
from grainseg.report.files.robustness_note import read_note

log = logging.getLogger(__name__)

ALL = "all"
"""Name under which the metrics over all pictures are given."""


@dataclass
class Prediction:
    """Results of a prediction.

    Attributes:
        written: Paths of the files by picture.
        scores: Scores by picture, for pictures with a mask.
        failures: One line for each picture that failed, and each folder that could not be listed.
        unscored: One line for each mask that could not be read or shows no grain to judge; its picture is
            measured nevertheless.
        measured: Batches, comparisons and the report; None without a partition or if no picture was measured.
    """

    written: dict[Path, PredictionPaths] = field(default_factory=dict)
    scores: dict[Path, MaskScores] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    unscored: list[str] = field(default_factory=list)
    measured: BatchResults | None = None

    def metrics(self) -> dict[str, dict[str, float]]:
        """Return the metrics of each picture, and under `ALL` those of all pictures together."""
        by_picture = {path.as_posix(): score.metrics() for path, score in self.scores.items()}
        return by_picture | {ALL: self._total().metrics()}

    def labelled_intercept_px(self) -> float | None:
        """Return the mean intercept of all labels together; None without a partition."""
        regions = self._total().regions
        return None if regions is None else regions.label.mean_intercept_px

    def _total(self) -> MaskScores:
        return total(self.scores.values())


def predict(config: PredictConfig, command: str = "") -> Prediction:
    """Predict and measure all pictures that ``config.images`` selects.

    A picture that fails is skipped and reported; the others are processed.

    Args:
        config: The prediction.
        command: The command as typed, for the report.

    Raises:
        GrainsegError: Nothing can be predicted at all: no checkpoint, no pictures, clashing outputs.
    """
    checkpoint = default_checkpoint() if config.checkpoint is None else Path(config.checkpoint)
    if config.checkpoint is None:
        log.warning(
            "no checkpoint given: the weights that ship are used, trained on synthetic pictures alone"
        )
    output = Path(config.output)
    selection = list_images(config.images, output)
    images = selection.images
    if config.masks is not None:
        require_masks(Path(config.masks), images)
    label_spec(config.data)  # raises for invalid settings before any picture is read
    require_folders(config)
    spec, networks = load_networks(checkpoint)
    digest = file_sha256(checkpoint)
    unfinished = unfinished_warning(spec, checkpoint)
    if unfinished is not None:
        log.warning("%s", unfinished)
    plan = plan_prediction(config, checkpoint, digest, spec, networks)
    card = None
    if config.robustness is not None:
        card = read_note(Path(config.robustness), digest, plan.tiles.adapt)
    for network in networks:
        network.to(choose_device(config.accelerator, "accelerator"))
    measurements = _measurements(plan, images)
    make_output(config.output)
    if config.masks is not None:
        require_metrics(output / METRICS, ALL)
    older_maps = maps_before(output)
    result = Prediction(failures=log_unlisted(selection))
    with tables_come_last(output, *TABLES, METRICS):
        for image in progress(images, "predicting"):
            _predict_one(plan, image, result, measurements)
    warn_of_older_maps(output, older_maps)
    doubtful_scores = _write_scores(plan, images, result)
    if measurements is None:
        warn_of_older(output, *TABLES)
    else:
        provenance = prediction_provenance(plan, command)
        title = title_of(config.images)
        flags = (*_flags(plan, result), *doubtful_scores)  # the page shows the scores, too
        result.measured = measurements.write(title, provenance, flags, card, result.scores)
    return result


def _predict_one(
    plan: PredictionPlan, image: SelectedImage, result: Prediction, measurements: Measurements | None
) -> None:
    """Predict, write, measure and score a picture; a failure is recorded and does not stop the others."""
    output = Path(plan.config.output)
    before: dict[str, FileState] = {}
    try:
        require_own_pictures(output, image.relative)
        before = files_before(output, image.relative)
        with named_if_diverged(image.path, plan.checkpoint):
            seen = _forecast_picture(plan, image)
        closed = _write(plan, seen)
        result.written[image.relative] = prediction_paths(output, image.relative)
        if measurements is not None:
            measurements.add(_measured(plan, seen, closed.require_field()))
    except SKIPPED as error:
        result.failures.append(log_failure(image.path, error))
        warn_of_unreplaced(output, before)
        return
    try:
        scores = _scores(plan.config, seen.opened, closed)
    except SKIPPED as error:
        result.unscored.append(log_failure(image.path, error))
        return
    if scores is not None:
        result.scores[image.relative] = scores


def _write_scores(plan: PredictionPlan, images: list[SelectedImage], result: Prediction) -> list[str]:
    """Write the scores, if there are any, and return the reasons to doubt them, one line each."""
    output = Path(plan.config.output)
    if not result.scores:
        warn_of_older(output, METRICS)
        return []
    write_metrics(output / METRICS, result.metrics())
    scored = [image.path for image in images if image.relative in result.scores]
    known = seen_in_training_warning(read_record(plan.checkpoint, plan.spec), scored)
    tolerance = tolerance_warnings(plan.config.boundary_tolerance_px, result.labelled_intercept_px())
    doubtful = [*tolerance, *([] if known is None else [known])]
    for warning in doubtful:
        log.warning("%s", warning)
    return doubtful


def _measurements(plan: PredictionPlan, images: list[SelectedImage]) -> Measurements | None:
    if plan.partition is None:
        return None
    relatives = [image.relative for image in images]
    # The error was found with the checkpoint's own settings, and does not hold for others.
    segmentation = None if plan.by_hand() else plan.spec.segmentation
    return Measurements(plan.config, relatives, title_of(plan.config.images), segmentation)


def _flags(plan: PredictionPlan, result: Prediction) -> tuple[str, ...]:
    """Return the flags that concern all pictures."""
    flags = [f"not measured: {failure}" for failure in result.failures]
    flags += [f"measured, but not scored: {failure}" for failure in result.unscored]
    if ships(plan.checkpoint) and not result.scores:
        flags.append(
            "the weights that ship found the boundaries, trained on synthetic pictures alone: their error on "
            "this material is unknown; label a few pictures, and compare (masks=FOLDER) or train with them"
        )
    others = plan.by_hand()
    if others and plan.spec.segmentation is not None and plan.config.segmentation_rel_unc is None:
        flags.append(
            f"said by hand: {', '.join(others)}; the segmentation error that the checkpoint knows is that "
            "of its own settings and was not taken, so the uncertainty is incomplete"
        )
    if plan.config.segmentation_rel_unc is None and (others or plan.spec.segmentation is None):
        regions = [score.regions for score in result.scores.values() if score.regions is not None]
        flags += labelled_error_flag(regions)
    return tuple(flags)


@dataclass(frozen=True)
class _ForecastPicture:
    """A picture with its prediction.

    Attributes:
        opened: The picture.
        unit: (h, w, C) float32 in [0, 1], on the network's grid.
        forecast: The prediction, on the same grid.
        members: Grains of each network; None for a single network or without a partition.
    """

    opened: OpenedPicture
    unit: FloatImage
    forecast: Forecast
    members: MemberGrains | None


def _forecast_picture(plan: PredictionPlan, image: SelectedImage) -> _ForecastPicture:
    opened = open_picture(plan.config, image, plan.config.data.max_megapixels)
    unit = network_unit(opened.micrograph.pixels, plan.spec.in_channels)
    opened = opened.with_picture_warnings(unit)
    # One network and one view are enough to estimate the scale.
    first = functools.partial(predict_probability, plan.networks[0], tiles=replace(plan.tiles, views=1))
    scaled = scale_of_picture(plan.scaling, opened, unit, first)
    opened, shape, settings = scaled.opened, scaled.opened.micrograph.shape, plan.partition
    members = MemberGrains(opened, settings) if settings is not None and len(plan.networks) > 1 else None
    of_member = None if members is None else lambda seen: members.add(on_grid(seen, shape))
    if scaled.probability is not None and len(plan.networks) == plan.tiles.views == 1:
        forecast = Forecast(scaled.probability, None)  # already predicted to estimate the scale
    else:
        forecast = predict_members(plan.networks, scaled.unit, plan.tiles, of_member)
    return _ForecastPicture(opened, scaled.unit, forecast, members)


def _write(plan: PredictionPlan, seen: _ForecastPicture) -> ClosedPicture:
    """Write a picture's files, on its own grid."""
    picture, selected, output = seen.opened.micrograph, seen.opened.selected, Path(plan.config.output)
    probability = on_grid(seen.forecast.probability, picture.shape)
    closed = close_picture(seen.opened, probability, plan.threshold, plan.partition, output)
    spread = None if seen.forecast.spread is None else on_grid(seen.forecast.spread, picture.shape)
    write_uncertainty(prediction_paths(output, selected.relative), spread, picture.pixel_size_um)
    return closed


def _measured(plan: PredictionPlan, seen: _ForecastPicture, found: MappedField) -> MappedField:
    """Return the field with the doubt about its prediction and the spread of the ensemble's members."""
    # On the network's grid, as in training: enlarged lines would look uncertain.
    probability = seen.forecast.probability
    left_out = seen.opened.left_out.on_grid(probability.shape).mask
    doubt = doubt_of(seen.unit, probability, found.partition, plan.spec.doubt_reference, left_out)
    if doubt.flag is not None:
        log.warning("%s: %s", found.path, doubt.flag)
    return replace(found, doubt=doubt, members=None if seen.members is None else seen.members.spread())


def _scores(config: PredictConfig, opened: OpenedPicture, closed: ClosedPicture) -> MaskScores | None:
    """Return the scores of a picture against its label; None if it has no label."""
    label = _read_label(config, opened.selected, opened.micrograph)
    if label is None:
        return None
    label = opened.left_out.of_label(label)
    if not (label == GRAIN).any():
        raise GrainsegError(
            f"{opened.selected.path}: its mask shows no grain outside what is excluded or ignored, and it is "
            "not scored; leave less out, or remove the mask"
        )
    grains = None if closed.field is None else closed.field.grains
    return score_prediction(closed.mask, grains, label, config.boundary_tolerance_px)


def _read_label(config: PredictConfig, image: SelectedImage, picture: Micrograph) -> Label | None:
    if config.masks is None:
        return None
    path = find_mask(Path(config.masks), image.relative)
    if path is None:
        log.warning("%s has no mask in %s and is not scored", image.path, config.masks)
        return None
    spec = label_spec(config.data)
    label = read_label(path, picture.shape, spec, config.data.max_megapixels, picture.crop)
    for warning in thin_line_warnings(line_width_px(label), spec):
        log.warning("%s: %s", path, warning)
    return label


def prediction_summary(result: Prediction, output: Path) -> str:
    """Return the closing lines: the scores if there are labels, the batches, and the paths of the results."""
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
