"""Names of files, which systems encode in more than one way."""

from unicodedata import normalize


def plain_name(name: str) -> str:
    """A name as it compares: macOS writes ü as two characters in the names of files, others as one."""
    return normalize("NFC", name)
