"""A small report of measured synthetic fields, for the tests of pages and tables."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np

from grainseg.grains.batches.batch import batch_statistics
from grainseg.grains.batches.budget import SegmentationError
from grainseg.grains.batches.compare import compare_batches
from grainseg.grains.batches.field_samples import field_sample
from grainseg.grains.batches.other_procedures import other_procedures
from grainseg.grains.closing.partition import partition_mask
from grainseg.grains.fields.measure_field import measure_field
from grainseg.grains.fields.measurement import FieldMeasurement
from grainseg.grains.labels.structure import Structure
from grainseg.micrograph.image import PixelSize
from grainseg.micrograph.plain.synthetic import SyntheticRecipe, generate
from grainseg.report.files.batch_rows import batch_row, budget_rows, comparison_row, other_procedures_row
from grainseg.report.files.rows import GRAIN_COLUMNS, BatchedFields, field_rows, grain_rows
from grainseg.report.files.tables import write_csv
from grainseg.report.html.contents import Provenance, Report, ReportBatch, ReportImage
from grainseg.report.pictures.preview import make_preview

PIXEL = PixelSize(0.5, 0.5, "given by the user")
RECIPE = SyntheticRecipe(mean_grain_px=(16, 16))
SEGMENTATION = SegmentationError(-0.01, 0.02, 5, "leave-one-out")
PROVENANCE = Provenance(
    source="boundaries predicted by a network",
    checkpoint="runs/best.ckpt",
    checkpoint_sha256="0123456789abcdef" * 4,
    config="partition: watershed\n",
    versions={"grainseg": "0.0"},
    command="python predict.py",
)


@cache
def image(seed: int, name: str, batch: str, pixel_size: PixelSize | None = PIXEL) -> ReportImage:
    """A field whose boundaries have gaps."""
    field = generate(seed, (128, 160), RECIPE)
    mask = field.label == 1
    mask[40:46, 20:90] = False
    partition = partition_mask(mask)
    measured = measure_field(
        name, partition.grains, pixel_size, partition, line_width_px=partition.line_width_px
    )
    preview = make_preview(field.pixels, partition.grains, partition.closed, 5)
    return ReportImage(batch, measured, preview, f"images/{name}.tif", ("a note",))


def report(
    names: dict[str, list[str]],
    pixel_size: PixelSize | None = PIXEL,
    segmentation: SegmentationError | None = SEGMENTATION,
) -> Report:
    """Batches by name, each with the names of its fields."""
    unit = "px" if pixel_size is None else "µm"
    images, batches = [], []
    for batch, fields in names.items():
        new = [image(len(images) + index, name, batch, pixel_size) for index, name in enumerate(fields)]
        images += new
        samples = tuple(field_sample(each.field, unit) for each in new)
        statistics = batch_statistics(batch, unit, samples, segmentation, 0.01, 0.004)
        others = other_procedures([each.field for each in new], unit)
        batches.append(ReportBatch(statistics, samples, others))
    samples_of = {batch.statistics.name: batch.samples for batch in batches}
    return Report(
        title="Example",
        created=datetime(2030, 1, 2, 3, 4, tzinfo=UTC),
        structure=Structure(twins="drawn"),
        provenance=PROVENANCE,
        images=tuple(images),
        batches=tuple(batches),
        comparisons=compare_batches(samples_of, unit) if len(batches) > 1 else (),
    )


def fields_of(of: Report) -> dict[str, list[FieldMeasurement]]:
    """The measured fields by batch, as the tables take them."""
    found: dict[str, list[FieldMeasurement]] = {}
    for each in of.images:
        found.setdefault(each.batch, []).append(each.field)
    return found


def write_fields(folder: Path, fields: BatchedFields) -> None:
    """The tables of fields and of their grains."""
    write_csv(folder / "grains.csv", grain_rows(fields), GRAIN_COLUMNS)
    write_csv(folder / "fields.csv", field_rows(fields))


def write_tables(folder: Path, of: Report) -> None:
    """All five tables of a report."""
    statistics = [batch.statistics for batch in of.batches]
    write_fields(folder, fields_of(of))
    whole = (
        batch_row(each.statistics) | other_procedures_row(each.others, each.statistics.unit)
        for each in of.batches
    )
    write_csv(folder / "batches.csv", whole)
    write_csv(folder / "budget.csv", (row for batch in statistics for row in budget_rows(batch)))
    write_csv(folder / "comparisons.csv", map(comparison_row, of.comparisons))


def checkerboard(side: int, grain: int) -> np.ndarray:
    """A grain map of squares, numbered from 1 row by row."""
    rows, columns = np.indices((side, side)) // grain
    return (rows * (-(-side // grain)) + columns + 1).astype(np.uint32)
