"""The learning rate's course, and which parameters decay."""

import pytest
from torch import nn

from grainseg.training.optimizers import learning_rate_factor, parameter_groups


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


def test_a_constant_rate_stays() -> None:
    assert [learning_rate_factor(step, "constant", 0.1, 100) for step in (10, 50, 99)] == [1.0, 1.0, 1.0]


def test_only_weights_decay_and_none_is_forgotten() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 1, bias=False))
    decaying, free = parameter_groups(network, 0.1)
    assert decaying["weight_decay"] == 0.1
    assert free["weight_decay"] == 0.0
    assert {p.ndim for p in decaying["params"]} == {4}
    assert {p.ndim for p in free["params"]} == {1}
    assert len(decaying["params"]) + len(free["params"]) == len(list(network.parameters()))
