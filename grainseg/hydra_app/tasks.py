"""Tasks for a composed configuration: a training run, a job of a sweep, or a prediction."""

import logging
import shlex
import sys
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from grainseg.config import VALIDATION_METRICS, TrainConfig, parse_predict, parse_train
from grainseg.console import say
from grainseg.errors import GrainsegError, require_all_done
from grainseg.hydra_app.sweeps import recorded_job

log = logging.getLogger(__name__)


def train_task(node: DictConfig) -> float:
    """Train as ``train.py`` does; return the objective of a sweep, NaN in further processes of a run.

    Raises:
        GrainsegError: The configuration or the data cannot be used, or a job of a sweep failed.
    """
    with recorded_job():
        return _train(node)


def _train(node: DictConfig) -> float:
    config = parse_train(node)
    sweep = HydraConfig.get().mode == RunMode.MULTIRUN
    if sweep:
        config.trainer.require_one_process("a job of a sweep")
    run_dir = Path(HydraConfig.get().runtime.output_dir)
    try:
        metrics, text = _trained(config, run_dir, sweep)
    except (KeyboardInterrupt, SystemExit):  # Lightning turns the first into the second
        _say_how_to_go_on(config, run_dir, sweep)
        raise
    if not metrics:
        return float("nan")  # a further process of several, whose objective is not used
    say(text)
    value = metrics[config.optimized_metric]
    return value if VALIDATION_METRICS[config.optimized_metric] == "max" else -value


def _trained(config: TrainConfig, run_dir: Path, sweep: bool) -> tuple[dict[str, float], str]:
    """The scores of a run and its closing lines; both empty in further processes."""
    from grainseg.pipeline.leave_one_out import leave_one_out  # heavy, so after the checks
    from grainseg.pipeline.resumable_training import require_same, train_or_resume
    from grainseg.pipeline.train import train, training_summary

    if config.leave_one_out:
        result = leave_one_out(config, run_dir)
        return result.metrics, result.summary()
    if sweep and config.resume is None:
        require_same(config, run_dir, "hydra.sweep.dir")
        metrics = train_or_resume(config, run_dir)
    else:
        metrics = train(config, run_dir)
    return metrics, training_summary(metrics, run_dir) if metrics else ""


def _say_how_to_go_on(config: TrainConfig, run_dir: Path, sweep: bool) -> None:
    last = run_dir / "checkpoints" / "last.ckpt"
    if sweep:
        folder = HydraConfig.get().sweep.dir
        way = f" with all jobs: no resume, but the same command and hydra.sweep.dir={folder}"
        sampler = HydraConfig.get().sweeper.get("sampler")  # of Optuna, which draws the jobs
        if sampler is not None and sampler.get("seed") is None:
            way += "; they are the same only if hydra.sweeper.sampler.seed was said"
    elif config.leave_one_out:
        way = f" with all folds: no resume, but the same overrides and hydra.run.dir={run_dir}"
    elif last.exists():
        way = f", say the same overrides and resume={last}"
    else:
        return
    log.warning("to go on%s", way)


def predict_task(node: DictConfig) -> None:
    """Predict as ``predict.py`` does.

    Raises:
        GrainsegError: The configuration cannot be used, or a picture failed.
    """
    config = parse_predict(node)
    from grainseg.pipeline.predict import predict, prediction_summary

    result = predict(config, shlex.join(["python", "predict.py", *sys.argv[1:]]))
    say(prediction_summary(result, Path(config.output)))
    require_all_done(result.failures, "pictures", others_done=bool(result.written))
    if result.unscored:
        raise GrainsegError(f"{len(result.unscored)} of the pictures could not be scored, see above")
