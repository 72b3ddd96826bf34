"""What was found about a picture's scale, collected so that no nonsense in a file can stop the reading."""

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
    """What tags and side files say.

    Attributes:
        claims: Pixel sizes, unchecked.
        warnings: Sources that could not be read, in plain words.
        hints: Why there may be no claim, in plain words; of interest where there is none.
    """

    claims: list[Claim] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    def ask(self, source: str, read: Callable[[], Claim | None]) -> None:
        """Add what a source says; where it cannot be understood, add a warning instead.

        Args:
            source: Its name in words.
            read: Reads it; None where it is absent or says nothing.
        """
        try:
            claim = read()
        except _NONSENSE as error:
            self.ignore(source, error)
        else:
            if claim is not None:
                self.claims.append(claim)

    def ignore(self, source: str, error: Exception) -> None:
        """Say that a source was passed over.

        Args:
            source: Its name in words.
            error: Why.
        """
        reason = _reason(error, _REASON_LENGTH)
        self.warnings.append(f"{source}: its pixel size cannot be read ({reason}) and was ignored")

    def require(self, side: Path, picture: Path, read: Callable[[], Claim | None]) -> None:
        """Add what a file says that is there for nothing else than to say pixel sizes.

        Args:
            side: That file.
            picture: Whose pixel size it is asked for.
            read: Reads it; None where it says nothing of the picture.

        Raises:
            GrainsegError: It cannot be understood: without it the picture would be measured in px, or by
                another source, against what a person wrote down.
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
        """Add a resolution in dots per inch; 1 and less is how files say that they have none."""
        if across <= 1 and down <= 1:
            return
        dots = f"{across:.4g}" if across == down else f"{across:.4g} × {down:.4g}"
        self.hints.append(f"its resolution of {dots} dpi is a print setting and no pixel size")


def _reason(error: Exception, length: int) -> str:
    """The words of an error, as far as they can be printed."""
    reason = "".join(c if c.isprintable() else " " for c in str(error)[:length])
    return " ".join(reason.split()) or type(error).__name__
