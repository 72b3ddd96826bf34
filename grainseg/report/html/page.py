"""The report: one HTML file that holds everything, makes no network request and prints well."""

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from grainseg.grains.wording import counted
from grainseg.micrograph.formats.replacing import replacing
from grainseg.micrograph.names import without_controls
from grainseg.report.html import batch_views, image_views, plots
from grainseg.report.html.contents import Report, ReportBatch, ReportImage
from grainseg.report.html.flags import flagged
from grainseg.report.html.score_views import score_sentence, total_sentence
from grainseg.report.pictures.grain_overlay import SizeScale, scale_stops, scale_ticks, size_scale
from grainseg.report.pictures.preview import data_uri, size_layer_webp

_TEMPLATES = Path(__file__).parent / "templates"


def write_report(path: Path, report: Report) -> None:
    """Write a report as one self-contained HTML file.

    Its content security policy forbids every request, and every script except its own. All names are
    escaped, so the name of a file cannot run as code. Each measured number carries the text that it has in
    the CSV files as `data-value`.

    Args:
        path: File to write; missing folders are made.
        report: The contents.

    Raises:
        GrainsegError: The file cannot be written.
    """
    write_page(path, "report.html", _context(report))


def write_page(path: Path, template: str, context: Mapping[str, Any]) -> None:
    """Fill in a template together with the style and the script that all pages share.

    Args:
        path: File to write; missing folders are made.
        template: File name of the template.
        context: Values of the template, except ``style``, ``script`` and ``script_hash``.

    Raises:
        GrainsegError: The file cannot be written.
    """
    script = (_TEMPLATES / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    shared = {
        "script": Markup(script),
        "script_hash": f"sha256-{digest}",
        "style": Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),
    }
    html = _environment().get_template(template).render(shared | dict(context))
    with replacing(path) as handle:
        handle.write(without_controls(html).encode("utf-8", "backslashreplace"))


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["counted"] = counted
    return environment


def _context(report: Report) -> dict[str, Any]:
    scales = _size_scales(report.images)
    statistics = [batch.statistics for batch in report.batches]
    return {
        "report": report,
        "summary": batch_views.summary_table(statistics, _image_flags(report)),
        "flags": flagged(report),
        "without_size": [image.field.image for image in report.images if image.field.unit_um is None],
        "plots": _common_plots(report),
        "scores": {name: score_sentence(scores) for name, scores in report.scores.items()},
        "total_score": total_sentence(report.scores),
        "batches": [_batch_view(report, batch, number) for number, batch in enumerate(report.batches)],
        "comparisons": batch_views.comparison_table(report.comparisons),
        "systematic": list(dict.fromkeys(comparison.systematic for comparison in report.comparisons)),
        "fields": image_views.field_table(report.images),
        "images": [_image_view(image, number, scales) for number, image in enumerate(report.images)],
        "scales": [_scale_view(unit, scale) for unit, scale in scales.items()],
        "closed_known": any(image.preview.has_closed for image in report.images),
        "provenance": _provenance(report),
        "robustness_plot": "" if report.robustness is None else data_uri(report.robustness[1], "png"),
        "pixel_sizes": image_views.pixel_size_table(report.images),
    }


def _provenance(report: Report) -> list[tuple[str, str]]:
    provenance = report.provenance
    facts = (
        ("Checkpoint", provenance.checkpoint),
        ("SHA-256 of the checkpoint", provenance.checkpoint_sha256),
        ("Command", provenance.command),
        *provenance.settings.items(),
        *provenance.versions.items(),
    )
    return [(name, value) for name, value in facts if value is not None]


def _image_flags(report: Report) -> Counter[str]:
    """Number of flags of the images, by batch."""
    return Counter(image.batch for image in report.images for _ in image.field.flags)


def _size_scales(images: Sequence[ReportImage]) -> dict[str, SizeScale]:
    """One scale of colours per unit, over the grains of all images with this unit."""
    sizes: dict[str, list[Any]] = {}
    for image in images:
        unit, scale = image_views.unit_of(image.field)
        sizes.setdefault(unit, []).append(image.field.grains.ecd_px * scale)
    return {unit: size_scale(np.concatenate(parts)) for unit, parts in sizes.items()}


def _scale_view(unit: str, scale: SizeScale) -> dict[str, Any]:
    ticks = [(f"{size:g}", 100 * float(scale.position(size))) for size in scale_ticks(scale)]
    return {"unit": unit, "ticks": ticks, "stops": scale_stops()}


def _common_plots(report: Report) -> list[Markup]:
    """The batches side by side: one plot of means and one of distributions for each unit."""
    made = []
    for unit in sorted({batch.statistics.unit for batch in report.batches}, reverse=True):
        alike = [batch for batch in report.batches if batch.statistics.unit == unit]
        statistics = [batch.statistics for batch in alike]
        samples = {batch.statistics.name: batch.samples for batch in alike}
        name = "um" if unit == "µm" else unit
        made.append(plots.batches_plot(statistics, samples, f"batches-{name}"))
        if len(alike) > 1:
            sizes = {key: plots.pooled_sizes(value) for key, value in samples.items()}
            made.append(plots.cumulative_plot(statistics, sizes, f"cumulative-{name}"))
    return [Markup(svg) for svg in made]


def _batch_view(report: Report, batch: ReportBatch, number: int) -> dict[str, Any]:
    statistics = batch.statistics
    colour = plots.BATCH_COLOURS[number % len(plots.BATCH_COLOURS)]
    fields = [image.field for image in report.images if image.batch == statistics.name]
    sizes = plots.pooled_sizes(batch.samples)
    rose = plots.intercept_rose(fields, statistics.unit, colour, f"rose-{number}") if fields else ""
    return {
        "anchor": f"batch-{number}",
        "statistics": statistics,
        "distribution": Markup(plots.size_distribution(statistics, sizes, colour, f"sizes-{number}")),
        "rose": Markup(rose),
        "estimates": batch_views.estimate_table(statistics),
        "budget": batch_views.budget_table(statistics),
        "sentences": [
            *batch_views.sampled_sentences(statistics, batch.others),
            *batch_views.batch_sentences(statistics),
        ],
    }


def _image_view(image: ReportImage, number: int, scales: Mapping[str, SizeScale]) -> dict[str, Any]:
    field, preview = image.field, image.preview
    unit, scale = image_views.unit_of(field)
    rows, columns = preview.full_shape
    across = scale if field.pixel_size is None else field.pixel_size.column_um
    return {
        "anchor": f"image-{number}",
        "batch": image.batch,
        "field": field,
        "table": image_views.image_table(image.batch, field),
        "micrograph": data_uri(preview.micrograph),
        "boundaries": data_uri(preview.boundaries),
        "sizes": data_uri(
            size_layer_webp(preview, field.grains.id, field.grains.ecd_px * scale, scales[unit])
        ),
        "aspect": f"{columns} / {rows}",
        "columns": columns,
        "unit": unit,
        "across": across,
        "rule": image_views.scale_bar(columns * across, unit),
    }
