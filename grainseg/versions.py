"""Versions of the programs and libraries that made a file."""

import platform
from importlib.metadata import version

from grainseg import __version__


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python, of grainseg and of the given packages, by their names."""
    ours = {"python": platform.python_version(), "grainseg": __version__}
    return ours | {name: version(name) for name in packages}
