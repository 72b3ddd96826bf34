"""Tune and score the classical references, and write them like a training run. Needs no torch."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType

from grainseg.config import BaselineConfig
from grainseg.config.baseline import METHODS
from grainseg.data.images import LabelledMicrograph, read_labelled, warnings_of
from grainseg.data.scale import labelled_intercept_px
from grainseg.errors import GrainsegError
from grainseg.grains.closing.partition import DEFAULT_SETTINGS, grains_or_zeros
from grainseg.grains.scoring.scores import THRESHOLD, MaskScores, score_prediction, total
from grainseg.micrograph.files import write_png
from grainseg.micrograph.folders.folder import LabelledImage, list_folder, split_with_test
from grainseg.micrograph.folders.selection import SelectedImage, Selection, list_images
from grainseg.micrograph.image import FloatImage
from grainseg.pipeline.pictures.failures import log_left_out
from grainseg.pipeline.pictures.picture import make_output
from grainseg.pipeline.references.baseline_prediction import OutputFolders, predict_pictures
from grainseg.pipeline.references.tuning import FittedReference, fit_reference, grey, training_fields, tune
from grainseg.pipeline.results.batch_results import BatchResults, title_of
from grainseg.pipeline.results.earlier_run import (
    REPORT,
    require_no_folder,
    require_replaceable,
    warn_of_older,
)
from grainseg.pipeline.results.label_remarks import tolerance_warnings
from grainseg.report.files.metrics_file import METRICS, write_metrics
from grainseg.report.files.prediction_files import PREDICTIONS, stem_paths
from grainseg.report.pictures.overlay import panel
from grainseg.training.run_folder import read_config, write_config

log = logging.getLogger(__name__)

IMAGES = "images"
"""Subfolder of a method's folder for the predictions of further pictures."""
SETTINGS = "settings.yaml"

_SUMMARY = {"IoU": "iou", "boundary F1": "boundary_f1"}
_SUMMARY_FITTED = {"adapted Rand error": "are_fitted", "grain count error": "grain_count_error_fitted"}


@dataclass
class BaselineRun:
    """Results of a run of the classical references.

    Attributes:
        metrics: By method, the contents of its ``metrics.json``.
        reports: Paths of the reports written.
        failures: One line for each picture that failed, and each folder that could not be listed.
    """

    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    reports: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, results: BatchResults | None, failures: Sequence[str]) -> None:
        """Add the report and the failures of some pictures."""
        self.reports += [results.report] if results is not None else []
        self.failures += failures

    def summary(self) -> str:
        """Return the closing lines: the scores of each method, and the paths of the reports."""
        lines = [
            f"{method}, {stage}: {_scores(found, stage, _SUMMARY)}; partition as fitted: "
            + _scores(found, stage, _SUMMARY_FITTED)
            for method, found in self.metrics.items()
            for stage in ("val", "test")
            if f"{stage}/iou" in found
        ]
        return "\n".join((*lines, *(f"report:   {report}" for report in self.reports)))


def _scores(found: Mapping[str, float], stage: str, named: Mapping[str, str]) -> str:
    return ", ".join(f"{words} {found[f'{stage}/{key}']:.4f}" for words, key in named.items())


@dataclass(frozen=True)
class _Labelled:
    """Labelled pictures of a run for training, validation and test, and their files by stem."""

    train: Sequence[LabelledMicrograph]
    val: Sequence[LabelledMicrograph]
    test: Sequence[LabelledMicrograph]
    files: Mapping[str, LabelledImage]

    @property
    def held_out(self) -> tuple[LabelledMicrograph, ...]:
        """Validation and test pictures, which were not trained on."""
        return (*self.val, *self.test)


def baseline(
    config: BaselineConfig, command: str = "", options: Mapping[str, str] = MappingProxyType({})
) -> BaselineRun:
    """Tune the references on the training images, and predict validation, test and further pictures.

    The validation images choose the partition's settings and the threshold of the fitted scores; the test
    images choose nothing.

    Args:
        config: The run.
        command: The command as typed, for the reports.
        options: Options of the command for the keys that the reports name, see ``as_options``.

    Raises:
        GrainsegError: The labelled images cannot be used, no further pictures are found although requested,
            or the results would overwrite files that grainseg did not write.
    """
    labelled = _read_labelled(config)
    more = Selection([]) if config.images is None else list_images(config.images, Path(config.output))
    make_output(config.output)
    _require_replaceable(config)
    fields = training_fields(labelled.train)
    run = BaselineRun()
    for name in config.methods():
        started = time.monotonic()
        reference = tune(name, fields, config.seed)
        seconds = time.monotonic() - started
        found = {image.stem: reference.probability(grey(image)) for image in labelled.held_out}
        fitted = fit_reference(name, reference, labelled.val, found)
        run.metrics[name] = _score(config, fitted, labelled, found) | {"train/seconds": seconds}
        run.add(*_predict_labelled(config, fitted, labelled, found, command, options))
        _write(config, fitted, labelled, found, run.metrics[name])
        if config.images is not None:
            folder = Path(config.output) / name / IMAGES
            folders, title = OutputFolders(folder, folder), title_of(config.images)
            run.add(*predict_pictures(config, fitted, more, folders, title, command, options))
    _warn_of_other_results(config)
    return run


def _require_replaceable(config: BaselineConfig) -> None:
    """Check, before any work, that this run overwrites no file that such a run did not write."""
    for name in config.methods():
        folder = Path(config.output) / name
        require_replaceable(folder)
        settings = folder / SETTINGS
        for path in (settings, folder / METRICS):
            require_no_folder(path)
        if (folder / METRICS).exists() and not settings.exists():  # a training run has the same scores
            raise GrainsegError(
                f"{folder / METRICS}: has no {SETTINGS} beside it, so no tuning wrote it, and would be "
                "overwritten; choose another output folder"
            )
        if settings.exists() and read_config(settings, "choose another output folder").get("method") != name:
            raise GrainsegError(
                f"{settings}: holds no settings of this method and would be overwritten; choose another "
                "output folder"
            )
        if config.images is not None:
            require_replaceable(folder / IMAGES)


def _warn_of_other_results(config: BaselineConfig) -> None:
    """Warn of results that an earlier tuning left, of methods or pictures not requested this time."""
    asked = config.methods()
    others = [f"{name}/{METRICS}" for name in METHODS if name not in asked]
    if config.images is None:
        others += [f"{name}/{IMAGES}/{REPORT}" for name in asked]
    warn_of_older(Path(config.output), *others)


def _read_labelled(config: BaselineConfig) -> _Labelled:
    listing = list_folder(Path(config.data.root))
    log_left_out(listing.without_mask, listing.without_image)
    files = listing.by_stem
    chosen = config.data
    split = split_with_test(list(files), chosen.val, chosen.test, chosen.fold, chosen.folds)
    train, val, test = ([read_labelled(files[stem], chosen, 1) for stem in stems] for stems in split)
    for warning in warnings_of(train):  # the others are checked when they are measured
        log.warning("%s", warning)
    intercept_px = labelled_intercept_px([image.label for image in (*val, *test)])
    for warning in tolerance_warnings(config.boundary_tolerance_px, intercept_px):
        log.warning("%s", warning)
    return _Labelled(train, val, test, files)


def _score(
    config: BaselineConfig, fitted: FittedReference, labelled: _Labelled, found: Mapping[str, FloatImage]
) -> dict[str, float]:
    """Return the scores of validation and test pictures under the same names as those of a training run.

    Scores that end in ``_fitted`` use threshold and partition as fitted to the validation pictures, also on
    the test pictures; the others use a threshold of 0.5 and the partition's default settings.
    """
    metrics = {"val/threshold_fitted": fitted.threshold}
    for stage, images in (("val", labelled.val), ("test", labelled.test)):
        for suffix, threshold, settings in (
            ("", THRESHOLD, DEFAULT_SETTINGS),
            ("_fitted", fitted.threshold, fitted.partition),
        ):
            scores: list[MaskScores] = []
            for image in images:
                probability = found[image.stem]
                grains = grains_or_zeros(probability, settings)
                mask = probability > threshold
                scores.append(score_prediction(mask, grains, image.label, config.boundary_tolerance_px))
            if scores:
                together = total(scores).metrics()
                metrics |= {f"{stage}/{key}{suffix}": value for key, value in together.items()}
    return metrics


def _write(
    config: BaselineConfig,
    fitted: FittedReference,
    labelled: _Labelled,
    found: Mapping[str, FloatImage],
    metrics: Mapping[str, float],
) -> None:
    """Write the settings and the metrics, and a panel of each validation and test picture."""
    folder = Path(config.output) / fitted.name
    plain = {"method": fitted.name, **fitted.reference.settings, "partition": asdict(fitted.partition)}
    write_config(folder / SETTINGS, plain)
    write_metrics(folder / METRICS, metrics)
    for image in labelled.held_out:
        probability = found[image.stem]
        mask = probability > THRESHOLD
        drawn = panel(grey(image), image.label, probability, mask, config.boundary_tolerance_px)
        write_png(stem_paths(folder / PREDICTIONS, image.stem).panel, drawn)


def _predict_labelled(
    config: BaselineConfig,
    fitted: FittedReference,
    labelled: _Labelled,
    found: Mapping[str, FloatImage],
    command: str,
    options: Mapping[str, str],
) -> tuple[BatchResults | None, list[str]]:
    """Write and measure the validation and test pictures."""
    folder = Path(config.output) / fitted.name
    files = {labelled.files[stem].image: probability for stem, probability in found.items()}
    selected = Selection([SelectedImage(path, Path(path.name)) for path in files])
    folders = OutputFolders(folder, folder / PREDICTIONS)
    title = title_of(config.data.root)
    return predict_pictures(config, fitted, selected, folders, title, command, options, files)
