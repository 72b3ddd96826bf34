"""Options that several subcommands of ``grainseg`` have."""

from pathlib import Path
from typing import Annotated

import typer

Output = Annotated[Path, typer.Option(help="Folder of the tables and the report.")]
PixelSizeUm = Annotated[
    str | None, typer.Option(help="µm per px, or [ROW,COLUMN]; default: what the files say.")
]
Cut = Annotated[
    str, typer.Option(help="px to cut: TOP,BOTTOM,LEFT,RIGHT; auto: the data bar that a tag tells; none.")
]
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
