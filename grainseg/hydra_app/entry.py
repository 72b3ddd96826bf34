"""Between Hydra and the pipeline: the only importer of Hydra.

It takes settings as they are typed, keeps torch out until the configuration is known to be right, and turns
errors into one line.
"""

import logging
import math
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, read_write
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from grainseg.config import VALIDATION_METRICS, TrainConfig, parse_predict, parse_train, unknown_key
from grainseg.console import say
from grainseg.errors import GrainsegError, require_all_done
from grainseg.micrograph.names import shown
from grainseg.overrides import SWEEP_FLAGS, as_typed, require_sayable, shortened

log = logging.getLogger(__name__)

CONF = Path(__file__).resolve().parent.parent / "conf"
_TRACEBACK = "HYDRA_FULL_ERROR"
"""Hydra's own switch for tracebacks serves here, too."""


def main_train() -> int:
    """Run ``train.py``; returns the exit status."""
    flags = [argument for argument in sys.argv[1:] if argument in SWEEP_FLAGS]
    # The parser wants the overrides in one piece, with no option between them.
    arguments = flags + [argument for argument in sys.argv[1:] if argument not in SWEEP_FLAGS]
    return _run(_train, "train", _named_by_what_differs(_continue_in_place(arguments)))


def main_predict() -> int:
    """Run ``predict.py``; returns the exit status."""
    return _run(_predict, "predict", sys.argv[1:])


def _train(node: DictConfig) -> float:
    config = parse_train(node)
    sweep = HydraConfig.get().mode == RunMode.MULTIRUN
    if sweep:
        config.trainer.require_one_process("a job of a sweep")
        _require_maximized(HydraConfig.get().sweeper.get("direction"))
    run_dir = Path(HydraConfig.get().runtime.output_dir)
    try:
        metrics, text = _trained(config, run_dir, sweep)
    except (KeyboardInterrupt, SystemExit):  # which Lightning makes of the former
        _say_how_to_go_on(config, run_dir, sweep)
        raise
    if not metrics:
        return float("nan")  # not the first process of several: nobody asks for its objective
    say(text)
    value = metrics[config.optimized_metric]
    return value if VALIDATION_METRICS[config.optimized_metric] == "max" else -value


def _trained(config: TrainConfig, run_dir: Path, sweep: bool) -> tuple[dict[str, float], str]:
    """The scores of a run and its closing lines; none in further processes."""
    from grainseg.pipeline.going_on import require_same, train_or_go_on
    from grainseg.pipeline.leave_one_out import leave_one_out  # heavy, and the configuration is right
    from grainseg.pipeline.train import train, training_summary

    if config.leave_one_out:
        result = leave_one_out(config, run_dir)
        return result.metrics, result.summary()
    if sweep and config.resume is None:
        require_same(config, run_dir, "hydra.sweep.dir")
        metrics = train_or_go_on(config, run_dir)
    else:
        metrics = train(config, run_dir)
    return metrics, training_summary(metrics, run_dir) if metrics else ""


def _require_maximized(direction: object) -> None:
    """Raise a GrainsegError where a sweeper looks for the worst: the objective of errors has a minus sign."""
    name = getattr(direction, "name", direction)  # Optuna's is an Enum
    if name not in (None, "maximize"):
        raise GrainsegError(
            f"hydra.sweeper.direction={name}: more of the objective is always better, also of errors; "
            "say hydra.sweeper.direction=maximize"
        )


def _say_how_to_go_on(config: TrainConfig, run_dir: Path, sweep: bool) -> None:
    last = run_dir / "checkpoints" / "last.ckpt"
    if sweep:
        folder = HydraConfig.get().sweep.dir
        way = f" with all jobs: no resume, but the same command and hydra.sweep.dir={folder}"
        if "direction" in HydraConfig.get().sweeper:  # of a study, whose jobs are drawn
            way += "; they are the same only if hydra.sweeper.sampler.seed was said"
    elif config.leave_one_out:
        way = f" with all folds: no resume, but the same overrides and hydra.run.dir={run_dir}"
    elif last.exists():
        way = f", say the same overrides and resume={last}"
    else:
        return
    log.warning("%s", shown(f"to go on{way}"))


def _predict(node: DictConfig) -> None:
    config = parse_predict(node)
    from grainseg.pipeline.predict import predict, prediction_summary

    result = predict(config, shlex.join(["python", "predict.py", *sys.argv[1:]]))
    say(prediction_summary(result, Path(config.output)))
    require_all_done(result.failures, "pictures", others_done=bool(result.written))
    if result.unscored:
        raise GrainsegError(f"{len(result.unscored)} of the pictures could not be scored, see above")


class _Terminated:
    """Handles SIGTERM as Ctrl-C: who ends a run shall find its last.ckpt, and no exit status of 0."""

    def __init__(self) -> None:
        self.happened = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.happened = True
        interrupt = signal.getsignal(signal.SIGINT)
        if callable(interrupt):
            interrupt(number, frame)
        raise KeyboardInterrupt


def _run(task: Callable[[DictConfig], Any], config_name: str, arguments: list[str]) -> int:
    terminated = _Terminated()
    signal.signal(signal.SIGTERM, terminated)
    traceback_wanted = os.environ.get(_TRACEBACK) == "1"
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # a damaged file is one line of ours
    errors: list[Exception] = []
    typed = sys.argv[1:]

    def guarded(node: DictConfig) -> Any:
        try:
            # Lightning starts further processes of a ddp run with the arguments and the environment.
            with _arguments(typed), _traceback(traceback_wanted):
                return task(node)
        except Exception as error:
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                log.error("%s", shown(one_line(error)))
                raise  # Hydra goes on with the next job and fails at the end
            errors.append(error)  # raised, it would come with two lines of Hydra's
            return None

    entry = hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(guarded)
    try:
        require_sayable(typed, CONF)
        # With full errors, Hydra raises instead of printing and exiting.
        with _arguments(_as_typed(arguments)), _traceback(True):
            try:
                entry()
            finally:
                SweepSummary.show()
        if errors:
            raise errors[0]
    except (KeyboardInterrupt, SystemExit) as stop:
        if terminated.happened:  # Lightning's own ways out have the status 0, and 1 after Ctrl-C
            say("terminated", sys.stderr)
            return 143
        if isinstance(stop, SystemExit) and not isinstance(stop.__context__, KeyboardInterrupt):
            raise
        say("interrupted", sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output, say head, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if traceback_wanted:
            raise
        say(f"error: {one_line(error)}", sys.stderr)
        return 1
    return 0


@contextmanager
def _traceback(wanted: bool) -> Iterator[None]:
    before = os.environ.get(_TRACEBACK)
    os.environ[_TRACEBACK] = "1" if wanted else "0"
    try:
        yield
    finally:
        os.environ.pop(_TRACEBACK)
        if before is not None:
            os.environ[_TRACEBACK] = before


@contextmanager
def _arguments(arguments: list[str]) -> Iterator[None]:
    typed = sys.argv
    sys.argv = [typed[0], *arguments]
    try:
        yield
    finally:
        sys.argv = typed


class SweepSummary(Callback):
    """Says after a sweep which of its jobs were best, also where one of them failed.

    Hydra makes the callback itself and does not end a sweep properly where a job failed, so where the sweep
    lies is kept with the class.
    """

    _sweep: ClassVar[tuple[Path, str] | None] = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Keep all jobs in one folder, whatever their names, and remember it: they may run elsewhere."""
        with read_write(config.hydra):
            folder = str(config.hydra.sweep.dir).replace("${", r"\${")
            config.hydra.overrides.hydra.append(as_typed(f"hydra.sweep.dir={folder}"))
        metric = config.get("optimized_metric")
        if metric in VALIDATION_METRICS:
            SweepSummary._sweep = Path(config.hydra.sweep.dir), metric

    @classmethod
    def show(cls) -> None:
        """Print the jobs, the best first; nothing where there was no sweep."""
        if cls._sweep is not None:
            for line in sweep_lines(*cls._sweep):
                say(line)
            cls._sweep = None


def sweep_lines(folder: Path, metric: str) -> list[str]:
    """A line for each job of a sweep that came to an end, the best first; none if there is no such job.

    Args:
        folder: Of the sweep; each job has a folder of its own.
        metric: By which they are ranked, one of ``VALIDATION_METRICS``.
    """
    from grainseg.report.metrics_file import METRICS, read_metrics

    found: list[tuple[float, str]] = []
    for path in sorted(folder.glob(f"*/{METRICS}")):
        with suppress(GrainsegError):  # what else lies in the folder need not be a job's
            value = read_metrics(path, "it is left out").get(metric, math.nan)
            if math.isfinite(value):
                found.append((value, path.parent.name))
    found.sort(key=lambda each: each[0], reverse=VALIDATION_METRICS[metric] == "max")
    best = [f"{metric}  job, the best first ({folder})"] if found else []
    return best + [f"{value:<{len(metric)}.4f}  {job}" for value, job in found]


OmegaConf.register_new_resolver("shortened", shortened, replace=True)  # for conf/train.yaml


def _continue_in_place(arguments: list[str]) -> list[str]:
    """Let a resumed run go on in its own folder, so that its best checkpoint and curves go on, too."""
    resumed = [argument.removeprefix("resume=") for argument in arguments if argument.startswith("resume=")]
    elsewhere = any(argument.startswith("hydra.run.dir=") for argument in arguments)
    if not resumed or elsewhere or Path(resumed[-1]).parent.name != "checkpoints":
        return arguments
    run_dir = str(Path(resumed[-1]).resolve().parent.parent)
    return _with(arguments, "hydra.run.dir=" + run_dir.replace("${", r"\${"))


def _named_by_what_differs(arguments: list[str]) -> list[str]:
    """Have the folders of a sweep's jobs say what their jobs differ in, and not what all have alike."""
    overrides = [argument for argument in _as_typed(arguments) if _sets(argument)]
    try:
        parsed = OverridesParser.create().parse_overrides(overrides)
    except HydraException:
        return arguments  # Hydra will meet it again, and say so
    alike = {each.key_or_group for each in parsed if not each.is_sweep_override()}
    plain = sorted(key for key in alike if re.fullmatch(r"[\w./]+", key))
    return _with(arguments, f"hydra.job.config.override_dirname.exclude_keys=[{','.join(plain)}]")


def _as_typed(arguments: list[str]) -> list[str]:
    sweep = not SWEEP_FLAGS.isdisjoint(arguments)
    return [as_typed(argument, sweep) for argument in arguments]


def _with(arguments: list[str], override: str) -> list[str]:
    """The arguments with one override more.

    Beside the others, which the parser wants in one piece; at the end, an option such as ``--info`` would
    take it for its own.
    """
    said = [place for place, argument in enumerate(arguments, 1) if _sets(argument)]
    place = said[-1] if said else 0
    return [*arguments[:place], override, *arguments[place:]]


def _sets(argument: str) -> bool:
    """Whether an argument is an override, and neither an option nor what follows one."""
    return "=" in argument and not argument.startswith("-")


def one_line(error: BaseException) -> str:
    """The message of an error in one line; of Hydra's and OmegaConf's, what a person needs of it."""
    if isinstance(error, GrainsegError):
        return _joined(str(error))
    if isinstance(error, OverrideParseException):
        problem = _joined(str(error.__cause__ or error)).partition(" See https")[0]
        advice = "quote odd values twice: 'key=\"a=b\"' (but paths once, for the shell)"
        return f"{error.override}: {problem}; {advice}"
    if isinstance(error, MissingConfigException) and error.options is not None:
        group, _, choice = str(error.missing_cfg_file).rpartition("/")
        return f"{group}={choice}: there is no such choice; choose one of {', '.join(error.options)}"
    # Hydra's own, of --cfg, --info and such.
    if isinstance(error, ValueError) and str(error).startswith("Only one of"):
        return _joined(str(error))
    if isinstance(error, HydraException | OmegaConfBaseException):
        cause = error.__cause__
        if isinstance(cause, ConfigKeyError | ConfigAttributeError) and cause.full_key:
            parent = cause.parent_node
            schema = parent._get_root() if isinstance(parent, DictConfig) else OmegaConf.create()
            assert isinstance(schema, DictConfig)
            said = re.search(r"use \+[^=\n]*=(.*)", str(error))  # Hydra's advice on any key that is new
            return unknown_key(str(cause.full_key), schema, said[1] if said else "VALUE")
        ambiguous = re.match(r"Ambiguous value for argument '(.*?)'\n", str(error), re.DOTALL)
        if ambiguous:
            key, _, value = ambiguous[1].partition("=")
            if key == "name":
                value = value.replace("'", "")
                return f"name={value}: must be one name, without a comma; to sweep over names, add -m"
            decimal = re.fullmatch(r"\d+,\d+", value)
            point = f" or, for a decimal, {key}={value.replace(',', '.')}" if decimal else ""
            return f"{ambiguous[1]}: say {key}=[{value}] for a list{point}; to sweep over values, add -m"
        return _joined(str(error))
    if str(error) == "No trials are completed yet.":  # Optuna's; tune.yaml lets trials fail
        return "no trial of the study came to an end, see above"
    if isinstance(error, OSError | MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return f"{type(error).__name__}: {_joined(str(error))}"
    return f"{type(error).__name__}: {_joined(str(error))} (a bug; {_TRACEBACK}=1 shows where)"


def _joined(message: str) -> str:
    return " ".join(message.split())
