"""``grainseg export``."""

from pathlib import Path
from typing import Annotated

import typer

from grainseg.console import say


def export(
    checkpoint: Annotated[Path, typer.Argument(help="best.ckpt of a training run.")],
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The *.safetensors file to write.")],
) -> None:
    """Write a checkpoint's network in half precision into a file that can be shipped."""
    from grainseg.pipeline.export import export as run

    say(run(checkpoint, target))
