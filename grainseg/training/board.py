"""What TensorBoard shows beside the curves: the configuration as text, and the HPARAMS tab."""

from collections.abc import Mapping
from typing import Any

from lightning.pytorch.loggers import Logger, TensorBoardLogger
from omegaconf import OmegaConf

SCORE_TAG = "hp/val_iou"
"""A tag of its own: the HPARAMS tab shows a tag's last value, which for ``val/iou`` is not the best one's."""


def log_configuration(logger: Logger | None, config: Mapping[str, Any], step: int = 0) -> None:
    """Put the choices into the HPARAMS tab, and the resolved configuration into the text tab.

    Args:
        logger: Anything but a TensorBoard logger is left alone.
        config: Nested plain values.
        step: Optimizer steps done; after the first, the HPARAMS tab has its choices already.
    """
    if not isinstance(logger, TensorBoardLogger):
        return
    if step == 0:
        logger.log_hyperparams(flatten(config), metrics={SCORE_TAG: float("nan")})
    text = OmegaConf.to_yaml(OmegaConf.create(dict(config))).replace("\n", "\n    ")
    logger.experiment.add_text("config", f"    {text}", step)  # four blanks make it a code block


def log_score(logger: Logger | None, metrics: Mapping[str, float], step: int) -> None:
    """Log, once, what the best checkpoint alone has: the HPARAMS tab's score and what was fitted.

    Args:
        logger: Anything but a TensorBoard logger is left alone.
        metrics: What ``metrics.json`` holds.
        step: Optimizer steps done.
    """
    if isinstance(logger, TensorBoardLogger):
        fitted = {name: value for name, value in metrics.items() if name.endswith("_fitted")}
        logger.log_metrics({SCORE_TAG: metrics["val/iou"]} | fitted, step)
        logger.finalize("success")


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str | float | bool]:
    """Nested values as one level of dotted names; what is neither number nor truth value becomes text."""
    flat: dict[str, str | float | bool] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value if isinstance(value, bool | int | float) else str(value)
    return flat
