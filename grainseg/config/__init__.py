"""The configuration: what values its keys may have, and how a composed configuration is checked."""

from grainseg.config.baseline import BaselineConfig
from grainseg.config.data import (
    DataConfig,
    FolderDataConfig,
    LabelConfig,
    LabelledFolderConfig,
    StreamDataConfig,
)
from grainseg.config.loss import (
    ClDiceLossConfig,
    DiceLossConfig,
    FocalTverskyLossConfig,
    LossConfig,
    SkeletonLossConfig,
)
from grainseg.config.measurement import MeasureConfig, MeasurementConfig, PredictConfig, StructureConfig
from grainseg.config.parsing import parse_predict, parse_train, to_plain, unknown_key
from grainseg.config.partition import PartitionConfig
from grainseg.config.robustness import RobustnessConfig
from grainseg.config.schema import (
    VALIDATION_METRICS,
    AugmentConfig,
    CallbacksConfig,
    InferenceConfig,
    LoggerConfig,
    ModelConfig,
    OptimizerConfig,
    SchedulerConfig,
    TrainConfig,
    TrainerConfig,
)
from grainseg.config.suggest import SuggestConfig

__all__ = [
    "VALIDATION_METRICS",
    "AugmentConfig",
    "BaselineConfig",
    "CallbacksConfig",
    "ClDiceLossConfig",
    "DataConfig",
    "DiceLossConfig",
    "FocalTverskyLossConfig",
    "FolderDataConfig",
    "InferenceConfig",
    "LabelConfig",
    "LabelledFolderConfig",
    "LoggerConfig",
    "LossConfig",
    "MeasureConfig",
    "MeasurementConfig",
    "ModelConfig",
    "OptimizerConfig",
    "PartitionConfig",
    "PredictConfig",
    "RobustnessConfig",
    "SchedulerConfig",
    "SkeletonLossConfig",
    "StreamDataConfig",
    "StructureConfig",
    "SuggestConfig",
    "TrainConfig",
    "TrainerConfig",
    "parse_predict",
    "parse_train",
    "to_plain",
    "unknown_key",
]
