"""Scores as JSON that every JSON parser can read."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grainseg.errors import GrainsegError
from grainseg.micrograph.formats.replacing import replacing

METRICS = "metrics.json"


def write_metrics(path: Path, metrics: Mapping[str, Any]) -> None:
    """Write numbers by name, or by picture and name.

    JSON (RFC 8259) has neither NaN nor infinity: numbers that are not finite are written as null.

    Args:
        path: File to write; missing folders are created.
        metrics: Numbers, or mappings of numbers.

    Raises:
        GrainsegError: The file cannot be written.
    """
    text = json.dumps(_plain(metrics), indent=2, allow_nan=False) + "\n"
    with replacing(path) as handle:
        handle.write(text.encode("utf-8", "backslashreplace"))


def read_metrics(path: Path, advice: str) -> dict[str, float]:
    """Read numbers by name.

    Args:
        path: A file that :func:`write_metrics` wrote.
        advice: What the error tells the user to do if the file cannot be read.

    Returns:
        The numbers; numbers that were not finite are NaN.

    Raises:
        GrainsegError: The file cannot be read, or holds something else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return {name: math.nan if value is None else float(value) for name, value in values.items()}
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise GrainsegError(f"{path}: cannot be read; {advice}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return value if math.isfinite(value) else None
