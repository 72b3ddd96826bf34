"""What of a picture is not measured, and what that means for its grains, its label and its test lines."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from grainseg.grains.measuring.intercepts import mean_intercept_px
from grainseg.micrograph.image import IGNORE, BoolMask, Label
from grainseg.micrograph.sampling import nearest


@dataclass(frozen=True)
class LeftOut:
    """What of a picture is not measured.

    Attributes:
        excluded: (H, W), where there is something else than grains, such as pores: grains end there. None
            where nothing is.
        ignored: (H, W), where nobody judged what is there, such as a scratch: grains and test lines are cut
            as at the picture's border. None where nothing is.
        warnings: Masks that were asked for and are not there, one line each.
    """

    excluded: BoolMask | None = None
    ignored: BoolMask | None = None
    warnings: tuple[str, ...] = ()

    @property
    def mask(self) -> BoolMask | None:
        """(H, W), all that is left out; None where nothing is."""
        if self.excluded is None or self.ignored is None:
            return self.ignored if self.excluded is None else self.excluded
        return self.excluded | self.ignored

    def ignoring(self, also: BoolMask) -> "LeftOut":
        """The same where nobody judged these places either: (H, W)."""
        return replace(self, ignored=also if self.ignored is None else self.ignored | also)

    def window(self, rows: slice, columns: slice) -> "LeftOut":
        """The same of a part of the picture."""
        excluded, ignored = (None if mask is None else mask[rows, columns] for mask in self._masks)
        return LeftOut(excluded, ignored)

    def on_grid(self, shape: tuple[int, int]) -> "LeftOut":
        """The same on another grid over the same field: of each pixel what lies at its middle.

        Args:
            shape: Height and width in px wanted.
        """
        excluded, ignored = (None if mask is None else nearest(mask, shape) for mask in self._masks)
        return LeftOut(excluded, ignored)

    def of_grains(self, grains: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
        """Grain ids without those of what is excluded: (H, W), 0 there."""
        return grains if self.excluded is None else np.where(self.excluded, np.uint32(0), grains)

    def of_label(self, label: Label) -> Label:
        """A label's codes, IGNORE where something is left out: (H, W) uint8."""
        for mask in self._masks:
            if mask is not None:
                label = np.where(mask, np.uint8(IGNORE), label)
        return label

    def mean_intercept_px(self, grains: npt.NDArray[np.uint32]) -> float:
        """Mean lineal intercept of (H, W) grain ids; nan where no boundary is crossed."""
        return mean_intercept_px(self.of_grains(grains), self.ignored)

    @property
    def _masks(self) -> tuple[BoolMask | None, BoolMask | None]:
        return self.excluded, self.ignored


NOTHING_LEFT_OUT = LeftOut()
