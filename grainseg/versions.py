"""Versions of the programs and libraries that made a file."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from grainseg import __version__

_CHECKOUT = Path(__file__).resolve().parent.parent
_GIT_SECONDS = 10


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python, of grainseg and of the given packages, by their names."""
    ours = {"python": platform.python_version(), "grainseg": __version__}
    return ours | {name: version(name) for name in packages}


def code_revision() -> str | None:
    """Git revision of the running code, with ``-dirty`` appended if tracked files differ from it.

    Returns:
        40 hexadecimal digits; None if grainseg does not run from a git checkout of its own, or git fails.
    """
    if not (_CHECKOUT / ".git").exists():  # git would answer for a repository around an installed package
        return None
    command = ["git", "--no-optional-locks", "-C", str(_CHECKOUT), "describe", "--always", "--dirty"]
    command += ["--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_GIT_SECONDS)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
