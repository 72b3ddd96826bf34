"""Texts that microscopes write into tags and side files: their encodings, sections, numbers and units.

All of them are untrusted. A text that cannot be parsed raises ValueError; the callers make it a warning.
"""

import codecs

_UM_PER_UNIT: dict[str, float] = {
    "m": 1e6,
    "cm": 1e4,
    "mm": 1e3,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "nm": 1e-3,
    "pm": 1e-6,
    "Å": 1e-4,
    "angstrom": 1e-4,
}
_MICRO_SIGNS = ("\\u00B5", "\\u00b5", "\u00b5", "\u03bc")  # ImageJ writes the first, six ASCII characters


def decode(raw: bytes) -> str:
    """Decode a text of unknown encoding up to its first NUL character.

    Byte order marks are honoured; UTF-16 without one is recognised by the NUL byte in its first character.
    Everything else is decoded as UTF-8, or as ISO-8859-1 if it is not valid UTF-8.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = raw.decode("utf-16", errors="replace")
    elif len(raw) > 1 and raw[:2].count(0) == 1:
        text = raw.decode("utf-16-be" if raw[0] == 0 else "utf-16-le", errors="replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("iso-8859-1")
    return text.partition("\0")[0]


def ini_sections(text: str) -> dict[str, dict[str, str]]:
    """Parse lines ``key=value`` below headings ``[section]``; other lines are skipped, later keys win."""
    sections: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = sections.setdefault(line[1:-1], {})
        elif "=" in line:
            key, _, value = line.partition("=")
            section[key.strip()] = value.strip()
    return sections


def value_of(entries: dict[str, str], key: str) -> float:
    """Return the number that a section gives under a key.

    Raises:
        ValueError: The key is missing, or its value is not a number.
    """
    if key not in entries:
        raise ValueError(f"no {key} in it")
    return float(entries[key])


def count_of(text: str | None) -> int | None:
    """Parse a count of pixels in decimal digits, at most nine; None for anything else."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def um_per(unit: str) -> float:
    """Return how many µm a unit of length has, as microscopes, OME and ImageJ spell the unit.

    Raises:
        ValueError: Unknown unit.
    """
    name = unit.strip()
    for sign in _MICRO_SIGNS:
        name = name.replace(sign, "u")
    name = name if len(name) <= 2 else name.lower()  # short units keep their case: Mm is not mm
    if name not in _UM_PER_UNIT:
        raise ValueError(f"unknown unit of length {name[:20]!r}")
    return _UM_PER_UNIT[name]
