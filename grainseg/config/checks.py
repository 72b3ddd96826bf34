"""Rules for single values, each in one place, with the error that names the rule."""

import math
from collections.abc import Mapping, Sequence

from grainseg.errors import GrainsegError
from grainseg.micrograph.scale.pixel_limits import MAX_PIXEL_UM, MIN_PIXEL_UM

MAX_LABEL_OFFSET_PX = 4.0
"""Largest offset of labels from their pictures; labels that lie farther off belong to another field."""
STRIDE = 32
"""Largest output stride of the networks: patches, tiles and paddings are multiples of it."""
MAX_TILE_PX = 2**14
"""Largest edge of a patch or tile in px: no memory holds more."""
SYMMETRIES: Mapping[str, int] = {"none": 1, "d4": 8}
"""Number of views of a picture by test-time augmentation: as it is, or all its flips and quarter turns."""
MAX_DECODER_WIDTH = 1024
MAX_SHRINK = 8
"""Largest factor of shrinking; beyond it a patch of the default size covers more than 1280 px."""
MAX_FACTOR = 10.0
"""Largest factor by which a picture is resampled for a network; beyond it, the unit is most likely wrong."""
ACCELERATORS = ("auto", "cpu", "gpu", "mps")

TILE_RULE = f"must be a positive multiple of {STRIDE}, the stride of the networks, up to {MAX_TILE_PX}"


def legal_tiles(tile_size: int, overlap: int) -> bool:
    """Whether tiles of whole-image prediction can have this edge length and overlap, both in px."""
    legal = 0 < tile_size <= MAX_TILE_PX and tile_size % STRIDE == 0
    return legal and 0 <= overlap <= tile_size - STRIDE


def legal_decoder_width(width: int | None) -> bool:
    """Whether the widest decoder stage can have this many channels; None leaves it to the library."""
    return width is None or (16 <= width <= MAX_DECODER_WIDTH and width % 16 == 0)


def require(condition: bool, key: str, rule: str, value: object) -> None:
    """Raise a GrainsegError that names the key, its value and the rule, unless the condition holds."""
    if not condition:
        raise GrainsegError(f"{key}={value}: {rule}")


def check_one_of(key: str, value: str, allowed: Sequence[str]) -> None:
    """Raise a GrainsegError unless the value is among the allowed ones."""
    require(value in allowed, key, f"must be one of {', '.join(allowed)}", value)


def check_fraction(key: str, value: float) -> None:
    """Raise a GrainsegError unless the value lies in [0, 1]."""
    require(0 <= value <= 1, key, "must lie between 0 and 1", value)


def check_positive(key: str, value: float) -> None:
    """Raise a GrainsegError unless the value is above 0 and finite."""
    require(value > 0, key, "must be positive", value)
    require(math.isfinite(value), key, "must be finite", value)


def check_not_negative(key: str, value: float) -> None:
    """Raise a GrainsegError unless the value is 0 or more and finite."""
    require(0 <= value < math.inf, key, "must be 0 or more, and finite", value)


def check_seed(key: str, value: int) -> None:
    """Raise a GrainsegError unless the value is an unsigned 32-bit integer."""
    require(0 <= value < 2**32, key, "must be a whole number from 0 to 2**32 - 1", value)


def check_accelerator(key: str, value: str) -> None:
    """Raise a GrainsegError unless the value is among ``ACCELERATORS``."""
    check_one_of(key, value, ACCELERATORS)


def check_pixel_size(key: str, value: object) -> None:
    """Raise a GrainsegError unless a pixel size is null, or one or two numbers of µm in the allowed range."""
    sizes = value if isinstance(value, list) and len(value) == 2 else [value]
    legal = value is None or all(_number(size, MIN_PIXEL_UM, MAX_PIXEL_UM) for size in sizes)
    rule = f"must be {MIN_PIXEL_UM:g} to {MAX_PIXEL_UM:g} µm per px, a number or [row,column]"
    require(legal, key, rule, value)


def check_scale(key: str, value: object, names: Sequence[str]) -> None:
    """Raise a GrainsegError unless a scale is null, a name or a factor up to ``MAX_FACTOR`` either way."""
    legal = value is None or value in names or _number(value, 1 / MAX_FACTOR, MAX_FACTOR)
    rule = f"must be null, {', '.join(names)} or a factor from {1 / MAX_FACTOR:g} to {MAX_FACTOR:g}"
    require(legal, key, rule, value)


def check_label_offset(key: str, value: object) -> None:
    """Raise a GrainsegError unless an offset is null, auto or two numbers within ±``MAX_LABEL_OFFSET_PX``."""
    two = (
        isinstance(value, list)
        and len(value) == 2
        and all(_number(px, -MAX_LABEL_OFFSET_PX, MAX_LABEL_OFFSET_PX) for px in value)
    )
    rule = f"must be null, auto or [down,right] in px, each within ±{MAX_LABEL_OFFSET_PX:g}"
    require(value in (None, "auto") or two, key, rule, value)


def check_shrink(key: str, value: object) -> None:
    """Raise a GrainsegError unless a factor is auto or a whole number from 1 to ``MAX_SHRINK``."""
    legal = value == "auto" or (_number(value, 1, MAX_SHRINK) and isinstance(value, int))
    require(legal, key, f"must be auto or a whole number from 1 (as they are) to {MAX_SHRINK}", value)


def check_crop(key: str, value: object) -> None:
    """Raise a GrainsegError unless a crop is null, auto or four whole numbers of 0 or more."""
    four = (
        isinstance(value, list)
        and len(value) == 4
        and all(_number(px, 0, math.inf) and isinstance(px, int) for px in value)
    )
    require(
        value in (None, "auto") or four, key, "must be null, auto or [top,bottom,left,right] in px", value
    )


def _number(value: object, low: float, high: float) -> bool:
    """Whether a value is a number in the range; YAML's true and false are numbers in Python, but not here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
