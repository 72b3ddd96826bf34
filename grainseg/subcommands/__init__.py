"""The subcommands of ``grainseg``: each checks its options, runs the work and prints its closing lines."""
