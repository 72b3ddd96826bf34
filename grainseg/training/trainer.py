"""The Trainer of a run: hardware, callbacks and TensorBoard put together."""

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
    """Writes checkpoints beside the old ones, which they replace once they are whole.

    Lightning's own way goes over the folder for temporary files and from there, on another file system, over
    the old checkpoint: a kill or a full disk would destroy the last one that is good.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write a checkpoint.

        Args:
            checkpoint: What it holds.
            path: Of the file.
            storage_options: Lightning's, never given here.

        Raises:
            GrainsegError: The file cannot be written.
        """
        save_archive(checkpoint, Path(path))


def build_trainer(
    config: TrainConfig, run_dir: Path, first_step: int, further: Sequence[Callback] = ()
) -> Trainer:
    """The Trainer of a run.

    Args:
        config: The run.
        run_dir: Its folder.
        first_step: Steps that the checkpoint has which the run goes on from. What TensorBoard has of later
            ones comes again and is hidden.
        further: Callbacks beside those of the configuration.

    Raises:
        GrainsegError: The machine does not have what ``trainer`` asks for.
    """
    hardware = hardware_arguments(config.trainer)
    callbacks = [
        *build_callbacks(config, run_dir / CHECKPOINTS),
        RecordConfiguration(config, run_dir),
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
            use_distributed_sampler=False,  # PatchSampler shares out the patches; every process validates all
            enable_progress_bar=config.callbacks.progress_bar,
            enable_model_summary=False,
        )
    except (MisconfigurationException, ValueError) as error:
        raise GrainsegError(f"trainer={hardware} does not suit this machine: {error}") from error
