"""The one exception whose text is written for the user."""

from collections.abc import Sequence


class GrainsegError(Exception):
    """An error in the input; its text is one line that names the file or the key, and the fix.

    The commands print its text and exit with 1; any other exception is a bug.
    """


def require_all_done(failures: Sequence[str], of: str, others_done: bool) -> None:
    """End a run with an error if some of its items failed, which it reported and skipped.

    Args:
        failures: One line for each failure, already reported.
        of: Name of the items in the plural, for the message.
        others_done: Whether there are other items, and these are done.

    Raises:
        GrainsegError: There are failures.
    """
    if failures:
        done = "; the others are done" if others_done else ""
        raise GrainsegError(f"{len(failures)} of the {of} failed, see above{done}")
