"""``grainseg suggest``."""

from pathlib import Path
from typing import Annotated

import typer

from grainseg.config import SuggestConfig
from grainseg.config.command_line import crop_of, text_of
from grainseg.console import say
from grainseg.errors import require_all_done
from grainseg.subcommands.options import Accelerator, Cut, MaxMegapixels


def suggest(
    images: Annotated[str, typer.Argument(help="A picture, a folder of them, or a glob in quotes.")],
    output: Annotated[Path, typer.Option(help="Folder of the suggestions.")],
    checkpoint: Annotated[
        Path | None, typer.Option(help="best.ckpt of a training run; default: the weights that ship.")
    ] = None,
    count: Annotated[int, typer.Option(help="Regions to suggest at most.")] = 10,
    window_px: Annotated[
        int | None, typer.Option(help="Side of a region; default: 256, or half a smaller picture's sides.")
    ] = None,
    crop: Cut = "auto",
    accelerator: Accelerator = "auto",
    max_megapixels: MaxMegapixels = 500.0,
) -> None:
    """Say which image without a label, and which part of it, is worth labelling next."""
    config = SuggestConfig(
        text_of(checkpoint), images, str(output), count, window_px, crop_of(crop), accelerator, max_megapixels
    )
    from grainseg.pipeline.suggest import suggest as run  # heavy, so after the checks

    found = run(config)
    say(found.summary())
    require_all_done(found.failures, "pictures", others_done=True)  # run raises if none is done
