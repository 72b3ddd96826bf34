"""Callbacks of a training run: checkpoints, early stopping, progress, pictures in TensorBoard."""

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
from grainseg.training.averaging import averaged_weights
from grainseg.training.board import log_configuration
from grainseg.training.datamodule import BoundaryDataModule, WholePicture
from grainseg.training.encoder import FrozenEncoder
from grainseg.training.run_folder import BEST, CONFIG, LAST, TENSORBOARD, write_config
from grainseg.training.runtime import hardware_used

log = logging.getLogger(__name__)

MAX_PANEL_SIDE_PX = 2048
"""Larger panels are shrunk for TensorBoard's event file, which holds the panels of many epochs."""


def build_callbacks(config: TrainConfig, checkpoints: Path) -> list[Callback]:
    """Build all callbacks of a run.

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
        # Saved at the end of an epoch, not of its validation: a resumed run then starts with a whole epoch.
        MovableCheckpoint(
            dirpath=checkpoints, filename=LAST, save_on_train_epoch_end=True, enable_version_counter=False
        ),
        SaveOnInterrupt(checkpoints / f"{LAST}.ckpt"),
    ]
    if config.optimizer.encoder_lr_factor == 0:
        callbacks.append(FrozenEncoder())
    kept = averaged_weights(config)
    if kept is not None:
        callbacks.append(kept)
    if config.callbacks.early_stopping_patience is not None:
        callbacks.append(
            ResumableEarlyStopping(
                monitor=monitor,
                mode=mode,
                patience=config.callbacks.early_stopping_patience,
                check_finite=False,  # errors are infinite if no grain is found, as in a first epoch
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
    """A progress bar that shows only the loss and the IoU of all logged values."""

    def get_metrics(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """Return the metrics that the bar shows."""
        logged = super().get_metrics(trainer, pl_module)
        return {name: logged[name] for name in ("train/loss", "val/iou") if name in logged}

    def _get_train_description(self, current_epoch: int) -> str:
        """Count epochs from 1, as ``EpochLines`` does; Lightning ends with "Epoch 9/9" after ten epochs."""
        words = f"Epoch {current_epoch + 1} of {self.trainer.max_epochs}"
        return words.ljust(len(self.validation_description))  # aligns the bars of training and validation


class EpochLines(Callback):
    """Log a line after each epoch if no bar is visible: in a file, the bar appears only at the end."""

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the number of the epoch and the validation IoU."""
        if trainer.is_global_zero:
            iou = float(trainer.callback_metrics["val/iou"])
            log.info(
                "epoch %d of %s: validation IoU %.3f", trainer.current_epoch + 1, trainer.max_epochs, iou
            )


class MovableCheckpoint(ModelCheckpoint):
    """A checkpoint callback whose state stays valid if the run's folder is moved or copied."""

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Fail if the state is missing: Lightning would start anew and may save a worse best checkpoint."""
        checkpoint["callbacks"][self.state_key]["best_model_score"]

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state if its checkpoint file is in this run's folder, else start anew."""
        path = Path(str(self.dirpath)) / f"{self.filename}{self.FILE_EXTENSION}"
        if path.is_file():
            score = state_dict["best_model_score"]
            here = {"dirpath": self.dirpath, "best_model_path": str(path), "kth_best_model_path": str(path)}
            known = {} if score is None else {str(path): score.reshape(())}  # an error unless one number
            super().load_state_dict(state_dict | here | {"best_k_models": known})


class ResumableEarlyStopping(EarlyStopping):
    """Early stopping that logs a message, and whose patience a resumed run may change."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Train no further epoch if the earlier run had stopped early, unless the patience is now larger."""
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
        """Stop if the score has not improved for ``patience`` epochs."""
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
        """Key of Lightning's own early stopping, under which older checkpoints hold the state."""
        return super().state_key.replace(type(self).__qualname__, EarlyStopping.__qualname__, 1)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the count of epochs, but with this run's patience."""
        super().load_state_dict(state_dict | {"patience": self.patience})


class SaveOnInterrupt(Callback):
    """Make sure that Ctrl-C stops a run, and that the run can be resumed.

    Python loses a Ctrl-C that arrives while it finalises a file, such as a checkpoint just written:
    exceptions raised there are dropped. So the signal is also remembered, and the run stops at the next
    batch.

    The checkpoint of the last complete epoch is not replaced: resuming from within an epoch would train on
    its first patches twice and never on its last ones. A checkpoint is saved only if there is none yet,
    before the end of the first epoch.

    Args:
        path: Path of the checkpoint.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._interrupted = False
        self._listening = False

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Handle Ctrl-C, unless there is another handler or the shell has set the signal to be ignored."""
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
        """Save a checkpoint if there is none; the caller of the run explains how to continue."""
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
    """Write the configuration to ``config.yaml`` and to TensorBoard.

    This happens only when training starts: a resumed run that fails earlier leaves the interrupted run's
    record as it is.

    Args:
        config: The run's configuration.
        run_dir: The run's folder.
        fold: Whether it is a fold of a leave-one-out run, which the HPARAMS tab does not list.
    """

    def __init__(self, config: TrainConfig, run_dir: Path, fold: bool) -> None:
        self._config = config
        self._plain = to_plain(config)
        self._path = run_dir / CONFIG
        self._fold = fold
        self._goes_on = config.resume is not None and (run_dir / TENSORBOARD).is_dir()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record the configuration of the training that starts."""
        used = None if self._fold else self._used(trainer)
        log_configuration(trainer.logger, self._plain, used, trainer.global_step if self._goes_on else 0)
        if trainer.is_global_zero:
            write_config(self._path, self._plain)

    def _used(self, trainer: Trainer) -> dict[str, str]:
        """Return the values that the run chose for settings such as ``auto``, by dotted name."""
        used = hardware_used(self._config.trainer)
        data = getattr(trainer, "datamodule", None)
        if "val" in self._plain["data"] and isinstance(data, BoundaryDataModule):
            used["data.val"] = str([image.stem for image in data.data.val_images])
        return used

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record the configuration if no epoch was left to train, in a new folder of a resumed run."""
        if trainer.is_global_zero and not self._path.is_file():
            write_config(self._path, self._plain)


class ValidationPanels(Callback):
    """Show the validation pictures in TensorBoard: image, label, probability, errors in colour.

    Args:
        every_n_epochs: Epochs from one panel of a picture to the next; the last epoch always has one.
        tolerance_px: Largest distance in px of a predicted boundary from the label that counts as a match.
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
        assert isinstance(outputs, torch.Tensor)  # returned by validation_step
        probability = outputs.float().cpu().numpy()
        unit = batch[0].cpu().numpy()
        label: Label = batch[1].cpu().numpy()
        pixels = unit[:, :, 0] if unit.shape[2] == 1 else unit
        found = probability > THRESHOLD
        drawn = panel(pixels, label, probability, found, self._tolerance_px, MAX_PANEL_SIDE_PX)
        tag = f"val/{data.data.val_images[batch_idx].stem}"
        # Same step as in the curves: that of the last batch.
        logger.experiment.add_image(tag, board_panel(drawn), trainer.global_step - 1, dataformats="HWC")


def board_panel(drawn: Picture) -> Picture:
    """Shrink a panel, (H, W, 3) uint8, whose longer side exceeds ``MAX_PANEL_SIDE_PX`` to this length."""
    factor = MAX_PANEL_SIDE_PX / max(drawn.shape[:2])
    if factor >= 1:
        return drawn
    return np.asarray(cv2.resize(drawn, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
