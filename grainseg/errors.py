"""The one exception that is meant for the person at the screen."""


class GrainsegError(Exception):
    """What is wrong with the input, in one line that names the file or the key and the fix.

    The commands print its text and exit with 1; everything else that is raised is a bug.
    """
