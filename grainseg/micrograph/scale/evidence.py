"""Collect the evidence for a picture's scale; invalid content of one file does not stop the others."""

import csv
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from grainseg.errors import GrainsegError
from grainseg.micrograph.scale.pixel_size import Claim

_NONSENSE = (
    ValueError,  # also of decoders and JSON
    TypeError,
    LookupError,
    ArithmeticError,
    MemoryError,
    RecursionError,
    OSError,
    SyntaxError,  # XML
    struct.error,
    csv.Error,
)
_REASON_LENGTH = 90
_LONG_REASON = 200


@dataclass
class Evidence:
    """Pixel sizes found in tags and side files, and why others were not found.

    Attributes:
        claims: Pixel sizes found, not yet checked.
        warnings: Sources that could not be read, in plain words.
        hints: Possible reasons why no pixel size was found, in plain words; reported only in that case.
    """

    claims: list[Claim] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    def collect(self, source: str, read: Callable[[], Claim | None]) -> None:
        """Add the claim of a source; if the source cannot be understood, add a warning instead.

        Args:
            source: Name of the source for messages.
            read: Reads the source; returns None where it is absent or gives no pixel size.
        """
        try:
            claim = read()
        except _NONSENSE as error:
            self.ignore(source, error)
        else:
            if claim is not None:
                self.claims.append(claim)

    def ignore(self, source: str, error: Exception) -> None:
        """Add a warning that a source was ignored.

        Args:
            source: Name of the source for messages.
            error: The reason.
        """
        reason = _reason(error, _REASON_LENGTH)
        self.warnings.append(f"{source}: its pixel size cannot be read ({reason}) and was ignored")

    def require(self, side: Path, picture: Path, read: Callable[[], Claim | None]) -> None:
        """Add the claim of a file whose only purpose is to give pixel sizes.

        Args:
            side: The file.
            picture: The picture whose pixel size is looked up.
            read: Reads the file; returns None where it gives no pixel size of the picture.

        Raises:
            GrainsegError: The file cannot be understood. If it were ignored, the picture would be measured in
                px, or with the pixel size of another source, contrary to what a person wrote down.
        """
        try:
            claim = read()
        except _NONSENSE as error:
            raise GrainsegError(
                f"{picture}: its pixel size cannot be read from {side} ({_reason(error, _LONG_REASON)}); "
                "correct that file or remove it"
            ) from error
        if claim is not None:
            self.claims.append(claim)

    def add_print_resolution(self, across: float, down: float) -> None:
        """Add a hint on a resolution in dots per inch; files without a resolution store 1 or less."""
        if across <= 1 and down <= 1:
            return
        dots = f"{across:.4g}" if across == down else f"{across:.4g} × {down:.4g}"
        self.hints.append(f"its resolution of {dots} dpi is a print setting and no pixel size")


def _reason(error: Exception, length: int) -> str:
    """Return the message of an error, without characters that cannot be printed."""
    reason = "".join(c if c.isprintable() else " " for c in str(error)[:length])
    return " ".join(reason.split()) or type(error).__name__
