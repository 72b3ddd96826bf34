"""An average of the weights over the training, which is what validates, is kept and predicts.

Steps of a fixed rate circle around a minimum; the mean of where they come by lies closer to it (Polyak &
Juditsky 1992, SIAM J. Control Optim. 30:838). The mean here is exponential, as for the teacher of Tarvainen &
Valpola 2017 (NeurIPS, arXiv:1703.01780): after step t

    average ← d_t · average + (1 - d_t) · weights,   d_t = min(decay, t / (t + 9)).

The rise of d_t (as of TensorFlow's ``ExponentialMovingAverage`` with ``num_updates``) lets the average forget
what the network was before training: runs here have a few hundred steps, of which a constant decay of 0.999
would leave the start a share of e^-0.4.

Lightning's ``EMAWeightAveraging`` does not serve: checkpoints without an optimizer do not go through its
hook, so that ``best.ckpt`` would hold the weights of the last step.
"""

from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from grainseg.errors import GrainsegError
from grainseg.training.module import BoundaryModule

RISE_STEPS = 9
"""After so many steps the decay is 1/2."""


class WeightAverage(Callback):
    """Keeps the average and, from a validation to the next batch, has it in the network's place.

    The checkpoints of an epoch's end so hold the average under the network's names, and ``last.ckpt`` beside
    it, in this callback's state, the weights to go on with.

    The running mean and variance of batch normalisation are averaged as the weights are: those of each step
    belong to its weights, and so those of the average do, to first order in how far the weights wander. The
    count of batches, a whole number, is the network's own.

    Args:
        decay: Highest share of the average that stays at a step, in (0, 1).
    """

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self._steps = 0
        self._in_place = False
        self._other: list[Tensor] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin with the network as it is, unless a checkpoint brought an average along."""
        own = _averaged(pl_module)
        self._other = [
            (kept.to(value.device) if self._other else value.detach().clone())
            for value, kept in zip(own, self._other or own, strict=True)
        ]

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Go on training where the last step ended."""
        self._place(pl_module, average=False)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        """Take the step's weights into the average."""
        self._steps += 1
        decay = min(self._decay, self._steps / (self._steps + RISE_STEPS))
        with torch.no_grad():
            for average, value in zip(self._other, _averaged(pl_module), strict=True):
                average.lerp_(value, 1 - decay)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the average into the network."""
        self._place(pl_module, average=True)

    def _place(self, module: LightningModule, average: bool) -> None:
        """Exchange the average and the weights unless the wanted ones are in the network already."""
        if self._in_place == average:
            return
        with torch.no_grad():
            for other, value in zip(self._other, _averaged(module), strict=True):
                kept = value.clone()
                value.copy_(other)
                other.copy_(kept)
        self._in_place = average

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs: of average and weights those that are not in the network."""
        return {
            "decay": self._decay,
            "steps": self._steps,
            "in_place": self._in_place,
            "other": self._other,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there; the network was loaded as it was."""
        self._steps = state_dict["steps"]
        self._in_place = state_dict["in_place"]
        self._other = [value.clone() for value in state_dict["other"]]


def _averaged(module: LightningModule) -> list[Tensor]:
    """Weights and running statistics of the network, themselves."""
    assert isinstance(module, BoundaryModule)  # there are no others
    return [
        value for value in module.network.state_dict(keep_vars=True).values() if value.is_floating_point()
    ]


def require_same_average(checkpoint: Path, decay: float | None) -> None:
    """See that a run goes on with the average it had.

    Args:
        checkpoint: A ``last.ckpt`` that can be read.
        decay: ``callbacks.ema_decay`` of the resumed run.

    Raises:
        GrainsegError: The interrupted run had another one; the text names it.
    """
    callbacks = torch.load(checkpoint, map_location="cpu", weights_only=True).get("callbacks", {})
    state = callbacks.get(WeightAverage.__qualname__)
    found = None if state is None else state.get("decay")
    if found != decay:
        here, there = ("null" if value is None else value for value in (decay, found))
        raise GrainsegError(
            f"resume={checkpoint}: has callbacks.ema_decay={there}, this run callbacks.ema_decay={here}; "
            "say the overrides of the interrupted run again"
        )
