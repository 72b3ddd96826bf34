"""Predict, measure and write pictures with a tuned classical reference, as `predict` does with networks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from grainseg.config import BaselineConfig
from grainseg.data.images import network_unit
from grainseg.grains.scoring.scores import THRESHOLD
from grainseg.micrograph.folders.selection import SelectedImage, Selection
from grainseg.micrograph.image import FloatImage
from grainseg.pipeline.pictures.failures import SKIPPED, log_failure, log_unlisted
from grainseg.pipeline.pictures.picture import MappedField, close_picture, open_picture
from grainseg.pipeline.pictures.progress import progress
from grainseg.pipeline.references.tuning import FittedReference
from grainseg.pipeline.results.batch_results import BatchResults, Measurements
from grainseg.pipeline.results.earlier_run import (
    TABLES,
    FileState,
    files_before,
    maps_before,
    require_own_pictures,
    tables_come_last,
    warn_of_older_maps,
    warn_of_unreplaced,
)
from grainseg.pipeline.results.provenance import provenance_of


@dataclass(frozen=True)
class OutputFolders:
    """Where results go.

    Attributes:
        tables: Folder of the tables and the report.
        pictures: Folder of each picture's files.
    """

    tables: Path
    pictures: Path


def predict_pictures(
    config: BaselineConfig,
    fitted: FittedReference,
    selection: Selection,
    folders: OutputFolders,
    title: str,
    command: str,
    options: Mapping[str, str],
    known: Mapping[Path, FloatImage] = MappingProxyType({}),
) -> tuple[BatchResults | None, list[str]]:
    """Predict and measure pictures; one that fails is reported and skipped.

    Files of an earlier run that this run does not replace are named in warnings.

    Args:
        config: The run.
        fitted: The method.
        selection: The pictures.
        folders: Folders of the results.
        title: Title of the report.
        command: The command as typed.
        options: Options of the command for the keys that the report names, see ``as_options``.
        known: Boundary maps that were computed before, by the picture's path.

    Returns:
        The results, None if nothing was measured; and a line for each picture that failed and each folder
        that could not be listed.
    """
    relatives = [image.relative for image in selection.images]
    measurements = Measurements(
        replace(config, output=str(folders.tables)), relatives, title, fitted.segmentation, options
    )
    failures = log_unlisted(selection)
    older_maps = maps_before(folders.pictures)
    with tables_come_last(folders.tables, *TABLES):
        for image in progress(selection.images, f"predicting ({fitted.name})"):
            before: dict[str, FileState] = {}
            try:
                require_own_pictures(folders.pictures, image.relative)
                before = files_before(folders.pictures, image.relative)
                mapped = _predict_one(config, fitted, image, folders.pictures, known.get(image.path))
                measurements.add(mapped)
            except SKIPPED as error:
                failures.append(log_failure(image.path, error))
                warn_of_unreplaced(folders.pictures, before)
    warn_of_older_maps(folders.pictures, older_maps)
    source = f"boundaries found by a classical reference ({fitted.name})"
    provenance = provenance_of(source, config, command, ["scikit-learn"])
    flags = tuple(f"not measured: {failure}" for failure in failures)
    return measurements.write(title, provenance, flags), failures


def _predict_one(
    config: BaselineConfig,
    fitted: FittedReference,
    image: SelectedImage,
    folder: Path,
    probability: FloatImage | None,
) -> MappedField:
    opened = open_picture(config, image, config.data.max_megapixels)
    unit = network_unit(opened.micrograph.pixels, 1)
    opened = opened.with_picture_warnings(unit)
    if probability is None:
        probability = fitted.reference.probability(unit[:, :, 0])
    return close_picture(opened, probability, THRESHOLD, fitted.partition, folder).require_field()
