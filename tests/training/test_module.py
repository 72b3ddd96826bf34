"""What a network draws while it trains."""

from types import SimpleNamespace
from typing import Any

import torch

from grainseg.training.module import BoundaryModule


def drawn(seed: int, epoch: int, rank: int, batch: int = 0) -> float:
    """What dropout would draw first, whatever was drawn before."""
    module: Any = SimpleNamespace(spec=SimpleNamespace(seed=seed), current_epoch=epoch, global_rank=rank)
    BoundaryModule.on_train_batch_start(module, None, batch)
    return float(torch.rand(1))


def test_dropout_depends_on_seed_epoch_and_process_and_not_on_what_was_drawn_before() -> None:
    assert drawn(2**32 - 1, 3, 1) == drawn(2**32 - 1, 3, 1)
    assert len({drawn(0, 3, 1), drawn(1, 3, 1), drawn(0, 1, 3), drawn(0, 3, 0)}) == 4
    assert drawn(0, 3, 1) != drawn(0, 3, 1, batch=1)  # goes on within the epoch
