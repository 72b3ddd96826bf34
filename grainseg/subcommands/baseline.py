"""``grainseg baseline``."""

from pathlib import Path
from typing import Annotated

import typer

from grainseg.config import BaselineConfig, LabelledFolderConfig, StructureConfig
from grainseg.config.baseline import BOTH, METHODS
from grainseg.config.command_line import crop_of, pixel_size_of
from grainseg.console import say
from grainseg.errors import require_all_done
from grainseg.subcommands.options import (
    DATA_ROOT,
    BoundaryValue,
    Cut,
    IgnoreValue,
    LabelKind,
    LabelWidth,
    LabelZero,
    MaxMegapixels,
    Output,
    PixelSizeUm,
    Tolerance,
    command_line,
    typed,
)


def baseline(
    root: Annotated[
        Path, typer.Argument(metavar=DATA_ROOT, help="Folder with images/ and masks/, as for training.")
    ],
    output: Output,
    method: Annotated[
        str, typer.Option(help=f"{', '.join(METHODS)}, or {BOTH}: ridge filter and watershed; random forest.")
    ] = BOTH,
    val: Annotated[
        list[str] | None, typer.Option(help="Image that validates; repeat for more; default: the last one.")
    ] = None,
    test: Annotated[
        list[str] | None, typer.Option(help="Image that neither trains nor validates; repeat for more.")
    ] = None,
    fold: Annotated[int | None, typer.Option(help="Which of --folds validates, from 0.")] = None,
    folds: Annotated[int | None, typer.Option(help="Number of folds.")] = None,
    images: Annotated[
        str | None, typer.Option(help="Further pictures to predict: a file, a folder, or a glob in quotes.")
    ] = None,
    label_kind: LabelKind = "boundary",
    boundary_value: BoundaryValue = 255,
    ignore_value: IgnoreValue = None,
    label_width_px: LabelWidth = None,
    zero: LabelZero = None,
    pixel_size_um: PixelSizeUm = None,
    crop: Cut = "auto",
    seed: Annotated[int, typer.Option(help="Of the random forest.")] = 0,
    boundary_tolerance_px: Tolerance = 3.0,
    max_megapixels: MaxMegapixels = 500.0,
) -> None:
    """Tune what does without deep learning on labelled images, to see whether a network earns its place."""
    cut = crop_of(crop)
    config = BaselineConfig(
        output=str(output),
        pixel_size_um=pixel_size_of(pixel_size_um),
        pixel_size_rel_unc=None,
        segmentation_rel_unc=None,
        segmentation_images=None,
        crop=cut,
        batches=None,
        excluded=None,
        ignored=None,
        structure=StructureConfig("unknown", "unknown", "unknown"),
        data=LabelledFolderConfig(
            label_kind=label_kind,
            boundary_value=boundary_value,
            ignore_value=ignore_value,
            label_width_px=label_width_px,
            zero=zero,
            max_megapixels=max_megapixels,
            root=str(root),
            val=val or None,
            test=test or None,
            fold=fold,
            folds=folds,
            crop=cut,
        ),
        method=method,
        images=images,
        seed=seed,
        boundary_tolerance_px=boundary_tolerance_px,
    )
    from grainseg.pipeline.baseline import baseline as run  # heavy, so after the checks

    tuned = run(config, command_line(), typed(baseline))
    say(tuned.summary())
    require_all_done(tuned.failures, "pictures", others_done=bool(tuned.reports))
