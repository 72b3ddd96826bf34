"""Optimizers and learning-rate schedules by name."""

import math
from functools import partial
from typing import Any

import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import nn

from grainseg.config import OptimizerConfig, SchedulerConfig
from grainseg.training.encoder import encoder_of


def build_optimizers(
    optimizer: OptimizerConfig, scheduler: SchedulerConfig, network: nn.Module, steps: int
) -> OptimizerLRScheduler:
    """Build optimizer and scheduler in the form that Lightning expects.

    Args:
        optimizer: Name and rates.
        scheduler: Name and warm-up.
        network: Network to train.
        steps: Optimizer steps of the whole run.
    """
    built = _build_optimizer(optimizer, network)
    schedule = partial(learning_rate_factor, name=scheduler.name, warmup=scheduler.warmup, steps=steps)
    lr = torch.optim.lr_scheduler.LambdaLR(built, schedule)
    return {"optimizer": built, "lr_scheduler": {"scheduler": lr, "interval": "step"}}


def _build_optimizer(config: OptimizerConfig, network: nn.Module) -> torch.optim.Optimizer:
    groups = parameter_groups(network, config)
    if config.name == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, nesterov=config.momentum > 0)
    return torch.optim.AdamW(groups, lr=config.lr, betas=(config.momentum, 0.999))


def parameter_groups(network: nn.Module, config: OptimizerConfig) -> list[dict[str, Any]]:
    """Group the parameters by learning rate and decay: the network, then the encoder if it has its own rate.

    Weight decay applies to weights, but not to biases and normalisation, which have one dimension. Early
    layers of a pretrained network detect features that all pictures share, and need less change than the late
    ones. Rates that differ by layer are the discriminative fine-tuning of Howard & Ruder 2018 (ULMFiT, ACL,
    arXiv:1801.06146), here in two parts.

    Args:
        network: Network whose trainable parameters are grouped; a frozen encoder has none.
        config: Rates and decay.

    Raises:
        GrainsegError: The encoder's rate differs from the network's, but the network has no encoder.
    """
    factor = config.encoder_lr_factor
    own = set() if factor == 1 else set(encoder_of(network).parameters())
    trainable = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {
            "params": [p for p in trainable if (p in own) == encodes and (p.ndim > 1) == decays],
            "weight_decay": config.weight_decay if decays else 0.0,
            "lr": config.lr * (factor if encodes else 1.0),
        }
        for encodes in (False, True)
        for decays in (True, False)
    ]
    return [group for group in groups if group["params"]]


def learning_rate_factor(step: int, name: str, warmup: float, steps: int) -> float:
    """Compute the factor on the learning rate at a step.

    Args:
        step: Optimizer steps done.
        name: ``constant``, or ``cosine``, which falls to zero (Loshchilov & Hutter 2017).
        warmup: Share of the steps over which the rate rises linearly.
        steps: Optimizer steps of the whole run.
    """
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / (rise + 1)
    if name == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rise) / max(1, steps - rise))))
