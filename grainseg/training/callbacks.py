"""What accompanies a training run: checkpoints, early stopping, progress, pictures in TensorBoard."""

import logging
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.exceptions import SIGTERMException

from grainseg.config import VALIDATION_METRICS, TrainConfig, to_plain
from grainseg.grains.scoring.scores import THRESHOLD
from grainseg.micrograph.image import Label
from grainseg.report.pictures.overlay import Picture, panel
from grainseg.training.averaging import kept_weights
from grainseg.training.board import log_configuration
from grainseg.training.datamodule import BoundaryDataModule, WholePicture
from grainseg.training.encoder import FrozenEncoder
from grainseg.training.run_folder import BEST, CONFIG, LAST, TENSORBOARD, write_config

log = logging.getLogger(__name__)

MAX_PANEL_SIDE_PX = 2048
"""Larger panels are shrunk before they go into TensorBoard's event file, which keeps those of many epochs."""


def build_callbacks(config: TrainConfig, checkpoints: Path) -> list[Callback]:
    """All callbacks of a run.

    Args:
        config: The run's configuration.
        checkpoints: Folder of ``best.ckpt`` and ``last.ckpt``.
    """
    monitor = config.optimized_metric
    mode = VALIDATION_METRICS[monitor]
    callbacks: list[Callback] = [
        MovableCheckpoint(
            dirpath=checkpoints,
            filename=BEST,
            monitor=monitor,
            mode=mode,
            save_weights_only=True,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        ),
        # At the end of an epoch, not of its validation: a resumed run then starts with a whole epoch.
        MovableCheckpoint(
            dirpath=checkpoints, filename=LAST, save_on_train_epoch_end=True, enable_version_counter=False
        ),
        SaveOnInterrupt(checkpoints / f"{LAST}.ckpt"),
    ]
    if config.optimizer.encoder_lr_factor == 0:
        callbacks.append(FrozenEncoder())
    kept = kept_weights(config)
    if kept is not None:
        callbacks.append(kept)
    if config.callbacks.early_stopping_patience is not None:
        callbacks.append(
            StopOfPatience(
                monitor=monitor,
                mode=mode,
                patience=config.callbacks.early_stopping_patience,
                check_finite=False,  # an error is infinite where no grain is found, as in a first epoch
            )
        )
    if config.callbacks.progress_bar:
        callbacks.append(LossAndScoreBar())
    if not (config.callbacks.progress_bar and sys.stdout.isatty()):
        callbacks.append(EpochLines())
    if config.logger.tensorboard:
        every = max(1, -(-config.epochs // config.callbacks.panels))
        callbacks.append(ValidationPanels(every, config.boundary_tolerance_px))
    return callbacks


class LossAndScoreBar(RichProgressBar):
    """A progress bar that shows the loss and the IoU, and not all that is logged."""

    def get_metrics(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """Choose the metrics that stand beside the bar."""
        logged = super().get_metrics(trainer, pl_module)
        return {name: logged[name] for name in ("train/loss", "val/iou") if name in logged}

    def _get_train_description(self, current_epoch: int) -> str:
        """Count epochs from 1, as the lines of a file do; Lightning's bar ends with "Epoch 9/9" of ten."""
        words = f"Epoch {current_epoch + 1} of {self.trainer.max_epochs}"
        return words.ljust(len(self.validation_description))  # or the bars below each other would jump


class EpochLines(Callback):
    """A line after each epoch, where no bar moves: a file shows a bar at the end alone."""

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say how far the run is, and how good."""
        if trainer.is_global_zero:
            iou = float(trainer.callback_metrics["val/iou"])
            log.info(
                "epoch %d of %s: validation IoU %.3f", trainer.current_epoch + 1, trainer.max_epochs, iou
            )


class MovableCheckpoint(ModelCheckpoint):
    """A checkpoint that a resumed run goes on with, wherever the run's folder has been moved or copied to."""

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """See that there is a state, or Lightning would begin anew: with a worse best checkpoint, say."""
        checkpoint["callbacks"][self.state_key]["best_model_score"]

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what is known of the file if it lies in this run's folder, else start anew."""
        path = Path(str(self.dirpath)) / f"{self.filename}{self.FILE_EXTENSION}"
        if path.is_file():
            score = state_dict["best_model_score"]
            here = {"dirpath": self.dirpath, "best_model_path": str(path), "kth_best_model_path": str(path)}
            known = {} if score is None else {str(path): score.reshape(())}  # one number, or it fails here
            super().load_state_dict(state_dict | here | {"best_k_models": known})


class StopOfPatience(EarlyStopping):
    """Early stopping that says so, and whose patience a resumed run may choose anew."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Train no further epoch where the interrupted run had stopped, unless there is more patience now."""
        if self.wait_count >= self.patience:
            trainer.should_stop = True
            if trainer.is_global_zero:
                log.info(
                    "no epoch is trained: %s was no better for %d epochs; to go on, raise "
                    "callbacks.early_stopping_patience",
                    self.monitor,
                    self.wait_count,
                )

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop where the score has not been better for long."""
        super().on_train_epoch_end(trainer, pl_module)
        if self.wait_count >= self.patience and trainer.is_global_zero:
            log.info(
                "stopped after epoch %d: %s was no better for %d epochs (callbacks.early_stopping_patience)",
                trainer.current_epoch + 1,
                self.monitor,
                self.wait_count,
            )

    @property
    def state_key(self) -> str:
        """The key of Lightning's own early stopping, under which older checkpoints hold its state."""
        return super().state_key.replace(type(self).__qualname__, EarlyStopping.__qualname__, 1)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting, with this run's patience."""
        super().load_state_dict(state_dict | {"patience": self.patience})


class SaveOnInterrupt(Callback):
    """Sees to it that a run that is stopped from the keyboard (Ctrl-C) stops, and can be resumed.

    Python loses a Ctrl-C that arrives while it finalises a file, say that of a checkpoint just written: what
    is raised in there is cleared. So the signal is remembered, too, and the next batch stops the run.

    The checkpoint of the last whole epoch stays, since one from within an epoch would train its first patches
    twice and its last ones never; only before the first epoch's end there is none yet.

    Args:
        path: Where the checkpoint is saved.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._interrupted = False
        self._listening = False

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Listen for Ctrl-C, unless someone else does (or the shell said that nobody shall)."""
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupt)
            self._listening = True

    def _interrupt(self, number: int, frame: object) -> None:
        self._interrupted = True
        raise KeyboardInterrupt

    def _stop_if_interrupted(self) -> None:
        if self._interrupted:
            self._interrupted = False
            raise KeyboardInterrupt

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Stop if a Ctrl-C was lost since the last batch."""
        self._stop_if_interrupted()

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop if a Ctrl-C was lost in the last epoch."""
        self._stop_listening()
        self._stop_if_interrupted()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Save what there is if nothing has been saved; whoever started the run says how to go on."""
        self._stop_listening()
        if not isinstance(exception, KeyboardInterrupt | SIGTERMException) or trainer.global_step == 0:
            return
        if not self._path.exists():
            trainer.save_checkpoint(self._path)

    def _stop_listening(self) -> None:
        if self._listening:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._listening = False


class RecordConfiguration(Callback):
    """Writes ``config.yaml``, and the configuration into TensorBoard.

    Not before the first batch: a resumed run that fails before leaves the record of the one it goes on with.

    Args:
        config: The run.
        run_dir: Its folder.
    """

    def __init__(self, config: TrainConfig, run_dir: Path) -> None:
        self._plain = to_plain(config)
        self._path = run_dir / CONFIG
        self._goes_on = config.resume is not None and (run_dir / TENSORBOARD).is_dir()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record what trains from here on."""
        log_configuration(trainer.logger, self._plain, trainer.global_step if self._goes_on else 0)
        if trainer.is_global_zero:
            write_config(self._path, self._plain)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record what was trained elsewhere, where no epoch was left to train."""
        if trainer.is_global_zero and not self._path.is_file():
            write_config(self._path, self._plain)


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
        batch: WholePicture,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Draw the picture that was just predicted."""
        last = trainer.current_epoch + 1 == trainer.max_epochs
        due = trainer.current_epoch % self._every == 0 or last
        logger, data = trainer.logger, getattr(trainer, "datamodule", None)
        if not (due and isinstance(logger, TensorBoardLogger) and isinstance(data, BoundaryDataModule)):
            return
        assert isinstance(outputs, torch.Tensor)  # validation_step gives one
        probability = outputs.float().cpu().numpy()
        unit = batch[0].cpu().numpy()
        label: Label = batch[1].cpu().numpy()
        pixels = unit[:, :, 0] if unit.shape[2] == 1 else unit
        found = probability > THRESHOLD
        drawn = panel(pixels, label, probability, found, self._tolerance_px, MAX_PANEL_SIDE_PX)
        tag = f"val/{data.data.val_images[batch_idx].stem}"
        # At the step of the curves, which is that of the last batch.
        logger.experiment.add_image(tag, board_panel(drawn), trainer.global_step - 1, dataformats="HWC")


def board_panel(drawn: Picture) -> Picture:
    """A panel, (H, W, 3) uint8, with its longer side shrunk to what TensorBoard's event file can bear."""
    factor = MAX_PANEL_SIDE_PX / max(drawn.shape[:2])
    if factor >= 1:
        return drawn
    return np.asarray(cv2.resize(drawn, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
