"""Reduced pictures to embed in a report, made one by one as the images are measured.

The micrograph is a lossy WebP. The drawings over it are separate lossless layers that the page lays on top of
each other, so that lines are crisp and the reader can hide them. Colours by size need the sizes of the grains
of all images, so each preview keeps a small compressed map of grain ids until the page is written.
"""

import base64
import io
import math
import zlib
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from grainseg.grains.measuring.intercepts import GrainIds
from grainseg.micrograph.image import BoolMask, FloatImage
from grainseg.micrograph.sampling import nearest
from grainseg.report.pictures.grain_overlay import SizeScale, boundary_layer, size_layer
from grainseg.report.pictures.overlay import Picture, to_display

_LONGEST_PX = 1600
"""Longer side of a picture at most: more than a screen shows of one picture beside its table."""
_SHORTEST_PX = 480
"""Least longer side of a reduced picture, however many pictures there are."""
_ALL_BYTES = 18e6
"""Size of all pictures together; 24 MB in base64, which leaves room for plots and tables below 30 MB."""
_QUALITY = 78
_LINE_PX = 3
_LINES_PX = 1000
"""Grain maps are enlarged to at least this longer side, but at most 4 times, before their boundaries are
drawn: lines are then equally thin and crisp in all pictures."""


@dataclass(frozen=True)
class Preview:
    """One image as the report embeds it.

    Attributes:
        shape: Height and width of the reduced picture in px.
        full_shape: Height and width of the image in px.
        micrograph: The reduced micrograph as WebP.
        boundaries: The boundaries as WebP with transparency.
        grain_ids: zlib-compressed uint32 ids of the reduced grain map, row by row.
        has_closed: Whether it is known which boundaries were closed.
    """

    shape: tuple[int, int]
    full_shape: tuple[int, int]
    micrograph: bytes
    boundaries: bytes
    grain_ids: bytes
    has_closed: bool

    def grains(self) -> npt.NDArray[np.uint32]:
        """The reduced grain map, (H, W)."""
        return np.frombuffer(zlib.decompress(self.grain_ids), np.uint32).reshape(self.shape)


def make_preview(
    pixels: FloatImage, grains: GrainIds, closed: BoolMask | None = None, images: int = 1
) -> Preview:
    """Reduce and encode one image and its partition.

    Args:
        pixels: (H, W) grey or (H, W, 3) RGB, any finite range.
        grains: (H, W) grain ids, 0 where none is counted.
        closed: (H, W), true beside boundaries that the partition closed; None if these are not known.
        images: How many images the report is going to hold: they share 18 MB. More than a few hundred
            pictures exceed this, since none gets smaller than 480 px.

    Returns:
        All data that the page needs of the image's pixels.
    """
    share = _ALL_BYTES / max(images, 1)
    longest = float(_LONGEST_PX)
    while True:
        preview = _reduced(pixels, grains, closed, longest)
        size = len(preview.micrograph) + len(preview.boundaries) + len(preview.grain_ids)
        longest = max(preview.shape) * min(0.9, math.sqrt(share / size))
        if size <= share or max(preview.shape) <= _SHORTEST_PX:
            return preview
        longest = max(longest, _SHORTEST_PX)


def size_layer_webp(
    preview: Preview, ids: npt.NDArray[np.integer], sizes: npt.NDArray[np.float64], scale: SizeScale
) -> bytes:
    """The grains of a preview coloured by size.

    Args:
        preview: A preview of `make_preview`.
        ids: (N,) ids of the measured grains, ascending; other grains have no colour.
        sizes: (N,) sizes of these grains, in the unit of the scale.
        scale: Maps sizes to colours.

    Returns:
        WebP with transparency.
    """
    return _lossless(size_layer(preview.grains(), ids, sizes, scale))


def data_uri(picture: bytes, kind: str = "webp") -> str:
    """A picture as a data URI, so that an HTML page needs no other file to show it."""
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"


def _reduced(pixels: FloatImage, grains: GrainIds, closed: BoolMask | None, longest: float) -> Preview:
    height, width = grains.shape
    zoom = min(1.0, longest / max(height, width))
    rows, columns = max(1, round(height * zoom)), max(1, round(width * zoom))
    small = nearest(grains.astype(np.uint32), (rows, columns))
    # Closed gaps may be one pixel wide: they are widened before sampling, or some would be lost.
    reach = math.ceil(height / rows)
    wide = None if closed is None else cv2.dilate(closed.astype(np.uint8), np.ones((reach, reach), np.uint8))
    shown = cv2.resize(to_display(pixels), (columns, rows), interpolation=cv2.INTER_AREA)
    with io.BytesIO() as buffer:
        Image.fromarray(np.asarray(shown, np.uint8)).save(buffer, "WEBP", quality=_QUALITY, method=4)
        micrograph = buffer.getvalue()
    # Lines are drawn after the reduction, so that they are equally wide in all pictures.
    lines = _lines(small, None if wide is None else nearest(wide, (rows, columns)) > 0)
    return Preview(
        shape=(rows, columns),
        full_shape=(height, width),
        micrograph=micrograph,
        boundaries=_lossless(lines),
        grain_ids=zlib.compress(small.tobytes(), 6),
        has_closed=closed is not None,
    )


def _lines(grains: GrainIds, closed: BoolMask | None) -> Picture:
    fold = min(math.ceil(_LINES_PX / max(grains.shape)), 4)  # few px need no fine lines
    larger = grains.repeat(fold, axis=0).repeat(fold, axis=1)
    marked = None if closed is None else closed.repeat(fold, axis=0).repeat(fold, axis=1)
    return boundary_layer(larger, marked, _LINE_PX)


def _lossless(layer: Picture) -> bytes:
    with io.BytesIO() as buffer:
        Image.fromarray(layer).save(buffer, "WEBP", lossless=True, method=2)
        return buffer.getvalue()
