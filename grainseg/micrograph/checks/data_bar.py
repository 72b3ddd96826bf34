"""Warn of a data bar left in a picture: letters would count as boundaries, their background as a grain."""

import numpy as np
import numpy.typing as npt

from grainseg.micrograph.crop import NO_CROP, Crop
from grainseg.micrograph.image import BoolMask, FloatImage

_ALIKE = 0.02
"""Largest difference from the background of a bar, in the unit range: compressed files scatter about it."""
_GROUND = 0.4
"""Smallest share of background in a row of the bar; letters and scale hide the rest."""
_LETTERS = 3
"""Consecutive rows that may show less background: the edge of a frame, or a scale from side to side."""
_EDGE = 6
_WITHIN, _BEYOND, _APART = 0.7, 0.15, 0.06
"""Thresholds over ``_EDGE`` rows for the sharp end of a bar, which neither a shading nor a large grain has:
least median share of background within the bar, greatest mean share beyond it, and least median difference
from the background beyond it, in the unit range."""
_LEAST_PX, _LEAST, _MOST = 8, 0.02, 0.3
"""Least height of a bar in px, and its least and greatest share of the picture's height."""
_COLUMNS = 1024


def bar_warnings(
    unit: FloatImage, left_out: BoolMask | None = None, crop: Crop = NO_CROP, key: str = "crop"
) -> tuple[str, ...]:
    """Warn if the lowest or the uppermost rows look like a data bar.

    Args:
        unit: (H, W, C) float32 in the unit range.
        left_out: (H, W) bool, pixels that are not measured anyway.
        crop: What was already cut from the picture.
        key: Name of the crop setting, for the message.

    Returns:
        One line; none for a picture without a data bar.
    """
    step = max(1, unit.shape[1] // _COLUMNS)
    grey = unit[:, ::step].mean(axis=2)
    if left_out is not None:
        grey = np.where(left_out[:, ::step], np.nan, grey)
    top, bottom = _bar_height(grey), _bar_height(grey[::-1])
    if not (bottom or top):
        return ()
    heights = (("uppermost", top), ("lowest", bottom))
    where = " and ".join(f"{which} {height}" for which, height in heights if height)
    cut = f"[{crop.top + top},{crop.bottom + bottom},{crop.left},{crop.right}]"
    return (
        f"its {where} rows are mostly of one grey level, as those of a data bar are: if they are one, cut it "
        f"with {key}={cut}, or it counts as grains",
    )


def _bar_height(grey: npt.NDArray[np.floating]) -> int:
    """Height in rows of a bar at the top of (H, W), which is NaN where left out; 0 if there is none."""
    with np.errstate(invalid="ignore"):
        # The background is the median of several rows, since the first one may be a frame.
        away = np.abs(grey - np.median(grey[:_LEAST_PX]))
        share = np.mean(away <= _ALIKE, axis=1)
    height = lacking = 0
    for row, enough in enumerate(share >= _GROUND, start=1):
        lacking = 0 if enough else lacking + 1
        if lacking > _LETTERS:
            break
        height = row if enough else height
    if not max(_LEAST_PX, _LEAST * len(grey)) <= height <= _MOST * len(grey):
        return 0
    # One row on either side is skipped: the frame of a bar, or the smoothing of a compressed file.
    within, beyond = slice(height - _EDGE - 1, height - 1), slice(height + 1, height + 1 + _EDGE)
    ends = np.median(share[within]) >= _WITHIN and share[beyond].mean() <= _BEYOND
    return height if ends and np.median(away[beyond]) >= _APART else 0
