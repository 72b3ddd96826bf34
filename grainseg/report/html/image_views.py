"""Tables of a page about the images: what was measured, pixel sizes, notes and flags."""

import math
from collections.abc import Sequence

from grainseg.grains.fields.measurement import FieldMeasurement
from grainseg.report.files.rows import field_row
from grainseg.report.html.cells import Column, Table, TableCell, line, plain, words
from grainseg.report.html.contents import ReportImage


def unit_of(field: FieldMeasurement) -> tuple[str, float]:
    """Unit in which a field is shown, and the size of a px of its raster in this unit."""
    return ("px", 1.0) if field.unit_um is None else ("µm", field.unit_um)


def scale_bar(across: float, unit: str) -> tuple[str, float]:
    """Length of a scale bar: 1, 2 or 5 times a power of ten, up to a quarter of the picture.

    Args:
        across: Width of the picture in the unit.
        unit: Name of the unit.

    Returns:
        The text, and the share of the picture's width in %.
    """
    power = 10.0 ** math.floor(math.log10(across / 4))
    length = power * max(step for step in (1, 2, 5) if step * power <= across / 4)
    return f"{length:.3g} {unit}", 100 * length / across


def field_table(images: Sequence[ReportImage]) -> Table:
    """The fields in one table: quantities to compare, and signs of a bad segmentation."""
    units = {unit_of(image.field)[0] for image in images}
    unit = units.pop() if len(units) == 1 else ""
    lines = []
    for index, image in enumerate(images):
        row, field = field_row(image.batch, image.field), image.field
        suffix = "um" if field.unit_um is not None else "px"
        name = field.image if unit else f"{field.image} ({unit_of(field)[0]})"
        cells = (
            words(name, "name", f"#image-{index}"),
            words(image.batch, "name"),
            plain(row, "count"),
            plain(row, f"mean_intercept_{suffix}"),
            plain(row, f"mean_intercept_without_closed_{suffix}"),
            plain(row, "anisotropy", places=2),
            plain(row, "g_intercept", places=2),
            plain(row, "g_saltikov", places=2),
            plain(row, "closed_share", places=1, factor=100),
            plain(row, "open_ends_per_mm", places=1),
            plain(row, "doubt", places=2),
            words(str(len(field.flags)), "num"),
        )
        lines.append(line(cells, batch=image.batch, image=field.image))
    columns = (
        Column("Image", css="name"),
        Column("Batch", css="name"),
        Column("Grains", "cut ones, too"),
        Column("Mean intercept", unit),
        Column("Without closed gaps", unit),
        Column("Anisotropy"),
        Column("G", "intercept"),
        Column("G", "Saltikov"),
        Column("Closed boundary", "%"),
        Column("Open ends", "per mm"),
        Column("Doubt"),
        Column("Flags"),
    )
    return Table(columns, tuple(lines))


def image_table(batch: str, field: FieldMeasurement) -> Table:
    """All that was measured in one field: each size with the G that E112's formulas give for it."""
    row = field_row(batch, field)
    unit, _ = unit_of(field)
    suffix, per_area, area = ("um", "mm2", "um2") if unit == "µm" else ("px", "px2", "px")
    names = {"mm2": "mm⁻²", "px2": "px⁻²", "um2": "µm²", "px": "px²"}
    ends = () if field.members is None else (("least", "low"), ("greatest", "high"))
    quantities = [
        ("Mean intercept, four directions", f"mean_intercept_{suffix}", unit, "g_intercept"),
        ("without closed gaps", f"mean_intercept_without_closed_{suffix}", unit, ""),
        *(
            (f"of the {end} of the ensemble's networks", f"mean_intercept_members_{key}_{suffix}", unit, "")
            for end, key in ends
        ),
        *(
            (f"at {field.angles_deg[lines.name]:.4g}°", f"intercept_deg{lines.name}_{suffix}", unit, "")
            for lines in field.lines
        ),
        ("Mean intercept, three circles", f"intercept_circles_{suffix}", unit, "g_circles"),
        ("Grains per area, Saltikov", f"n_a_saltikov_per_{per_area}", names[per_area], "g_saltikov"),
        ("Grains per area, Jeffries", f"n_a_jeffries_per_{per_area}", names[per_area], "g_jeffries"),
        ("Grains per area, triple points", f"n_a_triple_per_{per_area}", names[per_area], "g_triple"),
        ("Largest grain (ALA)", f"ala_area_{area}", names[area], "g_ala"),
        ("Longest over shortest intercept of the four directions", "anisotropy", "", ""),
        ("Elongation, whatever its direction", "elongation", "", ""),
        *(
            (
                f"Median diameter (D50), {end} of the networks",
                f"d50_members_{key}_{suffix}",
                unit,
                "",
            )
            for end, key in ends
        ),
        ("Grains, those cut by the border too", "count", "", ""),
        ("Length closed by the partition", f"closed_length_{suffix}", unit, ""),
        ("Open ends of lines", "open_ends", "", ""),
    ]
    indented = ("without", "of the ", "at ")
    lines = [
        line(
            (
                words(title, "sub" if title.startswith(indented) else ""),
                plain(row, key),
                words(symbol, "unit"),
                plain(row, g, places=2) if g else TableCell((), "", "num"),
            ),
            batch=batch,
            image=field.image,
        )
        for title, key, symbol, g in quantities
    ]
    share = plain(row, "closed_share", places=1, factor=100)
    cells = (words("Boundary closed by the partition"), share, words("%", "unit"), TableCell((), "", "num"))
    lines.insert(-1, line(cells, batch=batch, image=field.image))
    columns = (Column("Quantity", css=""), Column("Value"), Column("Unit", css="unit"), Column("G"))
    return Table(columns, tuple(lines))


def pixel_size_table(images: Sequence[ReportImage]) -> Table:
    """The pixel size of each image, and where it comes from."""
    lines = []
    for index, image in enumerate(images):
        field = image.field
        row = field_row(image.batch, field)
        source = "unknown" if field.pixel_size is None else field.pixel_size.source
        cells = (
            words(image.path, "name", f"#image-{index}"),
            words(f"{field.width_px} × {field.height_px}", "num"),
            plain(row, "pixel_size_column_um"),
            plain(row, "pixel_size_row_um"),
            words(source),
            words("; ".join(image.notes)),
        )
        lines.append(line(cells, batch=image.batch, image=field.image))
    columns = (
        Column("File", css="name"),
        Column("Size", "px"),
        Column("Pixel, x", "µm"),
        Column("Pixel, y", "µm"),
        Column("Source of the pixel size", css=""),
        Column("Notes", css=""),
    )
    return Table(columns, tuple(lines))
