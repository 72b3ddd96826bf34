"""Which program, and on what, made a file."""

import platform
from importlib.metadata import version

from grainseg import __version__


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python, of this program and of the packages named, by their names."""
    ours = {"python": platform.python_version(), "grainseg": __version__}
    return ours | {name: version(name) for name in packages}
