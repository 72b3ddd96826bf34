"""``grainseg synth``."""

from pathlib import Path
from typing import Annotated

import typer

from grainseg.console import say


def synth(
    sheet: Annotated[Path, typer.Option(help="The PNG file to write.")],
    rows: Annotated[int, typer.Option(help="Pictures one below the other.")] = 4,
    columns: Annotated[int, typer.Option(help="Pictures side by side, each beside itself with label.")] = 3,
    side: Annotated[int, typer.Option(help="Height and width of a picture in px.")] = 256,
    seed: Annotated[int, typer.Option(help="Of the first picture; the others have the next ones.")] = 0,
    config: Annotated[
        Path | None,
        typer.Option(
            help="Whose ranges to show: config.yaml of a run with data=stream; default: those that ship."
        ),
    ] = None,
    regime: Annotated[str | None, typer.Option(help="One of its data.regimes; default: what trains.")] = None,
) -> None:
    """Show, on one sheet, what the synthetic pictures of pretraining look like."""
    from grainseg.pipeline.synth import synth as run

    say(run(sheet, rows, columns, side, seed, config, regime))
