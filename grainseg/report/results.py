"""Read back what the tables of a finished measurement say of its batches."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grainseg.errors import GrainsegError
from grainseg.grains.samples import FieldSample

FIELDS = "fields.csv"
GRAINS = "grains.csv"

_DIRECTIONS = ("deg0", "deg45", "deg90", "deg135")


@dataclass(frozen=True)
class SavedBatch:
    """Fields of one batch, in the unit in which they can be compared."""

    name: str
    unit: str
    samples: tuple[FieldSample, ...]


def read_batches(folder: Path) -> list[SavedBatch]:
    """The batches that ``fields.csv`` and ``grains.csv`` of a folder hold.

    A batch is in µm as soon as one of its fields has a pixel size; fields without one are then left out.

    Args:
        folder: Where predict.py or ``grainseg measure`` wrote.

    Raises:
        GrainsegError: A table is missing, or is none of these.
    """
    path = folder / FIELDS
    fields: dict[str, list[Mapping[str, str]]] = {}
    for row in _rows(path):
        fields.setdefault(_cell(row, "batch", path), []).append(row)
    if not fields:
        raise GrainsegError(f"{path}: holds no field; predict or measure again")
    grains = _grains(folder / GRAINS)
    batches = []
    for name, rows in fields.items():
        scaled = [row for row in rows if _cell(row, "raster_um", path)]
        unit = "µm" if scaled else "px"
        samples = tuple(_sample(row, grains, unit, path) for row in scaled or rows)
        batches.append(SavedBatch(name, unit, samples))
    return batches


def _grains(path: Path) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """Diameter in px and weight of the grains that have one, by batch and image."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in _rows(path):
        weight = _number(row, "weight", path)
        if weight > 0:
            key = _cell(row, "batch", path), _cell(row, "image", path)
            found.setdefault(key, []).append((_number(row, "ecd_px", path), weight))
    return found


def _sample(
    row: Mapping[str, str],
    grains: Mapping[tuple[str, str], list[tuple[float, float]]],
    unit: str,
    path: Path,
) -> FieldSample:
    name = _cell(row, "image", path)
    scale = _number(row, "raster_um", path) if unit == "µm" else 1.0
    length, crossings = (_total(row, column, path) for column in ("line_length_{}_px", "crossings_{}"))
    # Without a partition nothing is known of closed boundary, and its share is missing.
    given = not _cell(row, "closed_share", path)
    kept = None if given else max(crossings - _total(row, "closed_crossings_{}", path), 0.0)
    sized = np.array(grains.get((_cell(row, "batch", path), name), []), np.float64).reshape(-1, 2)
    try:
        return FieldSample(name, length * scale, crossings, kept, sized[:, 0] * scale, sized[:, 1])
    except ValueError as error:
        raise GrainsegError(f"{path}: {error}; predict or measure again") from error


def _total(row: Mapping[str, str], column: str, path: Path) -> float:
    """Sum over the four directions."""
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


def _cell(row: Mapping[str, str], column: str, path: Path) -> str:
    value = row.get(column)
    if value is None:
        raise GrainsegError(f"{path}: lacks the column {column} or a value in it; predict or measure again")
    return value


def _number(row: Mapping[str, str], column: str, path: Path) -> float:
    text = _cell(row, column, path)
    try:
        return float(text)
    except ValueError as error:
        raise GrainsegError(
            f"{path}: {column} is {text!r}, which is no number; predict or measure again"
        ) from error
