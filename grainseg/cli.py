"""The ``grainseg`` command: everything beside training and prediction, which are train.py and predict.py."""

import logging
import sys

import typer

from grainseg.config.command_line import OptionFormatter, as_options
from grainseg.console import prepare_console, say
from grainseg.errors import GrainsegError
from grainseg.subcommands.baseline import baseline
from grainseg.subcommands.compare import compare
from grainseg.subcommands.export import export
from grainseg.subcommands.measure import measure
from grainseg.subcommands.options import typed
from grainseg.subcommands.robustness import robustness
from grainseg.subcommands.suggest import suggest
from grainseg.subcommands.synth import synth

SUBCOMMANDS = (measure, compare, baseline, robustness, suggest, synth, export)
"""The subcommands, in the order in which the help lists them."""

app = typer.Typer(
    help="Everything beside training and prediction, which are train.py and predict.py.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for subcommand in SUBCOMMANDS:
    app.command()(subcommand)


def main() -> int:
    """Run the command; return the exit status."""
    prepare_console()
    handler = logging.StreamHandler(sys.stdout)
    asked = [each for each in SUBCOMMANDS if each.__name__ in sys.argv[1:2]]
    names = typed(asked[0]) if asked else {}
    handler.setFormatter(OptionFormatter("%(levelname)s: %(message)s", names))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # a damaged file gets one log line of grainseg
    try:
        app()
    except (GrainsegError, OSError, MemoryError) as error:
        kind = "" if isinstance(error, GrainsegError) else f"{type(error).__name__}: "
        say(f"error: {kind}{as_options(' '.join(str(error).split()), names)}", sys.stderr)
        return 1
    return 0  # app exits by itself, with 2 if the command line is wrong


if __name__ == "__main__":
    sys.exit(main())
