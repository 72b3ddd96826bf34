"""Areas of a picture that are not measured, and how they change its grains, its label and its test lines."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from grainseg.grains.measuring.intercepts import mean_intercept_px
from grainseg.micrograph.image import IGNORE, BoolMask, Label
from grainseg.micrograph.sampling import nearest


@dataclass(frozen=True)
class LeftOut:
    """Areas of a picture that are not measured.

    Attributes:
        excluded: (H, W), true where there is something other than grains, such as pores: grains end there.
            None if there is no such area.
        ignored: (H, W), true where the picture is not judged, such as at a scratch: grains and test lines are
            cut as at the picture's border. None if there is no such area.
        warnings: Masks that were requested but do not exist, one line each.
    """

    excluded: BoolMask | None = None
    ignored: BoolMask | None = None
    warnings: tuple[str, ...] = ()

    @property
    def mask(self) -> BoolMask | None:
        """(H, W), true in all areas that are left out; None if there is none."""
        if self.excluded is None or self.ignored is None:
            return self.ignored if self.excluded is None else self.excluded
        return self.excluded | self.ignored

    def ignoring(self, also: BoolMask) -> "LeftOut":
        """Copy in which the places of another mask, (H, W), are ignored as well."""
        return replace(self, ignored=also if self.ignored is None else self.ignored | also)

    def window(self, rows: slice, columns: slice) -> "LeftOut":
        """Copy for a part of the picture, without the warnings."""
        excluded, ignored = (None if mask is None else mask[rows, columns] for mask in self._masks)
        return LeftOut(excluded, ignored)

    def on_grid(self, shape: tuple[int, int]) -> "LeftOut":
        """Copy on another grid over the same field, without the warnings; pixels are sampled at their middle.

        Args:
            shape: Height and width of the new grid in px.
        """
        excluded, ignored = (None if mask is None else nearest(mask, shape) for mask in self._masks)
        return LeftOut(excluded, ignored)

    def of_grains(self, grains: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """Grain ids with 0 in excluded areas: (H, W)."""
        return grains if self.excluded is None else np.where(self.excluded, np.uint32(0), grains)

    def of_label(self, label: Label) -> Label:
        """A label's codes with IGNORE in all areas that are left out: (H, W) uint8."""
        for mask in self._masks:
            if mask is not None:
                label = np.where(mask, np.uint8(IGNORE), label)
        return label

    def mean_intercept_px(self, grains: npt.NDArray[np.uint32]) -> float:
        """Mean lineal intercept in px of (H, W) grain ids; nan where no boundary is crossed."""
        return mean_intercept_px(self.of_grains(grains), self.ignored)

    @property
    def _masks(self) -> tuple[BoolMask | None, BoolMask | None]:
        return self.excluded, self.ignored


NOTHING_LEFT_OUT = LeftOut()
