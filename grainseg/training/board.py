"""The configuration in TensorBoard: as text, and with final scores in the HPARAMS tab."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger, TensorBoardLogger
from omegaconf import OmegaConf

_SCORES = ("val/iou", "val/boundary_f1", "val/grain_count_error", "val/intercept_error")
"""Scores in the HPARAMS tab, in addition to the metric that chose the checkpoint."""
_TEST_SCORES = ("test/iou", "test/boundary_f1")
_COST = {"train/parameters": "hp/parameters", "train/seconds": "hp/train_seconds"}
"""Costs that a comparison weighs the scores against: tags by metric."""


def log_configuration(
    logger: Logger | None, config: Mapping[str, Any], used: Mapping[str, str] | None, step: int = 0
) -> None:
    """Write the settings to the HPARAMS tab, and the resolved configuration to the text tab.

    Args:
        logger: Used only if it is a TensorBoard logger.
        config: Nested plain values.
        used: Values that the run chose for settings such as ``auto``, by dotted name, for the HPARAMS tab.
            None keeps a fold of a leave-one-out run out of that tab, which would rank it beside its own run.
        step: Optimizer steps done. If above 0, the HPARAMS tab already has the settings and is not written.
    """
    if not isinstance(logger, TensorBoardLogger):
        return
    if step == 0 and used is not None:
        unknown = dict.fromkeys(_score_tags(config).values(), float("nan"))
        logger.log_hyperparams(flatten(config) | dict(used), metrics=unknown)
        # Lightning has already written an empty file, and does not fill an existing one.
        (Path(logger.log_dir) / logger.NAME_HPARAMS_FILE).unlink(missing_ok=True)
    text = OmegaConf.to_yaml(OmegaConf.create(dict(config))).replace("\n", "\n    ")
    logger.experiment.add_text("config", f"    {text}", step)  # four blanks make a code block


def log_scores(
    logger: Logger | None, config: Mapping[str, Any], metrics: Mapping[str, float], step: int, fold: bool
) -> None:
    """Log the best checkpoint's scores for the HPARAMS tab, and the scores of the fitted settings.

    Args:
        logger: Used only if it is a TensorBoard logger.
        config: Nested plain values, as for :func:`log_configuration`.
        metrics: Contents of ``metrics.json``.
        step: Optimizer steps done.
        fold: Whether it is a fold of a leave-one-out run, which the HPARAMS tab does not list.
    """
    if isinstance(logger, TensorBoardLogger):
        fitted = {name: value for name, value in metrics.items() if name.endswith("_fitted")}
        logger.log_metrics(({} if fold else tagged_scores(config, metrics)) | fitted, step)
        logger.finalize("success")


def tagged_scores(config: Mapping[str, Any], metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the scores and costs for the HPARAMS tab by tag, from the contents of ``metrics.json``."""
    return {tag: metrics[name] for name, tag in _score_tags(config).items() if name in metrics}


def _score_tags(config: Mapping[str, Any]) -> dict[str, str]:
    """Return tags by metric, other than the curves': their last value is not the best checkpoint's."""
    tested = _TEST_SCORES if config["data"].get("test") else ()
    names = (config["optimized_metric"], *_SCORES, *tested)
    return {name: f"hp/{name.replace('/', '_')}" for name in names} | _COST


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str | float | bool]:
    """Flatten nested values to one level of dotted names; all but numbers and booleans become text."""
    flat: dict[str, str | float | bool] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value if isinstance(value, bool | int | float) else str(value)
    return flat
