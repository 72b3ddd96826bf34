"""Patches cut from a micrograph by one interpolation for crop, flip, rotation, scale and elastic warp.

Albumentations would interpolate the label once per transform, and scaling would widen the lines. Here the
picture is sampled once, and the label is redrawn from its signed distance with its own line width.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from grainseg.config import AugmentConfig
from grainseg.data.images import LabelledMicrograph
from grainseg.data.line_field import CORE_SLACK_PX, CORE_STEPS, LineField
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE, FloatImage, Label

ELASTIC_NODES = 5
"""Control points of the elastic warp along each axis of a patch."""

Coordinates = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Geometry:
    """Position and transform of a patch.

    Attributes:
        centre: Row and column of the patch's centre in the image, in px.
        angle: Rotation in radians.
        scale: Magnification; above 1 the grains appear larger in the patch.
        flip: Whether the patch is mirrored.
        elastic: (2, n, n) displacements in patch px at the control points, or None.
    """

    centre: tuple[float, float]
    angle: float = 0.0
    scale: float = 1.0
    flip: bool = False
    elastic: Coordinates | None = None


def draw_geometry(
    rng: np.random.Generator,
    config: AugmentConfig,
    shape: tuple[int, int],
    size: int,
    origin: tuple[int, int] | None = None,
) -> Geometry:
    """Draw the geometry of one patch.

    Args:
        rng: Source of randomness.
        config: Ranges of the augmentation.
        shape: Height and width of the image in px.
        size: Edge length of the patch in px.
        origin: Upper left corner of a patch of a fixed grid; None draws the position at random, too.
    """
    scale = float(np.exp(rng.uniform(np.log(config.scale_min), np.log(config.scale_max))))
    elastic = None
    if config.elastic_px > 0:
        strength = config.elastic_px * rng.uniform()
        elastic = (strength * rng.standard_normal((2, ELASTIC_NODES, ELASTIC_NODES))).astype(np.float32)
    return Geometry(
        centre=_draw_centre(rng, shape, size, scale, origin),
        angle=float(np.deg2rad(rng.uniform(-config.rotate_deg, config.rotate_deg))),
        scale=scale,
        flip=bool(config.flip and rng.uniform() < 0.5),
        elastic=elastic,
    )


def _draw_centre(
    rng: np.random.Generator,
    shape: tuple[int, int],
    size: int,
    scale: float,
    origin: tuple[int, int] | None,
) -> tuple[float, float]:
    if origin is not None:
        # An image smaller than the patch is centred in it, here and below.
        first = [
            (length - size) // 2 if length < size else at for at, length in zip(origin, shape, strict=True)
        ]
        return first[0] + (size - 1) / 2, first[1] + (size - 1) / 2
    extent = int(np.ceil(size / scale))  # the patch's edge in image px
    free = [max(0, length - extent) for length in shape]
    corner = [int(rng.integers(0, room + 1)) for room in free]
    corner = [
        (length - extent) // 2 if room == 0 else at
        for length, room, at in zip(shape, free, corner, strict=True)
    ]
    return corner[0] + (extent - 1) / 2, corner[1] + (extent - 1) / 2


def source_coordinates(geometry: Geometry, size: int) -> tuple[Coordinates, Coordinates]:
    """Compute the rows and columns in the image of the patch's pixels, each (size, size) float32."""
    axis = np.arange(size, dtype=np.float64) - (size - 1) / 2
    rows, columns = np.meshgrid(axis, axis, indexing="ij")
    if geometry.elastic is not None:
        warp = [cv2.resize(plane, (size, size), interpolation=cv2.INTER_CUBIC) for plane in geometry.elastic]
        rows, columns = rows + warp[0], columns + warp[1]
    if geometry.flip:
        columns = -columns
    cosine, sine = np.cos(geometry.angle), np.sin(geometry.angle)
    source_rows = geometry.centre[0] + (cosine * rows - sine * columns) / geometry.scale
    source_columns = geometry.centre[1] + (sine * rows + cosine * columns) / geometry.scale
    return source_rows.astype(np.float32), source_columns.astype(np.float32)


def cut_patch(
    image: LabelledMicrograph, lines: LineField, geometry: Geometry, size: int
) -> tuple[FloatImage, Label]:
    """Sample picture and label of one patch.

    Lines of the label's mean width w keep this width under the magnification s: a point at distance d outside
    the line's edge is d + w/2 from its middle, which becomes s(d + w/2) in the patch. It belongs to the line
    if that is at most w/2, that is, if d <= (w/2)(1/s - 1). A line of another width v becomes w + s(v - w)
    wide. If this would cut into the core of a magnified line (``LineField``), the line is drawn as wide as
    its core.

    The label is shifted by its offset to where the picture shows the boundaries.

    Args:
        image: Picture and label.
        lines: ``line_field`` of the label.
        geometry: Position and transform of the patch.
        size: Edge length of the patch in px.

    Returns:
        (size, size, C) float32 in [0, 1], and (size, size) uint8 codes, with IGNORE beyond the picture's
        or the label's edge and at ignored pixels.
    """
    rows, columns = source_coordinates(geometry, size)
    down, right = (np.float32(px) for px in image.label_offset_px)
    outside = _outside(rows, columns, image.shape) | _outside(rows + down, columns + right, image.shape)
    # Only the part of the image that the patch needs: remap accepts no image with a side above 32 767 px.
    reach = 2 + int(np.ceil(max(abs(down), abs(right))))
    window = (_part(rows, reach, image.shape[0]), _part(columns, reach, image.shape[1]))
    at = (columns - window[1].start, rows - window[0].start)
    labelled_at = (at[0] + right, at[1] + down)

    pixels = np.clip(_sample(image.unit[window], at, cv2.INTER_CUBIC), 0, 1)
    field = _sample(lines.distance[window].astype(np.float32), labelled_at, cv2.INTER_LINEAR)
    ignored = _sample((image.label[window] == IGNORE).astype(np.float32), labelled_at, cv2.INTER_NEAREST)
    edge = np.asarray(image.line_width_px / 2 * (1 / geometry.scale - 1))
    if geometry.scale > 1:  # the edge moves inwards, at most to the core: very thin lines would vanish
        core = _sample(lines.core[window].astype(np.float32), labelled_at, cv2.INTER_NEAREST) / CORE_STEPS
        edge = np.where(edge < -core - np.minimum(core, CORE_SLACK_PX / 2), -core, edge)
    label = np.where(field <= edge, BOUNDARY, GRAIN).astype(np.uint8)
    label[(ignored > 0) | outside] = IGNORE
    return pixels.reshape(size, size, -1), label


def _part(at: Coordinates, reach: int, length: int) -> slice:
    """Return the pixels of an axis that are sampled, at least two: with fewer, cubic remap never returns."""
    first = min(max(0, int(at.min()) - reach), length - 2)
    return slice(first, max(first + 2, int(at.max()) + reach + 2))


def _outside(rows: Coordinates, columns: Coordinates, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    height, width = shape
    return np.asarray(
        (rows < -0.5) | (rows > height - 0.5) | (columns < -0.5) | (columns > width - 0.5), np.bool_
    )


def _sample(plane: FloatImage, at: tuple[Coordinates, Coordinates], interpolation: int) -> FloatImage:
    sampled = cv2.remap(plane, at[0], at[1], interpolation, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(sampled, dtype=np.float32)
