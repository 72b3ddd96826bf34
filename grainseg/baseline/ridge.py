"""The classical pipeline: ridges and edges, a watershed over them, and the strong lines of the watershed.

The response to a line (largest eigenvalue of the Hessian, Sato et al. 1998, Med. Image Anal. 2:143) and to a
step (gradient), both normalised by scale as in Lindeberg 1998 (IJCV 30:117), form a relief whose
watershed (Beucher & Lantuéjoul 1979) is a net of closed lines. The strength of a border between two basins is
the mean response along it; weak borders are removed, as in the oriented watershed transform (Arbeláez et al.
2011, IEEE TPAMI 33:898). The remaining borders are drawn as wide as the lines of the labels.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_gradient_magnitude, label, maximum_filter, minimum_filter
from skimage.filters import sato
from skimage.morphology import h_minima
from skimage.segmentation import watershed

from grainseg.baseline.drawing import draw_values, drawing_radius_px
from grainseg.baseline.fields import TrainingField, flatten, mean_grain_px
from grainseg.grains.scoring.agreement import PixelScores, pixel_scores
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE, BoolMask, FloatImage
from grainseg.micrograph.morphology import near

log = logging.getLogger(__name__)

SCALES_PX = (1.0, 1.5, 2.5, 4.0)
EDGE_WEIGHTS = (0.0, 0.5, 1.0)
DEPTHS = (0.05, 0.1, 0.2)
STRENGTHS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)

_POLARITY_SCALE_PX = 1.5
_FULL_PERCENTILE = 99.0
_LEVELS = 255
_SHARPNESS = 4  # of the transition from no boundary to boundary around the strength threshold


@dataclass(frozen=True)
class RidgeSettings:
    """Settings of the classical pipeline.

    Attributes:
        grain_px: Grain diameter in px, the scale at which `flatten` removes uneven illumination.
        dark: Whether boundary lines are darker than grains.
        scale_px: Standard deviation of the filters in px.
        edge_weight: Weight of steps against lines, in [0, 1].
        depth: Least depth of a dip of the response that makes a basin.
        strength: Borders with a mean response above this are boundary.
        radius_px: Radius in px about a line of 1 px that gives the labels' line width.
    """

    grain_px: float
    dark: bool
    scale_px: float
    edge_weight: float
    depth: float
    strength: float
    radius_px: float


@dataclass(frozen=True)
class RidgeScore:
    """Score of settings on the training pictures.

    Attributes:
        iou: IoU over all pixels of the pictures.
        count_error: Magnitude of the relative error of the number of grains.
    """

    iou: float
    count_error: float

    @property
    def objective(self) -> float:
        """Value that tuning maximises: it rewards lines in the right place and the right number of grains."""
        return self.iou - self.count_error


@dataclass(frozen=True)
class WatershedLines:
    """The net of lines of a watershed.

    Attributes:
        line: (H, W), true on lines of 1 px.
        strength: (H, W) float32, mean response of the border to which a line pixel belongs; 0 elsewhere.
    """

    line: BoolMask
    strength: FloatImage


def tune_ridge(fields: Sequence[TrainingField]) -> tuple[RidgeSettings, RidgeScore]:
    """Find the settings that score best on labelled pictures, by trying all settings of a grid.

    Args:
        fields: At least one, each with boundary in its label.

    Returns:
        The settings, and their score on these pictures.
    """
    grain_px = mean_grain_px(fields)
    radius_px = drawing_radius_px([field.label for field in fields])
    flat = [flatten(field.unit, grain_px) for field in fields]
    dark = boundaries_are_dark(flat, fields)
    best: tuple[RidgeSettings, RidgeScore] | None = None
    for settings, nets in _candidates(flat, grain_px, dark, radius_px):
        score = _score(nets, fields, settings)
        if best is None or score.objective > best[1].objective:
            best = settings, score
    assert best is not None
    log.info(
        "ridge: IoU %.3f, grain count error %.3f on the training images", best[1].iou, best[1].count_error
    )
    return best


def ridge_probability(unit: FloatImage, settings: RidgeSettings) -> FloatImage:
    """Boundary map of a picture.

    Args:
        unit: (H, W) float32 in [0, 1], see ``to_unit_range``.
        settings: Settings from `tune_ridge`.

    Returns:
        (H, W) float32 in [0, 1]: 0 away from all lines, above 0.5 where a border is stronger than
        ``settings.strength``.
    """
    flat = flatten(unit, settings.grain_px)
    net = watershed_lines(
        line_response(flat, settings.scale_px, settings.edge_weight, settings.dark), settings.depth
    )
    over = (net.strength / np.float32(settings.strength)) ** _SHARPNESS
    return draw_values(net.line, over / (1 + over), settings.radius_px)


def boundaries_are_dark(flat: Sequence[FloatImage], fields: Sequence[TrainingField]) -> bool:
    """Whether labelled lines have more contrast as dark ridges than as bright ones, in standard deviations.

    Args:
        flat: Pictures of the fields, from `flatten`.
        fields: Fields with the labels, in the same order.
    """

    def contrast(dark: bool) -> float:
        return sum(
            _contrast(line_response(levels, _POLARITY_SCALE_PX, 0.0, dark), field)
            for levels, field in zip(flat, fields, strict=True)
        )

    return contrast(True) >= contrast(False)


def line_response(flat: FloatImage, scale_px: float, edge_weight: float, dark: bool) -> FloatImage:
    """How much a pixel looks like a boundary: a line or, with an edge weight above 0, a step.

    Args:
        flat: (H, W) float32 from `flatten`.
        scale_px: Standard deviation of the filters in px.
        edge_weight: Weight of steps.
        dark: Whether lines are dark.

    Returns:
        (H, W) float32 in [0, 1]; 1 at and above the 99th percentile of the picture's response.
    """
    response = np.asarray(sato(flat, sigmas=[scale_px], black_ridges=dark))
    if edge_weight:
        edge = edge_weight * scale_px * gaussian_gradient_magnitude(flat, scale_px)
        response = np.maximum(response, edge)
    full = float(np.percentile(response, _FULL_PERCENTILE))
    if full <= 0:
        return np.zeros(flat.shape, np.float32)
    return np.clip(response / full, 0, 1).astype(np.float32)


def watershed_lines(response: FloatImage, depth: float) -> WatershedLines:
    """Cut a field along the crests of its response.

    Args:
        response: (H, W) float32 in [0, 1].
        depth: Dips shallower than this make no basin of their own.

    Returns:
        The lines; none if there is only one basin.
    """
    relief = np.rint(response * _LEVELS).astype(np.uint8)
    dips = h_minima(relief, max(1, round(depth * _LEVELS)))
    basins = np.asarray(watershed(relief, label(dips)[0], watershed_line=True))
    line = basins == 0
    strength = np.zeros(response.shape, np.float32)
    if line.all() or not line.any():  # a picture of one grey level
        return WatershedLines(np.zeros_like(line), strength)
    largest = np.iinfo(basins.dtype).max
    low = minimum_filter(np.where(line, largest, basins), 3)[line].astype(np.int64)
    high = maximum_filter(basins, 3)[line].astype(np.int64)
    _, border = np.unique(low * (int(basins.max()) + 1) + high, return_inverse=True)
    means = np.bincount(border, response[line]) / np.bincount(border)
    strength[line] = means[border]
    return WatershedLines(line, strength)


def _contrast(response: FloatImage, field: TrainingField) -> float:
    spread = float(response.std())
    on, off = (response[field.label == code] for code in (BOUNDARY, GRAIN))
    return float(on.mean() - off.mean()) / spread if spread else 0.0


def _candidates(
    flat: Sequence[FloatImage], grain_px: float, dark: bool, radius_px: float
) -> Iterator[tuple[RidgeSettings, list[WatershedLines]]]:
    """Yield all settings of the grid with their nets of lines, strong and weak ones."""
    for scale_px, edge_weight in product(SCALES_PX, EDGE_WEIGHTS):
        responses = [line_response(levels, scale_px, edge_weight, dark) for levels in flat]
        for depth in DEPTHS:
            nets = [watershed_lines(response, depth) for response in responses]
            for strength in STRENGTHS:
                yield (
                    RidgeSettings(grain_px, dark, scale_px, edge_weight, depth, strength, radius_px),
                    nets,
                )


def _score(
    nets: Sequence[WatershedLines], fields: Sequence[TrainingField], settings: RidgeSettings
) -> RidgeScore:
    pixels, grains = PixelScores(), 0
    for net, field in zip(nets, fields, strict=True):
        strong: npt.NDArray[np.bool_] = net.strength > settings.strength
        pixels = pixels + pixel_scores(near(strong, settings.radius_px), field.label)
        # Ignored pixels count as free of lines; no grain is counted where none is known.
        grains += int(label((~strong | (field.label == IGNORE)) & (field.grain_map > 0))[1])
    wanted = sum(field.grains for field in fields)
    return RidgeScore(pixels.iou, abs(grains / wanted - 1) if wanted else 0.0)
