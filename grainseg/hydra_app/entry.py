"""The commands ``train.py`` and ``predict.py``: Hydra between the command line and a task.

Torch is imported only after the configuration was checked, and an error is printed as one line.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from grainseg.console import escape_log_lines, say
from grainseg.hydra_app.arguments import quoted, training_arguments
from grainseg.hydra_app.messages import TRACEBACK, one_line
from grainseg.hydra_app.sweeps import SweepSummary
from grainseg.hydra_app.tasks import predict_task, train_task
from grainseg.overrides import check_command_line

log = logging.getLogger(__name__)

CONF = Path(__file__).resolve().parent.parent.parent / "conf"


def main_train() -> int:
    """Run ``train.py``; return the exit status."""
    return _run(train_task, "train", training_arguments(sys.argv[1:]))


def main_predict() -> int:
    """Run ``predict.py``; return the exit status."""
    return _run(predict_task, "predict", sys.argv[1:])


class _Terminated:
    """Handles SIGTERM like Ctrl-C: an ended run leaves its last.ckpt, and its exit status is not 0."""

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
    traceback_wanted = os.environ.get(TRACEBACK) == "1"
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # a damaged file gets one log line of grainseg
    errors: list[Exception] = []
    typed = sys.argv[1:]

    def guarded(node: DictConfig) -> Any:
        escape_log_lines()  # here, since launchers may start a job in another process
        try:
            # Lightning starts further processes of a ddp run with these arguments and this environment.
            with _arguments(typed), _traceback(traceback_wanted):
                return task(node)
        except Exception as error:
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                log.error("%s", one_line(error))
                raise  # Hydra continues with the next job and fails at the end
            errors.append(error)  # if raised here, Hydra would print two lines of its own with it
            return None

    entry = hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(guarded)
    try:
        check_command_line(typed, CONF)
        # With full errors switched on, Hydra raises instead of printing and exiting.
        with _arguments(quoted(arguments)), _traceback(True):
            try:
                entry()
            finally:
                SweepSummary.show()
        if errors:
            raise errors[0]
    except (KeyboardInterrupt, SystemExit) as stop:
        if terminated.happened:  # Lightning itself exits with 0, or 1 after Ctrl-C
            say("terminated", sys.stderr)
            return 143
        if isinstance(stop, SystemExit) and not isinstance(stop.__context__, KeyboardInterrupt):
            raise
        say("interrupted", sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of the output, for example head, has ended
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
    before = os.environ.get(TRACEBACK)
    os.environ[TRACEBACK] = "1" if wanted else "0"
    try:
        yield
    finally:
        os.environ.pop(TRACEBACK)
        if before is not None:
            os.environ[TRACEBACK] = before


@contextmanager
def _arguments(arguments: list[str]) -> Iterator[None]:
    typed = sys.argv
    sys.argv = [typed[0], *arguments]
    try:
        yield
    finally:
        sys.argv = typed
