"""What accompanies a training run: checkpoints, early stopping, progress, pictures in TensorBoard."""

from pathlib import Path

import cv2
import numpy as np
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    ModelCheckpoint,
    RichProgressBar,
)
from lightning.pytorch.loggers import TensorBoardLogger

from grainseg.config import TrainConfig
from grainseg.micrograph.image import Label
from grainseg.report.overlay import panel
from grainseg.training.datamodule import BoundaryDataModule
from grainseg.training.metrics import THRESHOLD

BEST = "best"
LAST = "last"
MAX_PANEL_WIDTH_PX = 4096
"""Larger panels are shrunk before they go into TensorBoard's event file."""


def build_callbacks(config: TrainConfig, checkpoints: Path) -> list[Callback]:
    """All callbacks of a run.

    Args:
        config: The run's configuration.
        checkpoints: Folder of ``best.ckpt`` and ``last.ckpt``.
    """
    monitor = config.optimized_metric
    callbacks: list[Callback] = [
        ModelCheckpoint(
            dirpath=checkpoints,
            filename=BEST,
            monitor=monitor,
            mode="max",
            save_weights_only=True,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        ),
        # At the end of an epoch, not of its validation: a resumed run then starts with a whole epoch.
        ModelCheckpoint(
            dirpath=checkpoints, filename=LAST, save_on_train_epoch_end=True, enable_version_counter=False
        ),
        SaveOnInterrupt(checkpoints / f"{LAST}.ckpt"),
    ]
    if config.callbacks.early_stopping_patience is not None:
        callbacks.append(
            EarlyStopping(monitor=monitor, mode="max", patience=config.callbacks.early_stopping_patience)
        )
    if config.callbacks.progress_bar:
        callbacks.append(LossAndScoreBar())
    if config.logger.tensorboard:
        every = max(1, -(-config.epochs // config.callbacks.panels))
        callbacks.append(ValidationPanels(every, config.boundary_tolerance_px))
    return callbacks


class LossAndScoreBar(RichProgressBar):
    """A progress bar that shows the loss and the IoU, and not all that is logged."""

    def get_metrics(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """What stands beside the bar."""
        logged = super().get_metrics(trainer, pl_module)
        return {name: logged[name] for name in ("train/loss", "val/iou") if name in logged}


class SaveOnInterrupt(Callback):
    """Writes the last checkpoint when the person at the keyboard stops the run (Ctrl-C).

    Args:
        path: Where to.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Save what there is; any other exception leaves the checkpoint of the last whole epoch."""
        if isinstance(exception, KeyboardInterrupt) and trainer.global_step > 0:
            trainer.save_checkpoint(self._path)


class ValidationPanels(Callback):
    """Shows the validation pictures in TensorBoard: image, label, probability, errors in colour.

    Args:
        every_n_epochs: How often.
        tolerance_px: How far a boundary may lie from the label to count as found.
    """

    def __init__(self, every_n_epochs: int, tolerance_px: float) -> None:
        self._every = every_n_epochs
        self._tolerance_px = tolerance_px

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: tuple[torch.Tensor, torch.Tensor],
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Draw the picture that was just predicted."""
        last = trainer.current_epoch + 1 == trainer.max_epochs
        due = trainer.current_epoch % self._every == 0 or last
        logger, data = trainer.logger, getattr(trainer, "datamodule", None)
        if not (due and isinstance(logger, TensorBoardLogger) and isinstance(data, BoundaryDataModule)):
            return
        if trainer.sanity_checking or not isinstance(outputs, torch.Tensor):
            return
        probability = outputs.float().cpu().numpy()
        unit = batch[0].cpu().numpy()
        label: Label = batch[1].cpu().numpy()
        pixels = unit[:, :, 0] if unit.shape[2] == 1 else unit
        drawn = panel(pixels, label, probability, probability > THRESHOLD, self._tolerance_px)
        tag = f"val/{data.val_images[batch_idx].stem}"
        if drawn.shape[1] > MAX_PANEL_WIDTH_PX:
            factor = MAX_PANEL_WIDTH_PX / drawn.shape[1]
            shrunk = cv2.resize(drawn, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            drawn = np.asarray(shrunk, dtype=np.uint8)
        logger.experiment.add_image(tag, drawn, trainer.global_step, dataformats="HWC")
