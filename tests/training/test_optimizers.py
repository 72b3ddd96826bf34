"""The learning rate's course, and which parameters decay."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import compose_train
from torch import nn

from grainseg.config import OptimizerConfig, TrainConfig
from grainseg.errors import GrainsegError
from grainseg.model.checkpoint import read_checkpoint
from grainseg.pipeline.train import train
from grainseg.training.encoder import encoder_of
from grainseg.training.optimizers import build_optimizers, learning_rate_factor, parameter_groups

ADAMW = OptimizerConfig("adamw", lr=1e-3, weight_decay=0.01, momentum=0.9, encoder_lr_factor=1.0)


def test_the_rate_rises_then_falls_to_zero() -> None:
    factors = [learning_rate_factor(step, "cosine", 0.1, 100) for step in range(101)]
    peak = factors.index(max(factors))
    assert peak == 10
    assert factors[peak] == 1.0
    assert factors[:peak] == sorted(factors[:peak])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)
    assert 0 < factors[0] < 0.2
    assert factors[100] == pytest.approx(0, abs=1e-9)
    assert learning_rate_factor(55, "cosine", 0.1, 100) == pytest.approx(0.5)
    # A step more than was planned must not have the rate rise again.
    assert learning_rate_factor(150, "cosine", 0.1, 100) == pytest.approx(0, abs=1e-9)


def test_a_constant_rate_stays() -> None:
    assert [learning_rate_factor(step, "constant", 0.1, 100) for step in (10, 50, 99)] == [1.0, 1.0, 1.0]


class Parts(nn.Module):
    """A network with an encoder, as those of the library have one."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
        self.decoder = nn.Conv2d(4, 1, 1)


def test_only_weights_decay_and_none_is_forgotten() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 1, bias=False))
    decaying, free = parameter_groups(network, replace(ADAMW, weight_decay=0.1))
    assert decaying["weight_decay"] == 0.1
    assert free["weight_decay"] == 0.0
    assert {p.ndim for p in decaying["params"]} == {4}
    assert {p.ndim for p in free["params"]} == {1}
    assert len(decaying["params"]) + len(free["params"]) == len(list(network.parameters()))


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_the_encoder_learns_at_its_part_of_the_rate_all_along(name: str) -> None:
    """Found by identity: the schedule multiplies both rates alike, and every parameter is in one group."""
    network, composed = Parts(), compose_train(f"optimizer={name}", "optimizer.encoder_lr_factor=0.1")
    built: Any = build_optimizers(composed.optimizer, composed.scheduler, network, steps=100)
    optimizer, schedule = built["optimizer"], built["lr_scheduler"]["scheduler"]
    encoder = {id(p) for p in network.encoder.parameters()}
    seen = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(seen) == sorted(id(p) for p in network.parameters())
    for step in range(100):
        factor = learning_rate_factor(step, "cosine", composed.scheduler.warmup, 100)
        for group in optimizer.param_groups:
            inside = {id(p) in encoder for p in group["params"]}
            assert len(inside) == 1
            share = 0.1 if inside.pop() else 1.0
            assert group["lr"] == pytest.approx(composed.optimizer.lr * share * factor)
        optimizer.step()
        schedule.step()


def test_momentum_is_adamws_first_beta_and_nesterovs() -> None:
    constant = compose_train().scheduler
    for name, momentum, expected in (
        ("adamw", 0.7, {"betas": (0.7, 0.999)}),
        ("sgd", 0.7, {"momentum": 0.7, "nesterov": True}),
        ("sgd", 0.0, {"momentum": 0.0, "nesterov": False}),  # which PyTorch has for no other
    ):
        config = replace(ADAMW, name=name, momentum=momentum)
        built: Any = build_optimizers(config, constant, Parts(), steps=10)
        assert built["optimizer"].defaults.items() >= expected.items()


def test_a_frozen_encoder_is_nothing_to_optimize() -> None:
    network = Parts()
    network.encoder.requires_grad_(False)
    groups = parameter_groups(network, replace(ADAMW, encoder_lr_factor=0.0))
    found = {id(p) for group in groups for p in group["params"]}
    assert found == {id(p) for p in network.decoder.parameters()}


def test_one_rate_for_all_is_as_before() -> None:
    """A last.ckpt that was written when there was one rate goes on: it has two groups."""
    assert len(parameter_groups(Parts(), ADAMW)) == 2


def test_a_network_without_an_encoder_has_no_rate_for_it() -> None:
    with pytest.raises(GrainsegError, match=r"no encoder; set optimizer\.encoder_lr_factor=1"):
        parameter_groups(nn.Conv2d(1, 1, 1), replace(ADAMW, encoder_lr_factor=0.5))
    with pytest.raises(GrainsegError, match=r"no encoder; set optimizer\.encoder_lr_factor=1"):
        encoder_of(nn.Conv2d(1, 1, 1))


def test_a_frozen_encoder_stays_as_it_was(smoke_config: TrainConfig, tmp_path: Path, shipped: Path) -> None:
    """Over several epochs with validations between: weights and running statistics, to the last bit."""
    model = replace(smoke_config.model, init="generic")
    optimizer = replace(smoke_config.optimizer, encoder_lr_factor=0.0)
    train(replace(smoke_config, epochs=2, model=model, optimizer=optimizer), tmp_path / "run")
    _, before = read_checkpoint(shipped)
    _, after = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt")
    for name, value in before.items():
        if name.startswith("encoder."):
            assert torch.equal(after[name], value), name
    changed = [name for name in before if not torch.equal(after[name], before[name])]
    assert any(name.endswith("running_mean") for name in changed)
    assert any(name.endswith("0.weight") for name in changed)
