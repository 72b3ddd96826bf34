"""Settings that depend on the hardware: accelerator, devices and precision; Lightning's messages."""

import logging
import warnings
from typing import Any

import torch

from grainseg.config import TrainerConfig
from grainseg.errors import GrainsegError
from grainseg.inference.device import choose_device


def hardware_arguments(config: TrainerConfig) -> dict[str, Any]:
    """Return the Trainer's arguments for accelerator, devices, strategy and precision.

    Raises:
        GrainsegError: The settings need a GPU and there is none.
    """
    device = choose_device(config.accelerator, "trainer.accelerator").type
    if config.precision == "16-mixed" and device == "cpu":
        raise GrainsegError(
            "trainer.precision=16-mixed: needs a GPU, this run is on the CPU; say trainer.precision=auto"
        )
    return {
        "accelerator": {"cuda": "gpu"}.get(device, device),
        "devices": config.devices,
        "strategy": config.strategy,
        "precision": _best_precision(device) if config.precision == "auto" else config.precision,
    }


def hardware_used(config: TrainerConfig) -> dict[str, str]:
    """Return accelerator and precision as a run uses them, by the names of their settings.

    Raises:
        GrainsegError: As for :func:`hardware_arguments`.
    """
    hardware = hardware_arguments(config)
    return {f"trainer.{name}": str(hardware[name]) for name in ("accelerator", "precision")}


def _best_precision(device: str) -> str:
    """Choose bfloat16 only if the hardware computes it natively: emulated, it is slower than float32."""
    if device == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device == "mps":
        fast = False
    else:
        capabilities = torch.cpu.get_capabilities()
        fast = bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return "bf16-mixed" if fast else "32-true"


def quiet_lightning() -> None:
    """Hide Lightning's messages and warnings about settings that are intended."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Workers bring no gain when training on a CPU; data.num_workers sets their number.
    warnings.filterwarnings("ignore", message=".*does not have many workers")
    # A resumed run continues in its own folder.
    warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")
    # A resumed run may drop early stopping; states that it needs are checked before.
    warnings.filterwarnings("ignore", message="Be aware that when using `ckpt_path`")
    # Only a run interrupted in its first epoch has such a checkpoint. The resumed run continues after the
    # last step with the same total number of steps, but repeats the first patches of that epoch instead of
    # its last ones. Patches are drawn at random (in a grid: in random order), anew in each epoch.
    warnings.filterwarnings("ignore", message="You're resuming from a checkpoint that ended before the epoch")
    # Every process scores all pictures, so nothing needs to be gathered.
    warnings.filterwarnings("ignore", message="It is recommended to use `self.log.*sync_dist=True")
    # https://github.com/Lightning-AI/pytorch-lightning/issues/21326: Lightning uses a class that PyTorch
    # has renamed.
    warnings.filterwarnings("ignore", message=".*LeafSpec.*is deprecated")
