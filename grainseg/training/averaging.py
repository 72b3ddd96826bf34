"""Weights for validation, checkpoints and prediction that differ from those of the last training step.

**An average over the training.** With a fixed learning rate, the weights circle around a minimum; their mean
is closer to it (Polyak & Juditsky 1992, SIAM J. Control Optim. 30:838). The mean here is exponential, as for
the teacher of Tarvainen & Valpola 2017 (NeurIPS, arXiv:1703.01780): after step t

    average ← d_t · average + (1 - d_t) · weights,   d_t = min(decay, t / (t + 9)).

d_t rises from step to step, as in TensorFlow's ``ExponentialMovingAverage`` with ``num_updates``, so that the
average forgets the initial weights. Runs here have only a few hundred steps: after 400 steps with a constant
decay of 0.999, the initial weights would still have a share of e^-0.4 = 0.67.

Lightning's ``EMAWeightAveraging`` cannot be used: it does not act on checkpoints without an optimizer, so
``best.ckpt`` would hold the weights of the last step.

**A share of the generic weights.** Fine-tuning on one material makes a network forget others. On the straight
line between the weights before and after fine-tuning, it recovers what it forgot without a loss on the
labelled material (Wortsman et al. 2022, CVPR, arXiv:2109.01903).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from grainseg.config import TrainConfig
from grainseg.errors import GrainsegError
from grainseg.training.module import BoundaryModule

RISE_STEPS = 9
"""The decay of the average is 1/2 after this many steps."""


_STATE_KEY = "KeptWeights"
"""Key of the callback's state in checkpoints; it stays when the class is renamed."""


class AveragedWeights(Callback):
    """Put the weights to be saved into the network at each validation, until the next training batch.

    So the checkpoints written at the end of an epoch hold these weights under the network's names. In this
    callback's state, ``last.ckpt`` also holds the training weights from which a resumed run continues.

    The running mean and variance of batch normalisation are averaged like the weights: the statistics of each
    step belong to the weights of that step, so averaged statistics belong to averaged weights, to first order
    in the changes of the weights. The count of batches, an integer, remains the network's own.

    Args:
        decay: Largest share of itself that the average keeps at a step, in (0, 1); None for no average.
        start_share: Share of the weights before the first step in the saved weights, in [0, 1).
    """

    def __init__(self, decay: float | None, start_share: float) -> None:
        self._decay = decay
        self._start_share = start_share
        self._steps = 0
        self._in_place = False
        self._seen_step = 0
        self._training = False
        # "average" over all steps, "start" before the first step, "own" while others are in the network.
        self._weights: dict[str, list[Tensor]] = {}

    @property
    def state_key(self) -> str:
        """Key of the state in checkpoints."""
        return _STATE_KEY

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start from the network's weights, unless a checkpoint has restored the saved state."""
        self._training = True
        self._seen_step = trainer.global_step
        values = _values(pl_module)
        if self._weights:
            device = values[0].device
            self._weights = {
                name: [value.to(device) for value in kept] for name, kept in self._weights.items()
            }
            return
        if self._decay is not None:
            self._weights["average"] = _copies(values)
        if self._start_share > 0:
            self._weights["start"] = _copies(values)

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Restore the training weights of the last step."""
        if self._in_place:
            _put(self._weights.pop("own"), _values(pl_module))
            self._in_place = False

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        """Update the average after a step; with gradient accumulation, not every batch is a step."""
        if trainer.global_step == self._seen_step:
            return
        self._seen_step = trainer.global_step
        self._steps += 1
        if self._decay is None:
            return
        decay = min(self._decay, self._steps / (self._steps + RISE_STEPS))
        with torch.no_grad():
            for average, value in zip(self._weights["average"], _values(pl_module), strict=True):
                average.lerp_(value, 1 - decay)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the weights to be saved into the network; does nothing before training has started."""
        if self._in_place or not self._training:
            return
        values = _values(pl_module)
        self._weights["own"] = _copies(values)
        _put(self._kept(), values)
        self._in_place = True

    def _kept(self) -> list[Tensor]:
        trained = self._weights["own" if self._decay is None else "average"]
        if self._start_share == 0:
            return trained
        pairs = zip(self._weights["start"], trained, strict=True)
        return [torch.lerp(start, value, 1 - self._start_share) for start, value in pairs]

    def state_dict(self) -> dict[str, Any]:
        """Return the state that a resumed run needs in addition to the network."""
        return {
            "decay": self._decay,
            "start_share": self._start_share,
            "steps": self._steps,
            "in_place": self._in_place,
            "weights": self._weights,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the saved state; the network itself is loaded separately."""
        self._steps = state_dict["steps"]
        self._in_place = state_dict["in_place"]
        self._weights = {name: _copies(values) for name, values in state_dict["weights"].items()}


def _values(module: LightningModule) -> list[Tensor]:
    """Return the network's weights and running statistics themselves, not copies."""
    assert isinstance(module, BoundaryModule)  # the only module of this project
    return [
        value for value in module.network.state_dict(keep_vars=True).values() if value.is_floating_point()
    ]


def _copies(values: list[Tensor]) -> list[Tensor]:
    return [value.detach().clone() for value in values]


def _put(wanted: list[Tensor], into: list[Tensor]) -> None:
    with torch.no_grad():
        for value, place in zip(wanted, into, strict=True):
            place.copy_(value)


def averaged_weights(config: TrainConfig) -> AveragedWeights | None:
    """Return the callback that a run needs; None if it saves the weights of the last step."""
    decay, share = _wanted(config)
    return None if decay is None and share == 0 else AveragedWeights(decay, share)


def _wanted(config: TrainConfig) -> tuple[float | None, float]:
    return config.callbacks.ema_decay, config.model.generic_share if config.model.init == "generic" else 0.0


def require_same_averaging(checkpoint: Path, callbacks: Mapping[str, Any], config: TrainConfig) -> None:
    """Check that a resumed run averages and mixes weights as the interrupted run did.

    Args:
        checkpoint: A ``last.ckpt``, for the error message.
        callbacks: The callbacks' states in this checkpoint.
        config: Configuration of the resumed run.

    Raises:
        GrainsegError: The settings differ; the message names the first that does.
    """
    state = callbacks.get(_STATE_KEY, {})
    wanted = _wanted(config)
    saved = state.get("decay"), state.get("start_share", 0.0)
    for key, here, there in zip(("callbacks.ema_decay", "model.generic_share"), wanted, saved, strict=True):
        if here != there:
            here_typed, there_typed = ("null" if value is None else value for value in (here, there))
            raise GrainsegError(
                f"resume={checkpoint}: has {key}={there_typed}, this run {key}={here_typed}; "
                "say the overrides of the interrupted run again"
            )
