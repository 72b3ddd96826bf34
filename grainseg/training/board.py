"""What TensorBoard shows beside the curves: the configuration as text, and the HPARAMS tab."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger, TensorBoardLogger
from omegaconf import OmegaConf

_SCORES = ("val/iou", "val/boundary_f1", "val/grain_count_error", "val/intercept_error")
"""What the HPARAMS tab ranks runs by, beside what chose their checkpoints."""


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
        unknown = dict.fromkeys(_score_tags(config).values(), float("nan"))
        logger.log_hyperparams(flatten(config), metrics=unknown)
        # Lightning wrote it while it was empty, and fills none that is there.
        (Path(logger.log_dir) / logger.NAME_HPARAMS_FILE).unlink(missing_ok=True)
    text = OmegaConf.to_yaml(OmegaConf.create(dict(config))).replace("\n", "\n    ")
    logger.experiment.add_text("config", f"    {text}", step)  # four blanks make it a code block


def log_scores(
    logger: Logger | None, config: Mapping[str, Any], metrics: Mapping[str, float], step: int
) -> None:
    """Log, once, what the best checkpoint alone has: the HPARAMS tab's scores and what was fitted.

    Args:
        logger: Anything but a TensorBoard logger is left alone.
        config: Nested plain values, as for :func:`log_configuration`.
        metrics: What ``metrics.json`` holds.
        step: Optimizer steps done.
    """
    if isinstance(logger, TensorBoardLogger):
        fitted = {name: value for name, value in metrics.items() if name.endswith("_fitted")}
        logger.log_metrics(tagged_scores(config, metrics) | fitted, step)
        logger.finalize("success")


def tagged_scores(config: Mapping[str, Any], metrics: Mapping[str, float]) -> dict[str, float]:
    """Scores of the HPARAMS tab by their tags, from all that ``metrics.json`` holds."""
    return {tag: metrics[name] for name, tag in _score_tags(config).items() if name in metrics}


def _score_tags(config: Mapping[str, Any]) -> dict[str, str]:
    """Tags by metric, of their own: the tab shows a tag's last value, which is not the best checkpoint's."""
    tested = ("test/iou",) if config["data"].get("test") else ()
    names = (config["optimized_metric"], *_SCORES, *tested)
    return {name: f"hp/{name.replace('/', '_')}" for name in names}


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str | float | bool]:
    """Nested values as one level of dotted names; what is neither number nor truth value becomes text."""
    flat: dict[str, str | float | bool] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value if isinstance(value, bool | int | float) else str(value)
    return flat
