"""Draw a sheet of synthetic pictures that shows what a network is pretrained on."""

from pathlib import Path
from typing import Any

from grainseg.config.recipe import read_recipe
from grainseg.errors import GrainsegError
from grainseg.micrograph.files import write_png
from grainseg.micrograph.names import is_file
from grainseg.micrograph.wide.contact_sheet import contact_sheet
from grainseg.micrograph.wide.recipe import WIDE, WideRecipe
from grainseg.report.files.own_files import is_picture
from grainseg.training.run_folder import read_config

MAX_SHEET_PX = 100_000_000
MIN_SIDE_PX = 32


def synth(
    sheet: Path,
    rows: int,
    columns: int,
    side: int,
    seed: int,
    config: Path | None = None,
    regime: str | None = None,
) -> str:
    """Draw pictures of the wide generator beside their labels into one PNG.

    Args:
        sheet: Path of the sheet, ``*.png``.
        rows: Number of pairs of pictures from top to bottom.
        columns: Number of pairs of picture and picture with label side by side.
        side: Height and width of a picture in px.
        seed: Seed of the first picture; the others have the following seeds, row by row.
        config: Configuration whose ranges are shown: the ``config.yaml`` of a run on the stream, or the
            output of ``train.py … --cfg job``. None for the default ranges.
        regime: One of its ``data.regimes``; None for the recipe that trains.

    Returns:
        The path, the seeds and the size of the pictures, in one line.

    Raises:
        GrainsegError: An option is invalid, the configuration cannot be read or has no such ranges, or the
            sheet would overwrite a file of another program or cannot be written.
    """
    for option, value, least in (("rows", rows, 1), ("columns", columns, 1), ("side", side, MIN_SIDE_PX)):
        if value < least:
            raise GrainsegError(f"--{option}={value}: must be {least} or more")
    if seed < 0:
        raise GrainsegError(f"--seed={seed}: must be 0 or more")
    if 2 * rows * columns * side**2 > MAX_SHEET_PX:
        raise GrainsegError(
            f"--sheet={sheet}: {rows} × {columns} pictures of {side} px make more than "
            f"{MAX_SHEET_PX // 10**6} megapixels; lower --rows, --columns or --side"
        )
    if sheet.suffix.lower() != ".png":
        raise GrainsegError(f"--sheet={sheet}: is written as PNG; give a name that ends in .png")
    if is_file(sheet) and not is_picture(sheet):
        raise GrainsegError(f"--sheet={sheet}: was not written by grainseg; remove it, or give another name")
    write_png(sheet, contact_sheet(seed, rows, columns, side, _recipe(config, regime)))
    return f"{sheet}: seeds {seed} to {seed + rows * columns - 1}, {side} px"


def _recipe(config: Path | None, regime: str | None) -> WideRecipe:
    if config is None:
        if regime is not None:
            raise GrainsegError(f"--regime={regime}: is of a configuration; say --config, too")
        return WIDE
    advice = "give the config.yaml of a run with data=stream"
    data = read_config(config, advice).get("data")
    recipe, regimes = (_mapping(data, key) for key in ("recipe", "regimes"))
    if not recipe:
        raise GrainsegError(f"--config={config}: has no data.recipe; {advice}")
    if regime is not None and regime not in regimes:
        known = ", ".join(map(str, regimes)) or "none"
        raise GrainsegError(f"--regime={regime}: there is none of that name; data.regimes has {known}")
    key = "data.recipe" if regime is None else f"data.regimes.{regime}"
    changes = {} if regime is None else _mapping(regimes, regime)
    try:
        return read_recipe(recipe | changes, key)
    except GrainsegError as error:
        raise GrainsegError(f"--config={config}: {error}") from error


def _mapping(values: object, key: str) -> dict[Any, Any]:
    """Return the mapping under a key of an unchecked file; empty if there is none."""
    found = values.get(key) if isinstance(values, dict) else None
    return found if isinstance(found, dict) else {}
