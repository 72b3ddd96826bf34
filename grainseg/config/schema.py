"""The schema of a training run: its keys with their types, ranges and cross-checks.

The values themselves are in ``conf/``; this module defines which values are allowed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grainseg.config.checks import (
    MAX_DECODER_WIDTH,
    STRIDE,
    SYMMETRIES,
    TILE_RULE,
    check_accelerator,
    check_fraction,
    check_not_negative,
    check_one_of,
    check_positive,
    check_seed,
    legal_decoder_width,
    legal_tiles,
    require,
)
from grainseg.config.data import DataConfig, FolderDataConfig, StreamDataConfig
from grainseg.config.partition import PartitionConfig
from grainseg.errors import GrainsegError


@dataclass
class AugmentConfig:
    """Changes of geometry and photometry of the training patches; grey levels are in the unit range."""

    name: str
    flip: bool
    rotate_deg: float
    scale_min: float
    scale_max: float
    elastic_px: float
    offset: float
    gain: float
    contrast: float
    gamma: float
    illumination: float
    blur_px: float
    noise: float
    texture: float
    invert: float

    def __post_init__(self) -> None:
        require(0 <= self.rotate_deg <= 180, "augment.rotate_deg", "must be 0 to 180", self.rotate_deg)
        rule = "needs 0.25 <= scale_min <= 1 <= scale_max <= 4"
        ordered = 0.25 <= self.scale_min <= 1 <= self.scale_max <= 4
        require(ordered, "augment.scale_min", rule, f"{self.scale_min}..{self.scale_max}")
        require(0 <= self.elastic_px <= 10, "augment.elastic_px", "must be 0 to 10", self.elastic_px)
        require(0 <= self.blur_px <= 5, "augment.blur_px", "must be 0 to 5", self.blur_px)
        require(1 <= self.gamma <= 4, "augment.gamma", "must be 1 (off) to 4", self.gamma)
        rule = "must be 0 or 0.01 to 0.2"
        field_legal = self.illumination == 0 or 0.01 <= self.illumination <= 0.2
        require(field_legal, "augment.illumination", rule, self.illumination)
        for key in ("offset", "gain", "contrast", "noise", "texture", "invert"):
            check_fraction(f"augment.{key}", getattr(self, key))

    @property
    def moves(self) -> bool:
        """Whether patches are turned, mirrored, scaled or bent."""
        scaled = (self.scale_min, self.scale_max) != (1, 1)
        return self.flip or self.rotate_deg > 0 or scaled or self.elastic_px > 0


@dataclass
class ModelConfig:
    """The network, by the names of segmentation-models-pytorch."""

    architecture: str
    encoder: str
    init: str
    generic_share: float
    in_channels: int
    decoder_width: int | None
    options: dict[str, Any]

    def __post_init__(self) -> None:
        check_one_of("model.init", self.init, ("scratch", "generic", "imagenet"))
        rule = "must be at least 0 and less than 1"
        require(0 <= self.generic_share < 1, "model.generic_share", rule, self.generic_share)
        require(self.in_channels in (1, 3), "model.in_channels", "must be 1 or 3", self.in_channels)
        legal = legal_decoder_width(self.decoder_width)
        rule = f"must be a multiple of 16 up to {MAX_DECODER_WIDTH}, or null"
        require(legal, "model.decoder_width", rule, self.decoder_width)


@dataclass
class OptimizerConfig:
    """The optimizer by name."""

    name: str
    lr: float
    weight_decay: float
    momentum: float
    encoder_lr_factor: float

    def __post_init__(self) -> None:
        check_one_of("optimizer.name", self.name, ("adamw", "sgd"))
        check_positive("optimizer.lr", self.lr)
        check_not_negative("optimizer.weight_decay", self.weight_decay)
        require(0 <= self.momentum < 1, "optimizer.momentum", "must lie in [0, 1)", self.momentum)
        check_fraction("optimizer.encoder_lr_factor", self.encoder_lr_factor)


@dataclass
class SchedulerConfig:
    """The course of the learning rate, stepped after every batch."""

    name: str
    warmup: float

    def __post_init__(self) -> None:
        check_one_of("scheduler.name", self.name, ("cosine", "constant"))
        require(0 <= self.warmup < 1, "scheduler.warmup", "must lie in [0, 1)", self.warmup)


@dataclass
class TrainerConfig:
    """The hardware; ``auto`` takes what is available."""

    accelerator: str
    devices: str | int
    strategy: str
    precision: str
    gradient_clip: float
    accumulate_grad_batches: int

    def __post_init__(self) -> None:
        check_accelerator("trainer.accelerator", self.accelerator)
        check_one_of("trainer.strategy", self.strategy, ("auto", "ddp"))
        countable = self.devices == "auto" or (isinstance(self.devices, int) and self.devices >= 1)
        require(countable, "trainer.devices", "must be auto or a number from 1", self.devices)
        check_one_of("trainer.precision", self.precision, ("auto", "32-true", "bf16-mixed", "16-mixed"))
        check_not_negative("trainer.gradient_clip", self.gradient_clip)
        check_positive("trainer.accumulate_grad_batches", self.accumulate_grad_batches)

    def require_one_process(self, who: str) -> None:
        """Refuse several processes: each of them would start the whole sweep or leave-one-out series.

        ``trainer.devices=auto`` may be several devices, for which Lightning uses ddp by itself.

        Args:
            who: What cannot start several processes, as the subject of the message.

        Raises:
            GrainsegError: The settings may start several processes.
        """
        rule = f"{who} cannot start several processes; say trainer=auto, and trainer.devices=1"
        require(self.strategy != "ddp", "trainer.strategy", rule, self.strategy)
        one = self.devices == 1 or (self.devices == "auto" and self.accelerator == "cpu")
        require(one, "trainer.devices", rule, self.devices)


@dataclass
class CallbacksConfig:
    """Callbacks of the training."""

    progress_bar: bool
    early_stopping_patience: int | None
    ema_decay: float | None
    panels: int

    def __post_init__(self) -> None:
        if self.early_stopping_patience is not None:
            check_positive("callbacks.early_stopping_patience", self.early_stopping_patience)
        if self.ema_decay is not None:
            rule = "must lie between 0.9 and 0.9999, or null"
            require(0.9 <= self.ema_decay <= 0.9999, "callbacks.ema_decay", rule, self.ema_decay)
        require(self.panels >= 1, "callbacks.panels", "must be 1 or more", self.panels)


@dataclass
class LoggerConfig:
    """Loggers that record the scalars."""

    tensorboard: bool


@dataclass
class InferenceConfig:
    """Tiles and views of the whole-image prediction, and its adaptation to the picture."""

    tile_size: int
    overlap: int
    tta: str
    adapt: float

    def __post_init__(self) -> None:
        require(legal_tiles(self.tile_size, 0), "inference.tile_size", TILE_RULE, self.tile_size)
        rule = f"must be at least 0 and at most inference.tile_size - {STRIDE}"
        require(legal_tiles(self.tile_size, self.overlap), "inference.overlap", rule, self.overlap)
        check_one_of("inference.tta", self.tta, tuple(SYMMETRIES))
        check_fraction("inference.adapt", self.adapt)


@dataclass
class TrainConfig:
    """One training run."""

    name: str
    seed: int
    epochs: int
    batch_size: int
    optimized_metric: str
    boundary_tolerance_px: float
    resume: str | None
    leave_one_out: bool
    data: DataConfig
    augment: AugmentConfig
    model: ModelConfig
    loss: Any
    optimizer: OptimizerConfig
    scheduler: SchedulerConfig
    trainer: TrainerConfig
    callbacks: CallbacksConfig
    logger: LoggerConfig
    inference: InferenceConfig
    partition: PartitionConfig

    def __post_init__(self) -> None:
        check_seed("seed", self.seed)
        check_positive("epochs", self.epochs)
        check_positive("batch_size", self.batch_size)
        check_one_of("optimized_metric", self.optimized_metric, tuple(VALIDATION_METRICS))
        check_positive("boundary_tolerance_px", self.boundary_tolerance_px)
        rule = "batch normalisation needs a batch of 2 or more for this architecture; set batch_size=2"
        needs_two = self.model.architecture in POOLING_ARCHITECTURES and self.batch_size < 2
        require(not needs_two, "batch_size", rule, self.batch_size)
        rule = "would freeze an encoder of random weights; set model.init=generic or imagenet"
        random = self.optimizer.encoder_lr_factor == 0 and self.model.init == "scratch"
        require(not random, "optimizer.encoder_lr_factor", rule, self.optimizer.encoder_lr_factor)
        rule = "data=stream draws its own geometry; say augment=stream"
        twice = isinstance(self.data, StreamDataConfig) and self.augment.moves
        require(not twice, "augment", rule, self.augment.name)
        if self.leave_one_out:
            self._check_leave_one_out()
        if not (isinstance(self.data, FolderDataConfig) and self.data.sampling == "grid"):
            rule = "must be at least batch_size"
            enough = self.data.patches_per_epoch >= self.batch_size
            require(enough, "data.patches_per_epoch", rule, self.data.patches_per_epoch)

    def _check_leave_one_out(self) -> None:
        """Refuse settings that contradict that every image validates once."""
        key, data = "leave_one_out", self.data
        if not isinstance(data, FolderDataConfig):
            raise GrainsegError(f"{key}: needs a folder of labelled images; say data=folder data.root=DIR")
        for name in ("val", "fold", "folds"):
            rule = f"{key} lets every image validate once; set data.{name}=null"
            require(getattr(data, name) is None, f"data.{name}", rule, getattr(data, name))
        rule = f"{key} goes on by itself; say hydra.run.dir=RUN, the folder of the interrupted run, instead"
        require(self.resume is None, "resume", rule, self.resume)
        self.trainer.require_one_process(key)


POOLING_ARCHITECTURES = ("deeplabv3", "deeplabv3plus", "pan", "pspnet", "upernet")
"""Networks that pool a patch to one number per channel; batch normalisation of it needs 2 patches or more."""

VALIDATION_METRICS: Mapping[str, str] = {
    "val/iou": "max",
    "val/boundary_f1": "max",
    "val/precision": "max",
    "val/recall": "max",
    "val/are": "min",
    "val/voi_split": "min",
    "val/voi_merge": "min",
    "val/grain_count_error": "min",
    "val/intercept_error": "min",
    "val/diameter_distance": "min",
}
"""Scores that can choose the best checkpoint or be the objective of a sweep; max: higher is better."""
