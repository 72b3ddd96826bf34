"""Weights to ship: half precision, no optimizer, in a format that holds numbers and text but no code.

A file has the safetensors format (https://github.com/huggingface/safetensors). Its metadata key ``grainseg``
holds, as JSON text, what a checkpoint holds beside its weights. A file is read as if a stranger had made it:
its size and the types of its numbers are checked before any number is read.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save

from grainseg.errors import GrainsegError
from grainseg.micrograph.formats.replacing import replacing
from grainseg.model.archive import require_finite

SUFFIX = ".safetensors"
DESCRIPTION = "grainseg"
MAX_BYTES = 2**30
MAX_DESCRIPTION_LENGTH = 2**16
_KINDS = ("F16", "F32", "I64")
"""Types of weights: half or single precision; batch normalisation counts its batches in whole numbers."""


def write_weights(path: Path, description: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> None:
    """Write weights in half precision.

    Args:
        path: File to write, ``*.safetensors``.
        description: Plain values that JSON can hold.
        weights: State dict of a network.

    Raises:
        GrainsegError: A weight is not finite in half precision, or the file cannot be written.
    """
    halves = {name: _halved(path, name, value) for name, value in weights.items()}
    text = json.dumps(description, allow_nan=False)
    with replacing(path) as handle:
        handle.write(save(halves, metadata={DESCRIPTION: text}))


def _halved(path: Path, name: str, value: torch.Tensor) -> torch.Tensor:
    plain = value.detach().cpu().contiguous()
    if not plain.is_floating_point():
        return plain.clone()
    half = plain.half()
    if not bool(torch.isfinite(half).all()):
        raise GrainsegError(f"{path}: {name} is no number or too large for half precision; train again")
    return half


def read_weights(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Read description and weights, without comparing them with a network.

    Args:
        path: A file that ``write_weights`` may have written.

    Returns:
        The description, and the state dict on the CPU with weights in single precision.

    Raises:
        GrainsegError: The file was not written by grainseg, or holds values that weights cannot have.
    """
    if path.stat().st_size > MAX_BYTES:
        raise GrainsegError(f"checkpoint {path}: is larger than {MAX_BYTES // 2**20} MB; that is no network")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            text = (file.metadata() or {}).get(DESCRIPTION)
            kinds = {name: file.get_slice(name).get_dtype() for name in file.offset_keys()}
            wrong = sorted(name for name, kind in kinds.items() if kind not in _KINDS)
            weights = {} if wrong else {name: _single(file.get_tensor(name)) for name in kinds}
    except Exception as error:  # the bytes may be anything, and the library raises an error of its own
        raise GrainsegError(
            f"checkpoint {path}: not a weights file, or cut off; give one that grainseg export wrote"
        ) from error
    if text is None or len(text) > MAX_DESCRIPTION_LENGTH:
        raise GrainsegError(f"checkpoint {path}: was not written by grainseg export")
    if wrong:
        raise GrainsegError(f"checkpoint {path}: {wrong[0]} is of kind {kinds[wrong[0]]}, as no weight is")
    require_finite(weights, path)
    return _description(path, text), weights


def _single(value: torch.Tensor) -> torch.Tensor:
    """Copy a tensor, floats as float32 and others as int64: the library's tensor lies in the mapped file."""
    return value.to(torch.float32 if value.is_floating_point() else torch.int64, copy=True)


def _description(path: Path, text: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GrainsegError(f"checkpoint {path}: its description is no JSON") from error
    if not isinstance(values, dict):
        raise GrainsegError(f"checkpoint {path}: its description is no table of names and values")
    return values
