"""The Trainer of a run, with its hardware settings, callbacks and TensorBoard."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning import Trainer
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger

from grainseg.config import TrainConfig
from grainseg.errors import GrainsegError
from grainseg.model.archive import save_archive
from grainseg.training.callbacks import RecordConfiguration, build_callbacks
from grainseg.training.run_folder import CHECKPOINTS, TENSORBOARD
from grainseg.training.runtime import hardware_arguments


class WholeCheckpoints(TorchCheckpointIO):
    """Write a checkpoint to a new file beside the old one, and replace the old one when it is complete.

    Lightning writes to the folder for temporary files and then, if that is on another file system, copies
    over the old checkpoint: if the process is killed or the disk is full, the last good checkpoint is lost.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint.

        Args:
            checkpoint: Contents.
            path: Path of the file.
            storage_options: Part of Lightning's interface; not used.

        Raises:
            GrainsegError: The file cannot be written.
        """
        save_archive(checkpoint, Path(path))


def build_trainer(
    config: TrainConfig,
    run_dir: Path,
    first_step: int,
    further: Sequence[Callback] = (),
    *,
    fold: bool = False,
) -> Trainer:
    """Build the Trainer of a run.

    Args:
        config: The run's configuration.
        run_dir: The run's folder.
        first_step: Steps of the checkpoint from which the run resumes, 0 for a new run. TensorBoard hides
            what was logged from this step on, since these steps are repeated.
        further: Callbacks in addition to those of the configuration.
        fold: Whether it is a fold of a leave-one-out run.

    Raises:
        GrainsegError: The machine cannot provide what ``trainer`` asks for.
    """
    hardware = hardware_arguments(config.trainer)
    callbacks = [
        *build_callbacks(config, run_dir / CHECKPOINTS),
        RecordConfiguration(config, run_dir, fold),
        *further,
    ]
    logger = TensorBoardLogger(
        run_dir, name="", version=TENSORBOARD, default_hp_metric=False, purge_step=first_step or None
    )
    try:
        return Trainer(
            **hardware,
            logger=logger if config.logger.tensorboard else False,
            callbacks=callbacks,
            plugins=[WholeCheckpoints()],
            default_root_dir=run_dir,
            max_epochs=config.epochs,
            gradient_clip_val=config.trainer.gradient_clip or None,
            accumulate_grad_batches=config.trainer.accumulate_grad_batches,
            num_sanity_val_steps=0,
            log_every_n_steps=1,
            use_distributed_sampler=False,  # PatchSampler splits the patches; every process validates on all
            enable_progress_bar=config.callbacks.progress_bar,
            enable_model_summary=False,
        )
    except (MisconfigurationException, ValueError) as error:
        raise GrainsegError(f"trainer={hardware} does not suit this machine: {error}") from error
