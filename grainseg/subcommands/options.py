"""Options that several subcommands of ``grainseg`` share, and the command as it was typed."""

import shlex
import sys
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

import typer

DATA_ROOT = "DATA_ROOT"
"""Metavar of the parameter that sets the key ``data.root``."""

Output = Annotated[Path, typer.Option(help="Folder of the tables and the report.")]
PixelSizeUm = Annotated[
    str | None, typer.Option(help="µm per px, or [ROW,COLUMN]; default: what the files say.")
]
Cut = Annotated[
    str, typer.Option(help="px to cut: TOP,BOTTOM,LEFT,RIGHT; auto: the data bar that a tag tells; none.")
]
Accelerator = Annotated[str, typer.Option(help="auto, cpu, gpu or mps.")]
MaxMegapixels = Annotated[float, typer.Option(help="Larger pictures are refused.")]
Tolerance = Annotated[float, typer.Option(help="Of the boundary F1, in px.")]
LabelKind = Annotated[
    str, typer.Option(help="What the masks hold: boundary, lines (drawn thinly), instances (ids).")
]
BoundaryValue = Annotated[int, typer.Option(help="The masks' value on boundaries and lines.")]
IgnoreValue = Annotated[int | None, typer.Option(help="The masks' value where nobody labelled.")]
LabelWidth = Annotated[
    int | None, typer.Option(help="Of lines and instances: how wide in px the lines are drawn.")
]
LabelZero = Annotated[
    str | None, typer.Option(help="Of instances that hold 0: boundary (lines between grains) or ignored.")
]


def command_line() -> str:
    """The command as typed, for the reports."""
    return shlex.join(["grainseg", *sys.argv[1:]])


def typed(command: Callable[..., Any]) -> dict[str, str]:
    """Map the keys of a subcommand's configuration to what the user types for them.

    Args:
        command: The subcommand.

    Returns:
        The option of each key, or the argument as the help names it; for ``data.root``, whichever sets it.
    """
    found: dict[str, str] = {}
    for name, parameter in signature(command).parameters.items():
        note = parameter.annotation.__metadata__[0]
        argument = isinstance(note, typer.models.ArgumentInfo)
        word = (note.metavar or name.upper()) if argument else f"--{name.replace('_', '-')}"
        found[name] = word
        if note.metavar == DATA_ROOT:
            found["data.root"] = word
    return found
