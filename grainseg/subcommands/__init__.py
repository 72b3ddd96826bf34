"""The subcommands of ``grainseg``: options in, a checked configuration, the work, its closing lines."""
