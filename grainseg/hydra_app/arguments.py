"""Prepare the command line for Hydra: quote paths as typed, add the folders of runs and of sweeps' jobs."""

import re
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from grainseg.overrides import SWEEP_FLAGS, quote_override


def training_arguments(arguments: list[str]) -> list[str]:
    """The arguments of ``train.py``, with overrides for the folders of the run or of the sweep's jobs.

    Args:
        arguments: The arguments as typed.
    """
    flags = [argument for argument in arguments if argument in SWEEP_FLAGS]
    # The parser wants all overrides in one sequence, with no option between them.
    in_one_piece = flags + [argument for argument in arguments if argument not in SWEEP_FLAGS]
    return name_jobs_by_differences(_continue_in_place(in_one_piece))


def quoted(arguments: list[str]) -> list[str]:
    """The arguments, quoted where Hydra's grammar would read something else than was typed."""
    sweep = not SWEEP_FLAGS.isdisjoint(arguments)
    return [quote_override(argument, sweep) for argument in arguments]


def _continue_in_place(arguments: list[str]) -> list[str]:
    """Let a resumed run continue in its own folder, so that its best checkpoint and curves continue, too."""
    resumed = [argument.removeprefix("resume=") for argument in arguments if argument.startswith("resume=")]
    elsewhere = any(argument.startswith("hydra.run.dir=") for argument in arguments)
    if not resumed or elsewhere or Path(resumed[-1]).parent.name != "checkpoints":
        return arguments
    run_dir = str(Path(resumed[-1]).resolve().parent.parent)
    return _with(arguments, "hydra.run.dir=" + run_dir.replace("${", r"\${"))


def name_jobs_by_differences(arguments: list[str]) -> list[str]:
    """Name the folders of a sweep's jobs by the overrides that differ between jobs, not by shared ones."""
    overrides = [argument for argument in quoted(arguments) if _sets(argument)]
    try:
        parsed = OverridesParser.create().parse_overrides(overrides)
    except HydraException:
        return arguments  # Hydra will meet the same error again and report it
    alike = {each.key_or_group for each in parsed if not each.is_sweep_override()}
    plain = sorted(key for key in alike if re.fullmatch(r"[\w./]+", key))
    return _with(arguments, f"hydra.job.config.override_dirname.exclude_keys=[{','.join(plain)}]")


def _with(arguments: list[str], override: str) -> list[str]:
    """The arguments with one more override.

    It stands behind the last override, since the parser wants them all in one sequence; at the very end, an
    option such as ``--info`` would take it as its own value.
    """
    said = [place for place, argument in enumerate(arguments, 1) if _sets(argument)]
    place = said[-1] if said else 0
    return [*arguments[:place], override, *arguments[place:]]


def _sets(argument: str) -> bool:
    """Whether an argument is an override, and neither an option nor the value of one."""
    return "=" in argument and not argument.startswith("-")
