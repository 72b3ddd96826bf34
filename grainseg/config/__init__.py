"""The configuration: what the keys may be, and how a composed one is checked."""

from grainseg.config.parsing import parse_predict, parse_train, to_plain, unknown_key
from grainseg.config.schema import (
    AugmentConfig,
    CallbacksConfig,
    ClDiceLossConfig,
    DataConfig,
    DiceLossConfig,
    FocalTverskyLossConfig,
    InferenceConfig,
    LabelConfig,
    LoggerConfig,
    LossConfig,
    ModelConfig,
    OptimizerConfig,
    PredictConfig,
    SchedulerConfig,
    TrainConfig,
    TrainerConfig,
)

__all__ = [
    "AugmentConfig",
    "CallbacksConfig",
    "ClDiceLossConfig",
    "DataConfig",
    "DiceLossConfig",
    "FocalTverskyLossConfig",
    "InferenceConfig",
    "LabelConfig",
    "LoggerConfig",
    "LossConfig",
    "ModelConfig",
    "OptimizerConfig",
    "PredictConfig",
    "SchedulerConfig",
    "TrainConfig",
    "TrainerConfig",
    "parse_predict",
    "parse_train",
    "to_plain",
    "unknown_key",
]
