"""Speed of ``experiment=pretrain`` on one core: drawing the stream, and training on it, measured separately.

    OMP_NUM_THREADS=1 python benchmarks/pretraining.py [override ...]

Measures the processor time of one thread, so that other load has little effect. bfloat16 and single precision
take turns.
"""

import argparse
import statistics
import time

import torch
from hydra import compose, initialize_config_dir
from torch import nn

from grainseg.config import StreamDataConfig, TrainConfig, parse_train
from grainseg.data.source import Patch
from grainseg.data.stream import open_stream
from grainseg.hydra_app import CONF
from grainseg.model.losses import BoundaryLoss, build_loss
from grainseg.model.networks import build_network, network_input
from grainseg.pipeline.train import network_spec

PATCHES = 96
ROUNDS = 6


def configuration(overrides: list[str]) -> TrainConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return parse_train(compose("train", ["experiment=pretrain", *overrides]))


def step_seconds(network: nn.Module, loss: BoundaryLoss, batch: Patch, bfloat16: bool) -> float:
    started = time.process_time()
    network.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
        logits = network(network_input(batch[0]))
        value: torch.Tensor = loss(logits, batch[1])
    value.backward()  # type: ignore[no-untyped-call]
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("overrides", nargs="*", metavar="override")
    torch.set_num_threads(1)
    config = configuration(parser.parse_args().overrides)
    assert isinstance(config.data, StreamDataConfig)
    data = open_stream(config.data, config.augment, config.model.in_channels, config.seed)
    started = time.process_time()
    drawn = [data.patches[number] for number in range(PATCHES)]
    speed = PATCHES / (time.process_time() - started)
    print(f"drawing: {speed:.1f} pictures of {config.data.tile_size} px a second and core")
    pixels = torch.stack([patch for patch, _ in drawn[: config.batch_size]])
    labels = torch.stack([label for _, label in drawn[: config.batch_size]])
    batch = pixels.to(memory_format=torch.channels_last), labels
    network, loss = build_network(network_spec(config)).train(), build_loss(config.loss)
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for bfloat16, found in seconds.items():
            found.append(step_seconds(network, loss, batch, bfloat16))
    for bfloat16, found in seconds.items():
        step = statistics.median(found[1:])  # the first round warms up
        both = step + config.batch_size / speed
        print(
            f"{'bfloat16' if bfloat16 else 'float32'}: {step:.2f} s a step of {config.batch_size}, "
            f"{1 / step:.2f} steps a second; with drawing {both:.2f} s, {1 / both:.2f} steps a second"
        )


if __name__ == "__main__":
    main()
