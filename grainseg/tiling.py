"""Whole-image prediction in tiles: where the tiles lie, how they blend, how they are put together.

A network sees zeros beyond its input's border, so its output near a tile's side differs from its output on
the whole image. Each tile therefore drops its outermost `halo` px on sides that lie inside the image. If
the halo is at least the radius of the network's receptive field, and the network's output shifts with its
input on a grid of `stride` px, the stitched map equals the whole-image pass.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class AxisPlan:
    """The tiles along one axis of the padded image.

    Attributes:
        length: Length of the image in px.
        padded: Length after padding in px, a multiple of the stride.
        tile: Length of each tile in px, at most `padded`.
        origins: First pixel of each tile, ascending.
        ramp: Length in px over which one tile fades into the next, at least 1: pixel centres lie half a pixel
            from a cut between two pixels, so a ramp of 1 is a hard cut.
    """

    length: int
    padded: int
    tile: int
    origins: tuple[int, ...]
    ramp: int

    def weights(self) -> FloatArray:
        """Share of each tile in the result.

        The share of all tiles from k on rises from 0 to 1 as a raised cosine in the middle of the overlap of
        tiles k-1 and k; a tile's own share is the difference of two neighbouring such steps. All steps have
        one shape, so the shares are never negative, and they telescope: their sum is 1 at each pixel, however
        many tiles meet there and wherever the last tile was clamped to.

        Returns:
            (tiles, tile) float32 in [0, 1].
        """
        origins = np.asarray(self.origins)
        middles = (origins[1:] + origins[:-1] + self.tile) / 2
        pixels = origins[:, None] + np.arange(self.tile) + 0.5
        # Nothing precedes the first tile or follows the last: they keep their share up to the border.
        begun = _raised_cosine((pixels - np.array([-np.inf, *middles])[:, None]) / self.ramp)
        ended = _raised_cosine((pixels - np.array([*middles, np.inf])[:, None]) / self.ramp)
        return (begun - ended).astype(np.float32)


@dataclass(frozen=True)
class TilePlan:
    """The tiles of one image; every tile has the same shape."""

    rows: AxisPlan
    columns: AxisPlan

    @property
    def tile_shape(self) -> tuple[int, int]:
        """Height and width of each tile in px."""
        return self.rows.tile, self.columns.tile

    def pad(self, image: FloatArray) -> FloatArray:
        """Extend an image at the bottom and the right by its mirror image.

        Args:
            image: (C, H, W).

        Returns:
            (C, padded height, padded width).
        """
        below = self.rows.padded - self.rows.length
        right = self.columns.padded - self.columns.length
        # "symmetric" repeats the mirroring as often as needed, also for an image of one pixel.
        return np.pad(image, ((0, 0), (0, below), (0, right)), mode="symmetric")


def grid_origins(length: int, tile: int, overlap: int, stride: int = 1) -> list[int]:
    """First pixels of tiles that cover an axis, neighbours sharing at least `overlap` px.

    Args:
        length: Length of the axis in px. If it is at most `tile`, there is one tile, at 0.
        tile: Length of a tile in px.
        overlap: Least number of px that neighbours share.
        stride: The step from tile to tile is a multiple of it. The last tile ends with the axis, so its
            origin is one too if `length` and `tile` are.

    Returns:
        Ascending origins, the first 0, the last `length - tile` (or 0).

    Raises:
        ValueError: If `overlap` is negative or leaves no positive step.
    """
    step = (tile - overlap) // stride * stride
    if overlap < 0 or step < 1:
        raise ValueError(f"overlap {overlap} must lie in 0…{tile - stride} for tiles of {tile} px")
    last = max(length - tile, 0)
    return [*range(0, last, step), last]


def plan_tiles(shape: tuple[int, int], tile: int, overlap: int, halo: int, stride: int) -> TilePlan:
    """Lay tiles over an image.

    Args:
        shape: Height and width of the image in px, each at least 1.
        tile: Side of a tile in px, a multiple of `stride`. Where the padded image is shorter, the tile is as
            long as the padded image.
        overlap: Least number of px that neighbours share, at least `2 * halo`; px beyond that are blended.
        halo: Width in px of the rim that is dropped on each side of a tile that lies inside the image.
        stride: Grid in px on which the network's output shifts with its input; origins and the sides of the
            padded image are multiples of it.

    Raises:
        ValueError: If `tile`, `overlap`, `halo` and `stride` break these rules.
    """
    if tile < stride or tile % stride or overlap < 2 * halo:
        raise ValueError(
            f"tiles of {tile} px must be a positive multiple of the stride {stride}, "
            f"and overlap {overlap} at least twice the halo {halo}"
        )
    rows, columns = (_plan_axis(length, tile, overlap, halo, stride) for length in shape)
    return TilePlan(rows, columns)


def stitch(image: FloatArray, plan: TilePlan, predict: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Predict an image tile by tile.

    Holds the padded image, the result and one tile in memory.

    Args:
        image: (C, H, W), with the H and W for which the plan was made.
        plan: The tiles.
        predict: Maps a tile (C, h, w) to (h, w); h and w are the plan's tile shape.

    Returns:
        (H, W) float32; each pixel is the weighted mean of the tiles that cover it.

    Raises:
        ValueError: If the image or an output of `predict` does not have the shape of the plan.
    """
    shape = (plan.rows.length, plan.columns.length)
    if image.shape[1:] != shape:
        raise ValueError(f"the plan is for an image of {shape}, not {image.shape[1:]}")
    padded = plan.pad(image)
    height, width = plan.tile_shape
    rows = zip(plan.rows.origins, plan.rows.weights(), strict=True)
    columns = zip(plan.columns.origins, plan.columns.weights(), strict=True)
    result = np.zeros(shape, np.float32)
    for (top, down), (left, across) in product(rows, columns):
        answer = predict(np.ascontiguousarray(padded[:, top : top + height, left : left + width]))
        if answer.shape != (height, width):
            raise ValueError(f"predict returned {answer.shape} for {(height, width)}")
        # The slice ends with the image, so the part of a tile in the padding is cut off here.
        target = result[top : top + height, left : left + width]
        weighted = answer * down[:, None] * across
        target += weighted[: target.shape[0], : target.shape[1]]
    return result


def _raised_cosine(phase: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """0 up to a phase of -1/2, 1 from 1/2 on, half a period of a cosine between."""
    return (1 - np.cos(np.pi * np.clip(phase + 0.5, 0, 1))) / 2


def _plan_axis(length: int, tile: int, overlap: int, halo: int, stride: int) -> AxisPlan:
    padded = math.ceil(length / stride) * stride
    origins = tuple(grid_origins(padded, tile, overlap, stride))
    return AxisPlan(length, padded, min(tile, padded), origins, max(overlap - 2 * halo, 1))
