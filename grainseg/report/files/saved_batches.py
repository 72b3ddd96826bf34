"""Read the batches of a finished measurement back from its tables."""

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grainseg.errors import GrainsegError
from grainseg.grains.batches.samples import FieldSample
from grainseg.grains.wording import counted
from grainseg.report.files.tables import FIELDS, GRAINS, plain_text

_Key = tuple[str, str]  # batch and image
_Grain = tuple[float, float]  # diameter in px and weight

_MOST = 1e12
"""Limit of all numbers: no field has so many px or µm; sums of squares of larger ones may overflow."""
_DIRECTIONS = ("deg0", "deg45", "deg90", "deg135")


@dataclass(frozen=True)
class SavedBatch:
    """Fields of one batch, all in the same unit.

    Attributes:
        name: Name of the batch.
        unit: "µm" or "px".
        samples: The fields.
        left_out: Names of the fields without a pixel size if others have one.
    """

    name: str
    unit: str
    samples: tuple[FieldSample, ...]
    left_out: tuple[str, ...]


def read_batches(folder: Path) -> list[SavedBatch]:
    """Read the batches in ``fields.csv`` and ``grains.csv`` of a folder.

    If any field of a batch has a pixel size, the batch is in µm, and fields without one are left out.

    Args:
        folder: Output folder of predict.py or ``grainseg measure``.

    Raises:
        GrainsegError: A table is missing, is not such a table, or is incomplete.
    """
    path = folder / FIELDS
    fields = _fields(path)
    grains = _grains(folder / GRAINS)
    _require_all_grains(folder / GRAINS, fields, grains)
    batches = []
    for name in dict.fromkeys(batch for batch, _ in fields):
        rows = {image: row for (batch, image), row in fields.items() if batch == name}
        scaled = {image: row for image, row in rows.items() if _cell(row, "raster_um", path)}
        unit = "µm" if scaled else "px"
        samples = tuple(
            _sample(image, row, grains.get((name, image), []), unit, path)
            for image, row in (scaled or rows).items()
        )
        left_out = tuple(image for image in rows if scaled and image not in scaled)
        batches.append(SavedBatch(name, unit, samples, left_out))
    return batches


def _fields(path: Path) -> dict[_Key, Mapping[str, str]]:
    """Read the row of each field."""
    fields: dict[_Key, Mapping[str, str]] = {}
    for row in _rows(path):
        key = _key(row, path)
        if key in fields:
            raise GrainsegError(f"{path}: has {key[1]} of batch {key[0]} twice; predict or measure again")
        fields[key] = row
    if not fields:
        raise GrainsegError(f"{path}: holds no field; predict or measure again")
    return fields


def _grains(path: Path) -> dict[_Key, list[_Grain]]:
    """Read all grains of each field."""
    grains: dict[_Key, list[_Grain]] = {}
    for row in _rows(path):
        weight = _number(row, "weight", path)
        grains.setdefault(_key(row, path), []).append((_number(row, "ecd_px", path), weight))
    return grains


def _require_all_grains(
    path: Path, fields: Mapping[_Key, Mapping[str, str]], grains: Mapping[_Key, list[_Grain]]
) -> None:
    """Refuse tables that are cut off or from different runs."""
    for key in dict.fromkeys([*fields, *grains]):
        batch, image = key
        count = _number(fields[key], "count", path.with_name(FIELDS)) if key in fields else 0
        held = len(grains.get(key, []))
        if held != count:
            raise GrainsegError(
                f"{path}: holds {counted(held, 'grain')} of {image} in batch {batch}, {FIELDS} counts "
                f"{count:g}; the tables are cut off or of different runs: predict or measure again"
            )


def _sample(
    name: str, row: Mapping[str, str], grains: Sequence[_Grain], unit: str, path: Path
) -> FieldSample:
    scale = _number(row, "raster_um", path) if unit == "µm" else 1.0
    length, crossings = (_total(row, column, path) for column in ("line_length_{}_px", "crossings_{}"))
    # A missing share of closed boundary means that the grain map was given, so closed crossings are unknown.
    given = not _cell(row, "closed_share", path)
    drawn = bool(_cell(row, "line_width_px", path))
    kept = None if given else max(crossings - _total(row, "closed_crossings_{}", path), 0.0)
    # Grains with weight 0, cut by the border, are not part of the distributions.
    sized = np.array([grain for grain in grains if grain[1] > 0], np.float64).reshape(-1, 2)
    try:
        return FieldSample(
            name=name,
            line_length=length * scale,
            crossings=crossings,
            crossings_without_closed=kept,
            diameters=sized[:, 0] * scale,
            weights=sized[:, 1],
            specimen=plain_text(_cell(row, "specimen", path)),
            line_width=_number(row, "line_width_px", path) * scale if drawn else 0.0,
            doubted=_cell(row, "doubted", path) == "true",
            predicted=bool(_cell(row, "doubt", path)),
        )
    except ValueError as error:
        raise GrainsegError(f"{path}: {error}; predict or measure again") from error


def _total(row: Mapping[str, str], column: str, path: Path) -> float:
    """Sum a column over the four directions."""
    return sum(_number(row, column.format(direction), path) for direction in _DIRECTIONS)


def _rows(path: Path) -> Iterator[Mapping[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            yield from csv.DictReader(handle, strict=True)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise GrainsegError(
            f"{path}: cannot be read ({reason}); give a folder that predict.py or grainseg measure wrote"
        ) from error


def _key(row: Mapping[str, str], path: Path) -> _Key:
    return plain_text(_cell(row, "batch", path)), plain_text(_cell(row, "image", path))


def _cell(row: Mapping[str, str], column: str, path: Path) -> str:
    value = row.get(column)
    if value is None:
        raise GrainsegError(f"{path}: lacks the column {column} or a value in it; predict or measure again")
    return value


def _number(row: Mapping[str, str], column: str, path: Path) -> float:
    """Read a length, count or weight, which must be at least 0 and less than ``_MOST``."""
    text = _cell(row, column, path)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < _MOST:
        raise GrainsegError(
            f"{path}: {column} is {text!r}, which is no number from 0 to {_MOST:g}; predict or measure again"
        )
    return number
