"""Time of a training step and of 400 of them, for the three architectures in turns.

    python benchmarks/step_time.py [--precision float32]

The batch is the default one: 8 patches of 160 px, one channel. The architectures take turns, so that other
load slows all of them equally.
"""

import argparse
import statistics
import time

import torch
from torch import nn

from grainseg.config import DiceLossConfig
from grainseg.model.losses import build_loss
from grainseg.model.networks import NetworkSpec, build_network

ARCHITECTURES = ("unet", "unetplusplus", "deeplabv3plus")
ROUNDS = 8
STEPS = 400


def step_seconds(network: nn.Module, loss: nn.Module, bfloat16: bool) -> float:
    pixels = torch.rand(8, 1, 160, 160).to(memory_format=torch.channels_last)
    label = (torch.rand(8, 160, 160) < 0.1).to(torch.uint8)
    started = time.perf_counter()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
        logits = network(pixels)
    loss(logits, label).backward()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--precision", choices=("bf16", "float32"), default="bf16")
    bfloat16 = parser.parse_args().precision == "bf16"
    networks = {name: build_network(NetworkSpec(name, "resnet18", 1, 128)).train() for name in ARCHITECTURES}
    loss = build_loss(DiceLossConfig("bce_dice", 1.0))
    seconds: dict[str, list[float]] = {name: [] for name in ARCHITECTURES}
    for _ in range(ROUNDS):
        for name, network in networks.items():
            seconds[name].append(step_seconds(network, loss, bfloat16))
    unet = statistics.median(seconds["unet"][1:])
    for name, values in seconds.items():  # the first round warms up
        median = statistics.median(values[1:])
        print(
            f"{name}: {median:.2f} s a step, {median / unet:.2f} × U-Net, {STEPS * median:.0f} s for {STEPS}"
        )


if __name__ == "__main__":
    main()
