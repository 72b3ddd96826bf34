"""Error messages in one line; those of Hydra and OmegaConf are reduced to what the user needs."""

import re
import traceback

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from grainseg.config import unknown_key
from grainseg.errors import GrainsegError

TRACEBACK = "HYDRA_FULL_ERROR"
"""Environment variable by which Hydra, and this project, show tracebacks."""


def one_line(error: BaseException) -> str:
    """Return the message of an error in one line."""
    if isinstance(error, HydraException | OmegaConfBaseException):
        return _of_hydra(error)
    text = _joined(str(error))
    # Hydra raises a ValueError for options that exclude each other, such as --cfg and --info.
    if isinstance(error, GrainsegError) or text.startswith("Only one of"):
        return text
    if text == "No trials are completed yet.":  # from Optuna; tune.yaml allows all trials to fail
        return "no trial of the study came to an end, see above"
    folder = _of_run_folder(error)
    if folder is not None:
        return folder
    if isinstance(error, OSError | MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return f"{type(error).__name__}: {text}"
    return f"{type(error).__name__}: {text} (a bug; {TRACEBACK}=1 shows where)"


def _of_run_folder(error: BaseException) -> str | None:
    """Return the message if Hydra cannot create a run's folder or the log in it; None for other errors."""
    # If a log file cannot be opened, logging raises a ValueError from the OSError.
    reason = error.__cause__ if isinstance(error, ValueError) else error
    if not isinstance(reason, OSError) or not reason.filename or not reason.strerror:
        return None
    frames = traceback.walk_tb(error.__traceback__)
    if any(frame.f_globals.get("__name__") == "grainseg.hydra_app.tasks" for frame, _ in frames):
        return None  # the folder exists, and the error is about another file
    return f"{reason.filename}: {reason.strerror}; choose another folder (hydra.run.dir, hydra.sweep.dir)"


def _of_hydra(error: HydraException | OmegaConfBaseException) -> str:
    if isinstance(error, OverrideParseException):
        problem = _joined(str(error.__cause__ or error)).partition(" See https")[0]
        advice = (
            "quote odd values twice: 'key=\"a=b\"', \"data.val=['a [b]']\" (but paths once, for the shell)"
        )
        return f"{error.override}: {problem}; {advice}"
    if isinstance(error, MissingConfigException) and error.options is not None:
        group, _, choice = str(error.missing_cfg_file).rpartition("/")
        return f"{group}={choice}: there is no such choice; choose one of {', '.join(error.options)}"
    cause = error.__cause__
    if isinstance(cause, ConfigKeyError | ConfigAttributeError) and cause.full_key:
        parent = cause.parent_node
        schema = parent._get_root() if isinstance(parent, DictConfig) else OmegaConf.create()
        assert isinstance(schema, DictConfig)
        said = re.search(r"use \+[^=\n]*=(.*)", str(error))  # from Hydra's advice for a new key
        return unknown_key(str(cause.full_key), schema, said[1] if said else "VALUE")
    ambiguous = re.match(r"Ambiguous value for argument '(.*?)'\n", str(error), re.DOTALL)
    return _of_commas(ambiguous[1]) if ambiguous else _joined(str(error))


def _of_commas(override: str) -> str:
    """Return the message for an override with commas outside a sweep."""
    key, _, value = override.partition("=")
    if key == "name":
        value = value.replace("'", "")
        return f"name={value}: must be one name, without a comma; to sweep over names, add -m"
    decimal = re.fullmatch(r"\d+,\d+", value)
    point = f" or, for a decimal, {key}={value.replace(',', '.')}" if decimal else ""
    return f"{override}: say {key}=[{value}] for a list{point}; to sweep over values, add -m"


def _joined(message: str) -> str:
    return " ".join(message.split())
