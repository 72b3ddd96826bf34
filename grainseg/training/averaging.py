"""The weights that validate, are kept and predict, where these are not simply those of the last step.

**An average over the training.** Steps of a fixed rate circle around a minimum; the mean of where they come
by lies closer to it (Polyak & Juditsky 1992, SIAM J. Control Optim. 30:838). The mean here is exponential, as
for the teacher of Tarvainen & Valpola 2017 (NeurIPS, arXiv:1703.01780): after step t

    average ← d_t · average + (1 - d_t) · weights,   d_t = min(decay, t / (t + 9)).

The rise of d_t (as of TensorFlow's ``ExponentialMovingAverage`` with ``num_updates``) lets the average forget
what the network was before training: runs here have a few hundred steps, of which a constant decay of 0.999
would leave the start a share of e^-0.4.

Lightning's ``EMAWeightAveraging`` does not serve: checkpoints without an optimizer do not go through its
hook, so that ``best.ckpt`` would hold the weights of the last step.

**A share of the generic weights.** What fine-tuning forgets of other materials comes back, and nothing of the
labelled one is lost, on the straight line between the weights before it and after it (Wortsman et al. 2022,
CVPR, arXiv:2109.01903).
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


class KeptWeights(Callback):
    """Has other weights in the network's place from a validation to the next batch.

    The checkpoints of an epoch's end so hold the kept weights under the network's names, and ``last.ckpt``
    beside them, in this callback's state, the weights to go on with.

    The running mean and variance of batch normalisation are treated as the weights are: those of each step
    belong to its weights, and so those of a mean do, to first order in how far the weights wander. The count
    of batches, a whole number, is the network's own.

    Args:
        decay: Highest share of the average that stays at a step, in (0, 1); None takes no average.
        start_share: Share of the weights before the first step in what is kept, in [0, 1).
    """

    def __init__(self, decay: float | None, start_share: float) -> None:
        self._decay = decay
        self._start_share = start_share
        self._steps = 0
        self._in_place = False
        self._seen_step = 0
        self._training = False
        # "average" of all steps, "start" before the first, "own" of the last step while others are in place.
        self._weights: dict[str, list[Tensor]] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin with the network as it is, unless a checkpoint brought along what was kept."""
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
        """Go on training where the last step ended."""
        if self._in_place:
            _put(self._weights.pop("own"), _values(pl_module))
            self._in_place = False

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        """Take the step's weights into the average; where gradients accumulate, not every batch is a step."""
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
        """Put what is kept into the network; before any training, that is what the network has."""
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
        """What a resumed run needs and does not find in the network."""
        return {
            "decay": self._decay,
            "start_share": self._start_share,
            "steps": self._steps,
            "in_place": self._in_place,
            "weights": self._weights,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the saved weights; the network was loaded as it was."""
        self._steps = state_dict["steps"]
        self._in_place = state_dict["in_place"]
        self._weights = {name: _copies(values) for name, values in state_dict["weights"].items()}


def _values(module: LightningModule) -> list[Tensor]:
    """The weights and running statistics of the network themselves, not copies."""
    assert isinstance(module, BoundaryModule)  # there are no others
    return [
        value for value in module.network.state_dict(keep_vars=True).values() if value.is_floating_point()
    ]


def _copies(values: list[Tensor]) -> list[Tensor]:
    return [value.detach().clone() for value in values]


def _put(wanted: list[Tensor], into: list[Tensor]) -> None:
    with torch.no_grad():
        for value, place in zip(wanted, into, strict=True):
            place.copy_(value)


def kept_weights(config: TrainConfig) -> KeptWeights | None:
    """The callback that a run asks for; None where the weights of the last step are kept."""
    decay, share = _wanted(config)
    return None if decay is None and share == 0 else KeptWeights(decay, share)


def _wanted(config: TrainConfig) -> tuple[float | None, float]:
    return config.callbacks.ema_decay, config.model.generic_share if config.model.init == "generic" else 0.0


def require_same_kept(checkpoint: Path, callbacks: Mapping[str, Any], config: TrainConfig) -> None:
    """See that a run goes on with the kept weights it had.

    Args:
        checkpoint: A ``last.ckpt``, for the error.
        callbacks: Their states in it.
        config: Of the resumed run.

    Raises:
        GrainsegError: The interrupted run kept others; the text names what differs.
    """
    state = callbacks.get(KeptWeights.__qualname__, {})
    wanted = _wanted(config)
    saved = state.get("decay"), state.get("start_share", 0.0)
    for key, here, there in zip(("callbacks.ema_decay", "model.generic_share"), wanted, saved, strict=True):
        if here != there:
            here_typed, there_typed = ("null" if value is None else value for value in (here, there))
            raise GrainsegError(
                f"resume={checkpoint}: has {key}={there_typed}, this run {key}={here_typed}; "
                "say the overrides of the interrupted run again"
            )
