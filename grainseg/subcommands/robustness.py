"""``grainseg robustness``."""

from pathlib import Path
from typing import Annotated

import typer

from grainseg.config import LabelledFolderConfig, RobustnessConfig
from grainseg.config.command_line import crop_of, text_of
from grainseg.console import say
from grainseg.errors import require_all_done
from grainseg.subcommands.options import (
    DATA_ROOT,
    Accelerator,
    BoundaryValue,
    Cut,
    IgnoreValue,
    LabelKind,
    LabelWidth,
    LabelZero,
    MaxMegapixels,
    Tolerance,
    command_line,
)


def robustness(
    checkpoint: Annotated[Path, typer.Option(help="best.ckpt of a training run, or a weights file.")],
    data: Annotated[
        Path, typer.Option(metavar=DATA_ROOT, help="Folder with images/ and masks/, as for training.")
    ],
    output: Annotated[Path, typer.Option(help="Folder of the card.")],
    references: Annotated[
        bool, typer.Option("--references", help="With the classical references beside the network.")
    ] = False,
    test: Annotated[
        list[str] | None,
        typer.Option(
            help="Image of the card; repeat for more; default: those that tested the network, else those "
            "that validated it, else all."
        ),
    ] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(help="Folder of TensorBoard's files; default: tensorboard in OUTPUT.")
    ] = None,
    label_kind: LabelKind = "boundary",
    boundary_value: BoundaryValue = 255,
    ignore_value: IgnoreValue = None,
    label_width_px: LabelWidth = None,
    zero: LabelZero = None,
    crop: Cut = "auto",
    adapt: Annotated[
        float | None,
        typer.Option(help="0-1: how far the network adapts to each picture; default: as in training."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the corruptions and the random forest.")] = 0,
    boundary_tolerance_px: Tolerance = 3.0,
    accelerator: Accelerator = "auto",
    max_megapixels: MaxMegapixels = 500.0,
) -> None:
    """Say what light, blur, noise and resolution would do to a network's scores and to the grain size."""
    config = RobustnessConfig(
        checkpoint=str(checkpoint),
        data=LabelledFolderConfig(
            label_kind=label_kind,
            boundary_value=boundary_value,
            ignore_value=ignore_value,
            label_width_px=label_width_px,
            zero=zero,
            max_megapixels=max_megapixels,
            root=str(data),
            val=None,
            test=test or None,
            fold=None,
            folds=None,
            crop=crop_of(crop),
        ),
        output=str(output),
        references=references,
        adapt=adapt,
        tensorboard=text_of(tensorboard),
        seed=seed,
        boundary_tolerance_px=boundary_tolerance_px,
        accelerator=accelerator,
    )
    from grainseg.pipeline.robustness import robustness as run  # heavy, so after the checks

    made = run(config, command_line())
    say(made.summary())
    require_all_done(made.failures, "pictures", others_done=True)  # run raises if none is done
