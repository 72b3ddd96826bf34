"""What the hardware does well: accelerator, devices and precision."""

import logging
import warnings
from typing import Any

import torch

from grainseg.config import TrainerConfig
from grainseg.errors import GrainsegError
from grainseg.inference.device import choose_device


def hardware_arguments(config: TrainerConfig) -> dict[str, Any]:
    """The Trainer's arguments for accelerator, devices, strategy and precision.

    Raises:
        GrainsegError: A GPU is asked for where there is none.
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


def _best_precision(device: str) -> str:
    """bfloat16 only where the hardware computes it: emulated, it is slower than float32."""
    if device == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device == "mps":
        fast = False
    else:
        capabilities = torch.cpu.get_capabilities()
        fast = bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return "bf16-mixed" if fast else "32-true"


def quiet_lightning() -> None:
    """Keep what Lightning tells about itself off the screen: what it is given is chosen knowingly."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Workers do not pay off beside a CPU; data.num_workers sets them.
    warnings.filterwarnings("ignore", message=".*does not have many workers")
    # A resumed run goes on in its own folder.
    warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")
    # A resumed run may do without early stopping; what it may not do without is seen to before.
    warnings.filterwarnings("ignore", message="Be aware that when using `ckpt_path`")
    # Only a run that is interrupted in its first epoch has such a checkpoint: it goes on after its last step,
    # with as many steps as ever, and sees the first patches of that epoch again in place of its last ones.
    # Patches are drawn at random or, of a grid, in a random order, and the next epochs have their own.
    warnings.filterwarnings("ignore", message="You're resuming from a checkpoint that ended before the epoch")
    # Every process scores all pictures, so there is nothing to gather.
    warnings.filterwarnings("ignore", message="It is recommended to use `self.log.*sync_dist=True")
    # https://github.com/Lightning-AI/pytorch-lightning/issues/21326 - its own use of a renamed PyTorch class
    warnings.filterwarnings("ignore", message=".*LeafSpec.*is deprecated")
