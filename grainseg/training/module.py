"""The LightningModule: trains and scores a network with a loss, both passed in."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from lightning import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from grainseg.inference.predictor import predict_probability, tile_settings
from grainseg.model.checkpoint import KEY, CheckpointSpec
from grainseg.model.losses import BoundaryLoss
from grainseg.model.networks import network_input
from grainseg.training.datamodule import WholePicture
from grainseg.training.metrics import boundary_metrics

OptimizerFactory = Callable[[nn.Module, int], OptimizerLRScheduler]
"""Takes the network and the total number of steps; returns optimizer and scheduler."""


class BoundaryModule(LightningModule):
    """Train on patches and score whole pictures.

    Args:
        network: Maps (N, C, H, W) to logits (N, 1, H, W).
        loss: Function of logits and label codes.
        optimizers: Builds optimizer and scheduler.
        spec: Description of the network that is saved with the weights.
        tolerance_px: Tolerance of the boundary F1.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: BoundaryLoss,
        optimizers: OptimizerFactory,
        spec: CheckpointSpec,
        tolerance_px: float,
    ) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self.spec = spec
        self._optimizers = optimizers
        self._tiles = tile_settings(spec)
        self.val_metrics = boundary_metrics("val/", tolerance_px)
        self.test_metrics = boundary_metrics("test/", tolerance_px)

    def forward(self, unit: Tensor) -> Tensor:
        """Compute logits (N, 1, H, W) for patches (N, C, H, W) in the unit range."""
        logits: Tensor = self.network(network_input(unit))
        return logits

    def on_train_batch_start(self, batch: object, batch_idx: int) -> None:
        """Seed the dropout of each epoch, so that a resumed run gets the same random numbers.

        This is done at the first batch, because the random numbers used between the start of an epoch and its
        first batch depend on whether the run was resumed there.
        """
        if batch_idx == 0:
            sequence = np.random.SeedSequence([self.spec.seed, self.current_epoch, self.global_rank])
            torch.manual_seed(int(sequence.generate_state(1, np.uint64)[0]))

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Compute the loss of a batch of patches, and log it, also as the mean over the epoch."""
        unit, label = batch
        loss: Tensor = self.loss(self(unit.to(memory_format=torch.channels_last)), label)
        self.log("train/loss", loss, prog_bar=True)
        self.log("train/loss_epoch", loss, on_step=False, on_epoch=True, batch_size=len(unit), sync_dist=True)
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, torch.optim.Optimizer)  # from configure_optimizers
        self.log("train/lr", optimizer.param_groups[0]["lr"])
        return loss

    def predict_whole(self, unit: Tensor) -> Tensor:
        """Predict the boundary probability (H, W) of a whole picture (H, W, C) in the unit range."""
        probability = predict_probability(self.network, unit.cpu().numpy(), self._tiles)
        return torch.from_numpy(probability).to(self.device)

    def on_validation_epoch_start(self) -> None:
        """Use the first process's running statistics in all processes, since these are saved."""
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            for buffer in self.network.buffers():
                torch.distributed.broadcast(buffer, src=0)

    def validation_step(self, batch: WholePicture, batch_idx: int) -> Tensor:
        """Score one whole picture; return its probability, for callbacks that draw it."""
        unit, label, regime = batch
        probability = self.predict_whole(unit)
        self.val_metrics.update(probability, label, regime=regime)
        return probability

    def on_validation_epoch_end(self) -> None:
        """Log the metrics over all pictures."""
        self.log_dict(self.val_metrics.compute(), prog_bar=True)
        self.val_metrics.reset()

    def test_step(self, batch: WholePicture, batch_idx: int) -> None:
        """Score one whole picture."""
        unit, label, regime = batch
        self.test_metrics.update(self.predict_whole(unit), label, regime=regime)

    def on_test_epoch_end(self) -> None:
        """Log the metrics over all pictures."""
        self.log_dict(self.test_metrics.compute())
        self.test_metrics.reset()

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build optimizer and per-step scheduler for the run's total number of steps."""
        return self._optimizers(self.network, int(self.trainer.estimated_stepping_batches))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the values that prediction needs, as plain values."""
        checkpoint[KEY] = replace(self.spec, steps=checkpoint["global_step"]).to_plain()
