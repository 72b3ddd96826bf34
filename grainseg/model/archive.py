"""The archive that a checkpoint is, and the tensors in it: looked at before memory is spent on them."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from grainseg.errors import GrainsegError
from grainseg.micrograph.formats.replacing import replacing

MAX_BYTES = 16 * 2**30
"""Of all records together: sixteen networks of 1 GiB, or one with an optimizer's state beside it."""

_KINDS = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64)
"""What weights may be; batch normalisation counts its batches in whole numbers."""


def load_archive(path: Path) -> Any:
    """What a checkpoint holds, from a stranger's file: numbers and plain values, and no code.

    Args:
        path: A file.

    Raises:
        GrainsegError: It is no archive of torch, is damaged, or says that it unpacks to more than it is.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            plausible = _is_plausible(archive, path.stat().st_size)
            damaged = archive.testzip() if plausible else None  # torch.load does not compare the sums
            readable = plausible and not damaged
            content = torch.load(path, map_location="cpu", weights_only=True) if readable else None
    except Exception as error:  # bytes of any kind: unpickling raises whatever they make it raise
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
    """Write a checkpoint, complete or not at all.

    Args:
        content: Tensors and plain values.
        path: File to write.

    Raises:
        GrainsegError: The file cannot be written.
    """
    written = io.BytesIO()  # into a file, PyTorch makes something else of what the system says
    torch.save(content, written)
    with replacing(path) as handle:
        handle.write(written.getbuffer())


def _is_plausible(archive: zipfile.ZipFile, size: int) -> bool:
    """Whether the records are as torch writes them, uncompressed, and lie beside each other in the file."""
    records = archive.infolist()
    stored = all(record.compress_type == zipfile.ZIP_STORED for record in records)
    return stored and sum(record.file_size for record in records) <= min(size, MAX_BYTES)


def are_plain(weights: Mapping[str, torch.Tensor]) -> bool:
    """Whether all weights are dense tensors of numbers that a network can have."""
    return all(
        not value.is_nested
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and value.dtype in _KINDS
        for value in weights.values()
    )


def require_finite(weights: Mapping[str, torch.Tensor], path: Path) -> None:
    """Raise a GrainsegError where a weight is NaN or infinite.

    Args:
        weights: State dict whose names are those of the network.
        path: Its file, for the error.
    """
    wrong = [name for name, value in weights.items() if not bool(torch.isfinite(value).all())]
    if wrong:
        raise GrainsegError(
            f"checkpoint {path}: holds weights that are not finite ({wrong[0]}): its training diverged, or "
            "it was changed; give another one"
        )
