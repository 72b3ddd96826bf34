"""The one exception that is meant for the person at the screen."""

from collections.abc import Sequence


class GrainsegError(Exception):
    """What is wrong with the input, in one line that names the file or the key and the fix.

    The commands print its text and exit with 1; everything else that is raised is a bug.
    """


def require_all_done(failures: Sequence[str], of: str, others_done: bool) -> None:
    """Let a run end with an error where something failed that it reported and skipped.

    Args:
        failures: One line for each, said before.
        of: What they are some of.
        others_done: Whether there are others, and these are done.

    Raises:
        GrainsegError: There are failures.
    """
    if failures:
        done = "; the others are done" if others_done else ""
        raise GrainsegError(f"{len(failures)} of the {of} failed, see above{done}")
