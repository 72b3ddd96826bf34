"""Record what a training run used where its configuration leaves it open: in the log and in ``run.json``."""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from grainseg.config import TrainConfig
from grainseg.data.source import TrainingData
from grainseg.micrograph.formats.replacing import replacing
from grainseg.training.run_folder import RUN
from grainseg.training.runtime import hardware_used
from grainseg.versions import code_revision, versions

log = logging.getLogger(__name__)

_PACKAGES = ("torch", "lightning", "segmentation-models-pytorch", "timm", "numpy")
_MAX_CHARACTERS = 1_000_000
"""Longest ``run.json`` that is read, far beyond what a run writes."""


@dataclass(frozen=True)
class StartingWeights:
    """Weights that a run starts from.

    Attributes:
        init: ``generic``, ``imagenet`` or ``scratch``, as in ``model.init``.
        file: File name of generic weights; None for others.
        sha256: SHA-256 of that file.
        steps: Steps that generic weights were pretrained for.
    """

    init: str
    file: str | None = None
    sha256: str | None = None
    steps: int | None = None

    def words(self, config: TrainConfig) -> str:
        """Return a description for the log."""
        model = config.model
        if self.init == "generic":
            network = f"{model.architecture} with {model.encoder}"
            return f"the generic weights of {network} ({self.steps} steps of pretraining)"
        return f"ImageNet weights of {model.encoder}" if self.init == "imagenet" else "random weights"


def log_start(
    config: TrainConfig, trainer: Trainer, start: StartingWeights | None, steps: int, data: TrainingData
) -> None:
    """Log from which weights, on what hardware and in which batches a run trains, and what validates it.

    Args:
        config: The run.
        trainer: Its trainer.
        start: Weights that it starts from; None if it is resumed.
        steps: Steps that it has done if it is resumed.
        data: Its data.
    """
    if not trainer.is_global_zero:
        return
    if start is None:
        log.info("goes on after step %d of %s", steps, config.resume)
    else:
        log.info("starts from %s", start.words(config))
    accelerator, precision = hardware_used(config.trainer).values()
    stems = ", ".join(image.stem for image in data.val_images)
    log.info("trains on %s in %s; validates on %s", accelerator, precision, stems)
    if trainer.world_size > 1:
        accumulated = config.trainer.accumulate_grad_batches
        log.info(
            "%d patches a step: batch_size=%d in each of %d processes%s",
            config.batch_size * trainer.world_size * accumulated,
            config.batch_size,
            trainer.world_size,
            f", {accumulated} times (trainer.accumulate_grad_batches)" if accumulated > 1 else "",
        )


class RunRecord(Callback):
    """Writes ``run.json``: hardware, images, starting weights, versions and revision of the code.

    Not before the first batch, as ``config.yaml``: a resumed run that fails before leaves the record of the
    one that it goes on with. The records of the starts before are kept under ``earlier``.

    Args:
        config: The run.
        run_dir: Its folder.
        start: Weights that it starts from; None if it is resumed, whose record says so if it is there.
        data: Its data.
    """

    def __init__(
        self, config: TrainConfig, run_dir: Path, start: StartingWeights | None, data: TrainingData
    ) -> None:
        self._path = run_dir / RUN
        self._hardware = hardware_used(config.trainer)
        parts = {"train": data.train_images, "val": data.val_images, "test": data.test_images}
        self._images = {part: [image.stem for image in images] for part, images in parts.items()}
        self._earlier = [] if config.resume is None else _earlier_records(Path(config.resume))
        known = self._earlier[-1].get("starting_weights") if self._earlier else None
        self._start = known if start is None else asdict(start)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record what trains from here on."""
        if trainer.is_global_zero:
            self._write(trainer)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Record what was trained elsewhere, where no epoch was left to train."""
        if trainer.is_global_zero and not self._path.is_file():
            self._write(trainer)

    def _write(self, trainer: Trainer) -> None:
        record = {
            "accelerator": self._hardware["trainer.accelerator"],
            "precision": self._hardware["trainer.precision"],
            "processes": trainer.world_size,
            **self._images,
            "starting_weights": self._start,
            "versions": versions(*_PACKAGES),
            "revision": code_revision(),
            "from_step": trainer.global_step,
            "earlier": self._earlier,
        }
        with replacing(self._path) as handle:
            handle.write((json.dumps(record, indent=2) + "\n").encode())


def _earlier_records(checkpoint: Path) -> list[dict[str, Any]]:
    """Return the records in the folder of the run that is resumed, oldest first; none that cannot be read."""
    try:
        with (checkpoint.resolve().parent.parent / RUN).open(encoding="utf-8") as handle:
            last = json.loads(handle.read(_MAX_CHARACTERS))
        return [*last.pop("earlier"), last]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []  # of an older version, or changed: a record of this start is still worth writing
