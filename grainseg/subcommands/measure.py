"""``grainseg measure``."""

from pathlib import Path
from typing import Annotated

import typer

from grainseg.config import MeasureConfig, StructureConfig
from grainseg.config.command_line import crop_of, pixel_size_of, text_of
from grainseg.console import say
from grainseg.errors import require_all_done
from grainseg.grains.labels.structure import PART_CHOICES, TWIN_CHOICES
from grainseg.subcommands.options import Cut, MaxMegapixels, Output, PixelSizeUm, command_line, typed


def measure(
    masks: Annotated[str, typer.Argument(help="A mask or grain map, a folder of them, or a glob in quotes.")],
    output: Output,
    kind: Annotated[
        str, typer.Option(help="boundary: masks of boundary lines; grains: label maps, such as *_grains.tif.")
    ] = "boundary",
    boundary_value: Annotated[int, typer.Option(help="Of boundary masks: the value of the lines.")] = 255,
    zero: Annotated[
        str | None,
        typer.Option(help="What 0 is in grain maps: boundary (lines), excluded (pores), ignored (outside)."),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the micrographs: pictures and pixel sizes of the report.")
    ] = None,
    pixel_size_um: PixelSizeUm = None,
    pixel_size_rel_unc: Annotated[
        float | None, typer.Option(help="Its relative standard uncertainty, 0.01 for 1 %.")
    ] = None,
    segmentation_rel_unc: Annotated[
        float | None, typer.Option(help="Relative standard uncertainty by the boundaries, 0.03 for 3 %.")
    ] = None,
    segmentation_images: Annotated[
        int | None, typer.Option(help="Of how many labelled pictures that is; default: exactly known.")
    ] = None,
    crop: Cut = "auto",
    batches: Annotated[
        Path | None,
        typer.Option(
            help="CSV with the columns image, batch, perhaps specimen; default: a batch per folder."
        ),
    ] = None,
    excluded: Annotated[
        Path | None,
        typer.Option(help="Folder of masks; where one is not 0 there are pores or second phase: grains end."),
    ] = None,
    ignored: Annotated[
        Path | None,
        typer.Option(help="Folder of masks; where one is not 0 nobody can tell: lines and grains are cut."),
    ] = None,
    twins: Annotated[str, typer.Option(help=f"Twin boundaries: {', '.join(TWIN_CHOICES)}.")] = "unknown",
    second_phase: Annotated[str, typer.Option(help=f"Second phase: {', '.join(PART_CHOICES)}.")] = "unknown",
    pores: Annotated[str, typer.Option(help=f"Pores: {', '.join(PART_CHOICES)}.")] = "unknown",
    max_megapixels: MaxMegapixels = 500.0,
) -> None:
    """Measure masks or grain maps from elsewhere, a corrected *_grains.tif among them.

    Writes tables, report.html and, for each file, *_grains.tif with the ids of grains.csv. In the folder of a
    prediction it takes *_mask.png, or with --kind grains *_grains.tif.
    """
    config = MeasureConfig(
        output=str(output),
        pixel_size_um=pixel_size_of(pixel_size_um),
        pixel_size_rel_unc=pixel_size_rel_unc,
        segmentation_rel_unc=segmentation_rel_unc,
        segmentation_images=segmentation_images,
        crop=crop_of(crop),
        batches=text_of(batches),
        excluded=text_of(excluded),
        ignored=text_of(ignored),
        structure=StructureConfig(twins, second_phase, pores),
        masks=masks,
        kind=kind,
        boundary_value=boundary_value,
        zero=zero,
        images=text_of(images),
        max_megapixels=max_megapixels,
    )
    from grainseg.pipeline.measure import measure as run  # heavy, so after the checks

    measured = run(config, command_line(), typed(measure))
    say(measured.summary())
    require_all_done(measured.failures, "files", others_done=measured.results is not None)
