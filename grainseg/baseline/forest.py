"""A random forest on filter features, as in Weka's and ilastik's pixel classification.

The features are grey level, gradient and Hessian eigenvalues at five scales (``skimage.feature.
multiscale_basic_features``). The forest (Breiman 2001, Machine Learning 45:5) is that of scikit-learn.
"""

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.feature import multiscale_basic_features

from grainseg.baseline.fields import TrainingField, flatten, mean_grain_px
from grainseg.grains.scoring.agreement import fit_threshold
from grainseg.micrograph.image import BOUNDARY, GRAIN, FloatImage

log = logging.getLogger(__name__)

SIGMA_MIN_PX = 1.0
SIGMA_MAX_PX = 16.0
TREES = 60
TREE_DEPTH = 14
SAMPLED_PX = 48_000
STRIP_PX = 1_000_000
"""Pixels of a strip: twenty features of this many pixels are in memory at once."""

_REACH_PX = math.ceil(4 * SIGMA_MAX_PX) + 4
"""Reach of the features: scipy cuts Gaussians at four standard deviations; differences reach further by a few
px."""


@dataclass(frozen=True)
class BoundaryForest:
    """A fitted forest.

    Attributes:
        forest: scikit-learn's ``RandomForestClassifier``.
        grain_px: Grain diameter in px, the scale at which `flatten` removes uneven illumination.
        operating_point: The forest's vote that becomes a probability of 0.5.
        seed: Seed with which the forest was grown.
    """

    forest: Any
    grain_px: float
    operating_point: float
    seed: int


def fit_forest(fields: Sequence[TrainingField], seed: int = 0) -> BoundaryForest:
    """Grow a forest on equally many boundary and grain pixels of labelled pictures.

    A forest trained on equal numbers of both votes for boundary too often. The operating point corrects this:
    it is the vote with the best IoU on the training pictures, of whose pixels the forest saw only a few.

    Args:
        fields: At least one.
        seed: Determines the sampled pixels and the trees.
    """
    from sklearn.ensemble import RandomForestClassifier  # slow to import, and needed only here

    grain_px = mean_grain_px(fields)
    samples, codes = _sample(fields, grain_px, np.random.default_rng(seed))
    forest = RandomForestClassifier(TREES, max_depth=TREE_DEPTH, random_state=seed, n_jobs=-1)
    forest.fit(samples, codes)
    forest.set_params(n_jobs=1)  # in parallel, trees would be summed in any order, with other rounding
    voted = BoundaryForest(forest, grain_px, 0.5, seed)
    votes = (forest_probability(field.unit, voted) for field in fields)
    operating_point, iou = fit_threshold(votes, [field.label for field in fields])
    log.info("forest: %d pixels, IoU %.3f on the training images", len(codes), iou)
    return BoundaryForest(forest, grain_px, operating_point, seed)


def forest_probability(unit: FloatImage, fitted: BoundaryForest, strip_px: int = STRIP_PX) -> FloatImage:
    """Boundary map of a picture, strip by strip.

    Args:
        unit: (H, W) float32 in [0, 1], see ``to_unit_range``.
        fitted: The forest.
        strip_px: Pixels of a strip; the result does not depend on it.

    Returns:
        (H, W) float32 in [0, 1], above 0.5 where the vote exceeds the operating point.
    """
    vote = np.empty(unit.shape, np.float64)
    for rows, features in feature_strips(flatten(unit, fitted.grain_px), strip_px):
        shape = features.shape[:2]
        votes = fitted.forest.predict_proba(features.reshape(-1, features.shape[2]))
        vote[rows] = votes[:, 1].reshape(shape)
    # Bayes' rule for another share of boundary pixels: the odds are multiplied by a constant.
    point = fitted.operating_point
    shifted = vote * (1 - point) / (vote * (1 - point) + (1 - vote) * point)
    return shifted.astype(np.float32)


def feature_strips(
    flat: FloatImage, strip_px: int = STRIP_PX
) -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:
    """Filter features of a picture, strip by strip; each strip has a margin as wide as the filters reach.

    Args:
        flat: (H, W) float32.
        strip_px: Pixels of a strip.

    Yields:
        The rows of a strip, and their features (rows, W, F) float32.
    """
    height, width = flat.shape
    step = max(1, strip_px // width)
    for top in range(0, height, step):
        bottom = min(top + step, height)
        above, below = max(0, top - _REACH_PX), min(height, bottom + _REACH_PX)
        features = multiscale_basic_features(
            flat[above:below], sigma_min=SIGMA_MIN_PX, sigma_max=SIGMA_MAX_PX
        )
        yield slice(top, bottom), features[top - above : bottom - above]


def _sample(
    fields: Sequence[TrainingField], grain_px: float, random: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Features (N, F) and codes (N,) of pixels drawn at random, equally many per picture and code."""
    each = SAMPLED_PX // (2 * len(fields))
    samples, codes = [], []
    for field in fields:
        chosen = np.zeros(field.label.shape, np.bool_)
        for code in (GRAIN, BOUNDARY):
            of_code = np.flatnonzero(field.label == code)
            chosen.flat[random.choice(of_code, min(each, of_code.size), replace=False)] = True
        for rows, features in feature_strips(flatten(field.unit, grain_px)):
            samples.append(features[chosen[rows]])
            codes.append(field.label[rows][chosen[rows]])
    return np.concatenate(samples), np.concatenate(codes)
