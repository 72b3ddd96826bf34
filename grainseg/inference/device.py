"""Choose the device for training and prediction."""

import torch

from grainseg.errors import GrainsegError


def choose_device(accelerator: str, key: str) -> torch.device:
    """Return the device for ``auto``, ``cpu``, ``gpu`` or ``mps``.

    Args:
        accelerator: The requested accelerator.
        key: Configuration key that sets it, for the error.

    Raises:
        GrainsegError: A GPU is requested and this machine has none.
    """
    if accelerator in ("auto", "gpu") and torch.cuda.is_available():
        return torch.device("cuda")
    if accelerator in ("auto", "gpu", "mps") and torch.backends.mps.is_available():
        return torch.device("mps")
    if accelerator in ("auto", "cpu"):
        return torch.device("cpu")
    raise GrainsegError(f"{key}={accelerator}: this machine has none; set {key}=cpu")
