"""Which device computes, for training and prediction alike."""

import torch

from grainseg.errors import GrainsegError


def choose_device(accelerator: str, key: str) -> torch.device:
    """The device for ``auto``, ``cpu``, ``gpu`` or ``mps``.

    Args:
        accelerator: What is asked for.
        key: The configuration's key that asks, for the error.

    Raises:
        GrainsegError: A GPU is asked for where there is none.
    """
    if accelerator in ("auto", "gpu") and torch.cuda.is_available():
        return torch.device("cuda")
    if accelerator in ("auto", "gpu", "mps") and torch.backends.mps.is_available():
        return torch.device("mps")
    if accelerator in ("auto", "cpu"):
        return torch.device("cpu")
    raise GrainsegError(f"{key}={accelerator}: this machine has none; set {key}=cpu")
