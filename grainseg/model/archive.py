"""The archive of a checkpoint: its size and tensors are checked before memory is spent on them."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from grainseg.errors import GrainsegError
from grainseg.micrograph.formats.replacing import replacing

MAX_BYTES = 16 * 2**30
"""Largest size of all records together: sixteen networks of 1 GiB, or one with its optimizer's state."""

_KINDS = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64)
"""Types that weights may have; batch normalisation counts its batches in whole numbers."""


def load_archive(path: Path) -> Any:
    """Read a checkpoint that a stranger may have made: tensors and plain values only, no code.

    Args:
        path: A file.

    Returns:
        The content of the archive.

    Raises:
        GrainsegError: The file is no archive of torch, is damaged, or claims to unpack to more than its size
            or than ``MAX_BYTES``.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            plausible = _is_plausible(archive, path.stat().st_size)
            damaged = archive.testzip() if plausible else None  # torch.load does not check the checksums
            readable = plausible and not damaged
            content = torch.load(path, map_location="cpu", weights_only=True) if readable else None
    except Exception as error:  # the bytes may be anything, and so may what unpickling raises
        raise GrainsegError(
            f"checkpoint {path}: not a checkpoint, or cut off; give the best.ckpt of a training run, or its "
            "last.ckpt to resume it"
        ) from error
    if not plausible:
        raise GrainsegError(
            f"checkpoint {path}: unpacks to more than it is, or than {MAX_BYTES >> 30} GiB, as none of "
            "grainseg does; give the best.ckpt of a training run"
        )
    if damaged:
        raise GrainsegError(f"checkpoint {path}: is damaged ({damaged}); copy it again")
    return content


def save_archive(content: Mapping[str, Any], path: Path) -> None:
    """Write a checkpoint, completely or not at all.

    Args:
        content: Tensors and plain values.
        path: File to write.

    Raises:
        GrainsegError: The file cannot be written.
    """
    written = io.BytesIO()  # PyTorch, writing a file, would replace the system's error by its own
    torch.save(content, written)
    with replacing(path) as handle:
        handle.write(written.getbuffer())


def _is_plausible(archive: zipfile.ZipFile, size: int) -> bool:
    """Whether the records are uncompressed, as torch writes them, and fit into the file and ``MAX_BYTES``."""
    records = archive.infolist()
    stored = all(record.compress_type == zipfile.ZIP_STORED for record in records)
    return stored and sum(record.file_size for record in records) <= min(size, MAX_BYTES)


def are_plain(weights: Mapping[str, torch.Tensor]) -> bool:
    """Whether all weights are dense tensors on the CPU, of types that a network can have."""
    return all(
        not value.is_nested
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and value.dtype in _KINDS
        for value in weights.values()
    )


def require_finite(weights: Mapping[str, torch.Tensor], path: Path) -> None:
    """Raise a GrainsegError if a weight is NaN or infinite.

    Args:
        weights: State dict with the names of the network.
        path: File of the weights, for the error.
    """
    wrong = [name for name, value in weights.items() if not bool(torch.isfinite(value).all())]
    if wrong:
        raise GrainsegError(
            f"checkpoint {path}: holds weights that are not finite ({wrong[0]}): its training diverged, or "
            "it was changed; give another one"
        )
