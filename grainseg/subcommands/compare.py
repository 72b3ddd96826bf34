"""``grainseg compare``."""

from pathlib import Path
from typing import Annotated

import typer

from grainseg.console import say


def compare(
    folders: Annotated[
        list[Path],
        typer.Argument(help="Folders that predict.py or measure wrote: their batches are compared."),
    ],
    output: Annotated[Path | None, typer.Option(help="Folder for comparisons.csv; default: none.")] = None,
    margin_g: Annotated[
        float, typer.Option(help="Batches that differ by less than this in G are equivalent; 0.01 to 5.")
    ] = 0.25,
) -> None:
    """Say of each pair of batches whether they differ, are equivalent, or need more fields."""
    from grainseg.pipeline.compare import compare as run

    say(run(folders, output, margin_g))
