"""Measure fields one after the other, then write the tables and the report. Needs no torch."""

import hashlib
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np

from grainseg.config import MeasurementConfig
from grainseg.config.command_line import as_options
from grainseg.grains.batches.batch import BatchStatistics, batch_statistics
from grainseg.grains.batches.budget import SegmentationError, StatedError
from grainseg.grains.batches.compare import Comparison, compare_batches
from grainseg.grains.batches.copies import copies, distinct
from grainseg.grains.batches.doubted import cautioned
from grainseg.grains.batches.field_samples import common_unit, field_sample, pooled_elongation, scale_flags
from grainseg.grains.batches.other_procedures import other_procedures
from grainseg.grains.fields.field_flags import too_large
from grainseg.grains.fields.measure_field import measure_field
from grainseg.grains.fields.measurement import FieldMeasurement
from grainseg.grains.fields.members import member_flags
from grainseg.grains.labels.structure import Structure
from grainseg.grains.scoring.scores import MaskScores
from grainseg.grains.wording import counted, minus
from grainseg.micrograph.folders.batches import assign_batches
from grainseg.micrograph.folders.selection import selection_root
from grainseg.micrograph.formats.replacing import removing
from grainseg.pipeline.pictures.picture import MappedField
from grainseg.pipeline.results.earlier_run import REPORT, TABLES, require_replaceable, warn_of_older
from grainseg.report.files.batch_rows import Row, batch_row, budget_rows, comparison_row, other_procedures_row
from grainseg.report.files.robustness_note import RobustnessNote
from grainseg.report.files.rows import GRAIN_COLUMNS, field_rows, grain_rows
from grainseg.report.files.tables import BATCHES, BUDGET, COMPARISONS, FIELDS, GRAINS, write_csv
from grainseg.report.html.contents import Provenance, Report, ReportBatch, ReportImage
from grainseg.report.html.page import write_report
from grainseg.report.pictures.preview import make_preview

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchResults:
    """Statistics of each batch, the comparison of each pair of batches, and the path of the report."""

    batches: tuple[BatchStatistics, ...]
    comparisons: tuple[Comparison, ...]
    report: Path


class Measurements:
    """Collects the measured numbers and the preview of each field of a run.

    Args:
        config: Settings of the measurement; they name the table of batches and the output folder.
        images: Relative paths of all images that may be added.
        root_name: Name of the batch of the images in the starting folder itself.
        segmentation: Error of ln mean intercept against labels, used unless `config` states one; None if
            unknown.
        options: Options of the command for the keys that flags and notes name, see ``as_options``; other keys
            stay.

    Raises:
        GrainsegError: The table of batches cannot be read or does not fit the images, or the results would
            overwrite files that grainseg did not write.
    """

    def __init__(
        self,
        config: MeasurementConfig,
        images: Sequence[Path],
        root_name: str,
        segmentation: SegmentationError | None,
        options: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        table = Path(config.batches) if config.batches is not None else None
        self._origin = assign_batches(images, root_name, table)
        require_replaceable(Path(config.output))
        self._config = config
        self._segmentation = segmentation
        self._options = options
        self._images: list[ReportImage] = []
        self._threshold_sd_ln: dict[str, float | None] = {}
        self._first_of: dict[bytes, str] = {}

    def add(self, mapped: MappedField) -> FieldMeasurement:
        """Measure a field and keep it; the flags about its file come first.

        Returns:
            The field; its flags name configuration keys, as the log does.
        """
        name = mapped.relative.as_posix()
        field = measure_field(
            name, mapped.grains, mapped.pixel_size, mapped.partition, mapped.ignored, mapped.line_width_px
        )
        doubt = mapped.doubt
        doubtful = () if doubt is None or doubt.flag is None else (doubt.flag,)
        flags = (*self._copied(mapped, field), *mapped.warnings, *doubtful)
        flags += (*member_flags(mapped.members), *field.flags)
        origin = self._origin[mapped.relative]
        field = replace(
            field,
            flags=flags,
            doubt=None if doubt is None else doubt.score,
            doubted=bool(doubtful) or mapped.exposed_badly,
            members=mapped.members,
            specimen=origin.specimen,
        )
        closed = mapped.partition.closed if mapped.partition is not None else None
        shown = mapped.grains if mapped.ignored is None else np.where(mapped.ignored, 0, mapped.grains)
        preview = make_preview(mapped.pixels, shown, closed, len(self._origin))
        told, notes = replace(field, flags=self._as_typed(flags)), self._as_typed(mapped.notes)
        self._images.append(ReportImage(origin.batch, told, preview, str(mapped.path), notes))
        self._threshold_sd_ln[name] = mapped.threshold_sd_ln
        return field

    def _as_typed(self, lines: Sequence[str]) -> tuple[str, ...]:
        return tuple(as_options(line, self._options) for line in lines)

    def _copied(self, mapped: MappedField, field: FieldMeasurement) -> tuple[str, ...]:
        """Return a flag if an earlier field has exactly the same grains, which no two places have."""
        if field.count < 2:
            return ()
        digest = hashlib.sha256(np.ascontiguousarray(mapped.grains).data).digest()
        first = self._first_of.setdefault(digest, field.image)
        if first == field.image:
            return ()
        flag = f"has the very grains of {first}: one picture is not two fields; remove one"
        log.warning("%s: %s", mapped.path, flag)
        return (flag,)

    def write(
        self,
        title: str,
        provenance: Provenance,
        flags: tuple[str, ...] = (),
        robustness: tuple[RobustnessNote, bytes] | None = None,
        scores: Mapping[Path, MaskScores] = MappingProxyType({}),
    ) -> BatchResults | None:
        """Write tables and report into the output folder; if no field was measured, write nothing.

        Args:
            title: Title of the report.
            provenance: Where the numbers come from.
            flags: Flags that concern all pictures.
            robustness: Note and plot of the network's robustness card.
            scores: Scores against labels, by the relative path of a picture that was measured.

        Returns:
            The results; None if no field was measured.

        Raises:
            GrainsegError: A file cannot be written.
        """
        output = Path(self._config.output)
        if not self._images:
            warn_of_older(output, *TABLES)
            return None
        fields: dict[str, list[FieldMeasurement]] = {}
        order = list(dict.fromkeys(origin.batch for origin in self._origin.values()))
        images = sorted(self._images, key=lambda image: order.index(image.batch))
        for image in images:
            fields.setdefault(image.batch, []).append(image.field)
        batches = flag_not_compared([self._report_batch(name, of_batch) for name, of_batch in fields.items()])
        copied = copied_batches(batches)
        comparisons = compare_all([batch for batch in batches if batch.statistics.name not in copied])
        batches = tuple(_flagged(batch, copied.get(batch.statistics.name)) for batch in batches)
        statistics = tuple(batch.statistics for batch in batches)
        write_csv(output / GRAINS, grain_rows(fields), GRAIN_COLUMNS)
        write_csv(output / FIELDS, field_rows(fields))
        write_csv(output / BATCHES, map(_whole_row, batches))
        write_csv(output / BUDGET, (row for batch in statistics for row in budget_rows(batch)))
        if comparisons:
            write_csv(output / COMPARISONS, map(comparison_row, comparisons))
        else:  # a table of an earlier run would contradict the other tables
            removing(output / COMPARISONS)
        report = Report(
            title=title,
            created=datetime.now().astimezone(),
            structure=Structure(**vars(self._config.structure)),
            provenance=provenance,
            images=tuple(images),
            batches=batches,
            comparisons=comparisons,
            flags=self._as_typed(flags),
            robustness=robustness,
            scores={path.as_posix(): score for path, score in scores.items()},
        )
        write_report(output / REPORT, report)
        return BatchResults(statistics, comparisons, output / REPORT)

    def _report_batch(self, name: str, fields: Sequence[FieldMeasurement]) -> ReportBatch:
        unit = common_unit(fields)
        scaled = [field for field in fields if unit == "px" or field.unit_um is not None]
        samples, again = distinct([field_sample(field, unit) for field in scaled])
        used = [field for field in scaled if field.image not in again]
        stated, pictures = self._config.segmentation_rel_unc, self._config.segmentation_images
        statistics = batch_statistics(
            name,
            unit,
            samples,
            self._segmentation if stated is None else StatedError(stated, pictures),
            self._config.pixel_size_rel_unc,
            rms_or_none([self._threshold_sd_ln[field.image] for field in used]),
            pooled_elongation(used, unit),
        )
        flags = [*statistics.flags, *scale_flags(used), *too_large([field.grains for field in used])]
        if again:
            flags.append(f"copies of other fields, so left out of this batch: {', '.join(again)}")
        if len(scaled) < len(fields):
            lost = ", ".join(field.image for field in fields if field.unit_um is None)
            flags.append(f"without a pixel size, so left out of this batch: {lost}")
        return ReportBatch(replace(statistics, flags=tuple(flags)), samples, other_procedures(used, unit))


def _whole_row(batch: ReportBatch) -> Row:
    statistics = batch.statistics
    return batch_row(statistics) | other_procedures_row(batch.others, statistics.unit)


def rms_or_none(values: Sequence[float | None]) -> float | None:
    """Return the root mean square of the fields' values; None if one is unknown or there are none."""
    known = [value for value in values if value is not None]
    if not values or len(known) < len(values):
        return None
    return float(np.sqrt(np.mean(np.square(known))))


def compare_all(batches: Sequence[ReportBatch]) -> tuple[Comparison, ...]:
    """Compare all pairs of batches in the same unit; `flag_not_compared` flags the others."""
    comparisons: list[Comparison] = []
    for unit in ("µm", "px"):
        alike = {batch.statistics.name: batch.samples for batch in batches if batch.statistics.unit == unit}
        if len(alike) > 1:
            comparisons += cautioned(compare_batches(alike, unit), alike)
    return tuple(comparisons)


def copied_batches(batches: Sequence[ReportBatch]) -> dict[str, str]:
    """Return a flag for each batch that repeats a field of an earlier batch and so is not compared."""
    flags: dict[str, str] = {}
    for copy in copies({batch.statistics.name: batch.samples for batch in batches}):
        flags.setdefault(copy.batch, f"not compared: {copy.sentence}")
    return flags


def _flagged(batch: ReportBatch, flag: str | None) -> ReportBatch:
    if flag is None:
        return batch
    return replace(batch, statistics=replace(batch.statistics, flags=(*batch.statistics.flags, flag)))


def flag_not_compared(batches: Sequence[ReportBatch]) -> tuple[ReportBatch, ...]:
    """Return the batches, with a flag on those in px if others are in µm: these cannot be compared."""
    metric = [batch.statistics.name for batch in batches if batch.statistics.unit == "µm"]
    flag = f"not compared with {', '.join(metric)}: only there the pixel size is known"
    return tuple(
        _flagged(batch, flag if metric and batch.statistics.unit == "px" else None) for batch in batches
    )


def title_of(images: str) -> str:
    """Return the starting folder's name, also the name of the batch of the pictures directly in it."""
    return selection_root(images).resolve().name or "images"


def summary(results: BatchResults) -> list[str]:
    """Return the closing lines: each batch, each pair of batches, and the path of the report."""
    lines = []
    for batch in results.batches:
        lines += [_batch_line(batch), *(f"  {batch.name}: {flag}" for flag in batch.flags)]
    lines += [comparison.sentence for comparison in results.comparisons]
    return [*lines, f"report:   {results.report}"]


def _batch_line(batch: BatchStatistics) -> str:
    if not math.isfinite(batch.intercept.value):
        return f"{batch.name}: no mean intercept could be measured"
    g = f", G {minus(f'{batch.g.value:.2f}')}" if batch.g is not None else " (no pixel size: no G)"
    budget = batch.budget
    if budget.expanded is None:
        doubt = f"uncertainty {budget.coverage}"
    else:
        factor = math.exp(budget.expanded)
        low, high = batch.intercept.value / factor, batch.intercept.value * factor
        doubt = f"expanded interval {low:.4g} to {high:.4g} {batch.unit}, {budget.coverage}"
    fields = counted(batch.fields, "field")
    if batch.specimens is not None:
        fields += f" of {counted(batch.specimens, 'specimen')}"
    return (
        f"{batch.name}: mean intercept {batch.intercept.value:.4g} {batch.unit}{g}; {fields}, "
        f"{counted(batch.grains, 'whole grain')}; {doubt}"
    )
