"""Whether a data bar was left in a picture: letters would count as boundaries, their ground as a grain."""

import numpy as np
import numpy.typing as npt

from grainseg.micrograph.image import FloatImage

_ALIKE = 0.02
"""Of the unit range: compressed files scatter about the ground of a bar."""
_GROUND = 0.4
"""Share of a row of the bar that shows its ground, at least; letters and scale hide the rest."""
_LETTERS = 3
"""Rows in a row that may show less: the edge of a frame, or a scale from side to side."""
_LEAST_PX, _LEAST, _MOST = 8, 0.02, 0.3
"""Least height in px, least and greatest share of the picture's height."""
_ELSEWHERE = 0.15
"""Mean share of the other rows that have this grey level by themselves, at most."""
_COLUMNS = 1024


def bar_warnings(unit: FloatImage) -> tuple[str, ...]:
    """Say that the lowest or the uppermost rows look like a data bar.

    Args:
        unit: (H, W, C) float32 in the unit range.

    Returns:
        One line for each; none for a picture without.
    """
    grey = unit.mean(axis=2)[:, :: max(1, unit.shape[1] // _COLUMNS)]
    bottom, top = _bar_height(grey[::-1]), _bar_height(grey)
    if not (bottom or top):
        return ()
    where = " and ".join(
        f"{which} {height}" for which, height in (("uppermost", top), ("lowest", bottom)) if height
    )
    return (
        f"its {where} rows are mostly of one grey level, as those of a data bar are: if they are one, cut it "
        f"with crop=[{top},{bottom},0,0], or it counts as grains",
    )


def _bar_height(grey: npt.NDArray[np.floating]) -> int:
    """Rows of a bar that begins with the first row; 0 where there is none."""
    level = np.median(grey[0])
    share = np.mean(np.abs(grey - level) <= _ALIKE, axis=1)
    height = lacking = 0
    for row, enough in enumerate(share >= _GROUND, start=1):
        lacking = 0 if enough else lacking + 1
        if lacking > _LETTERS:
            break
        height = row if enough else height
    if not max(_LEAST_PX, _LEAST * len(grey)) <= height <= _MOST * len(grey):
        return 0
    return height if share[height:].mean() <= _ELSEWHERE else 0
