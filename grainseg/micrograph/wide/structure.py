"""The polished section: cells, enclosed grains, twins, a second phase; and its label."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from grainseg.micrograph.drawing import GrainMap, boundary_lines, crack_pixels
from grainseg.micrograph.image import BOUNDARY, FloatImage, Label
from grainseg.micrograph.wide.cells import cells
from grainseg.micrograph.wide.draw import Drawn
from grainseg.micrograph.wide.lines import pieces_between, visible_grains, without_slivers
from grainseg.micrograph.wide.noise import blobs, blur, pixel_positions
from grainseg.micrograph.wide.recipe import SecondPhase

_Mask = npt.NDArray[np.bool_]

_BANDS = 3  # largest number of twin lamellae in one grain


@dataclass(frozen=True)
class Structure:
    """The section as the microscope sees it, before a labelling policy decides what counts as a boundary.

    Attributes:
        matrix: (H, W) int32 numbers 1..N of the grains, which continue below the second phase.
        twinned: (H, W) bool, True inside a twin lamella of the pixel's grain.
        phase: (H, W) bool, True in the second phase.
    """

    matrix: GrainMap
    twinned: _Mask
    phase: _Mask

    @property
    def regions(self) -> GrainMap:
        """(H, W) int32: 1..N for the grains, N + 1..2N for their twins, 2N + 1 for the second phase."""
        count = int(self.matrix.max())
        regions: GrainMap = self.matrix + np.int32(count) * self.twinned
        regions[self.phase] = 2 * count + 1
        return regions


def grow(drawn: Drawn, shape: tuple[int, int], line_width_px: int, rng: np.random.Generator) -> Structure:
    """Generate a section. It does not depend on the labelling policy.

    Args:
        drawn: Topology and its properties.
        shape: Height and width in px.
        line_width_px: Width of the label's lines; grains that they would hide are left out.
        rng: Random generator.
    """
    matrix = cells(drawn, shape, rng)
    matrix = without_slivers(matrix, min(0.07 * drawn["grain_px"], 4.0))
    if drawn["enclosed"] > 0:
        size_px = max(0.3 * drawn["grain_px"], 4.0 * line_width_px)
        inside = blobs(shape, size_px, drawn["enclosed"], rng, _beside_boundaries(matrix, size_px, rng))
        _, islands = cv2.connectedComponents(inside.view(np.uint8), connectivity=4)
        matrix = np.where(inside, matrix.max() + islands, matrix).astype(np.int32)
    matrix = visible_grains(matrix, line_width_px, _smallest(line_width_px))
    phase = np.zeros(shape, np.bool_)
    if drawn["second_phase"] > 0:
        size_px = drawn["second_phase_px"]
        phase = blobs(shape, size_px, drawn["second_phase"], rng, _beside_boundaries(matrix, size_px, rng))
    return Structure(matrix, _twins(matrix, drawn["twins"], line_width_px, rng), phase)


def label(
    structure: Structure, line_width_px: int, label_twins: bool, second_phase: SecondPhase
) -> tuple[GrainMap, Label]:
    """Derive grain map and label of a section under a labelling policy.

    Args:
        structure: The section.
        line_width_px: Width of the lines in px.
        label_twins: Whether a twin is a grain of its own.
        second_phase: See `WideRecipe.label_second_phase`.

    Returns:
        (H, W) int32 grain numbers, 0 in a second phase that is filled; (H, W) uint8 codes.
    """
    count = int(structure.matrix.max())
    base = structure.matrix + np.int32(count) * structure.twinned if label_twins else structure.matrix
    if second_phase == "grain":
        base = np.where(structure.phase, np.int32(2 * count + 1), base)
    grains = visible_grains(base, line_width_px, _smallest(line_width_px))
    lines = boundary_lines(grains, line_width_px)
    if second_phase == "filled" and structure.phase.any():
        lines[structure.phase] = BOUNDARY
        grains = pieces_between(lines, _smallest(line_width_px))
        grains[structure.phase] = 0
    return grains, lines


def _smallest(line_width_px: int) -> int:
    """Return the smallest area in px² that a grain must show between its lines."""
    return line_width_px**2


def _beside_boundaries(matrix: GrainMap, size_px: float, rng: np.random.Generator) -> FloatImage:
    """Make a field that is high at boundaries, highest where they meet, scaled by a random factor (or 0)."""
    near = blur(crack_pixels(matrix).astype(np.float32), 0.3 * size_px)
    favour: FloatImage = near * (rng.choice([0.0, 1.0, 3.0]) / max(float(near.std()), 1e-6))
    return favour


def _twins(matrix: GrainMap, share: float, line_width_px: int, rng: np.random.Generator) -> _Mask:
    """Draw one to three straight parallel lamellae in each of a share of the grains."""
    count = int(matrix.max())
    if share == 0:
        return np.zeros(matrix.shape, np.bool_)
    angle = rng.uniform(0, math.pi, count + 1)
    y, x = pixel_positions(matrix.shape)
    across = np.cos(angle).astype(np.float32)[matrix] * x + np.sin(angle).astype(np.float32)[matrix] * y
    area = np.maximum(np.bincount(matrix.ravel(), minlength=count + 1), 1)
    middle = np.bincount(matrix.ravel(), across.ravel(), minlength=count + 1) / area
    size = 2 * np.sqrt(area / math.pi)
    bands = np.where(rng.random(count + 1) < share, rng.integers(1, _BANDS + 1, count + 1), 0)
    twinned = np.zeros(matrix.shape, np.bool_)
    for band in range(_BANDS):
        half = np.maximum(rng.uniform(0.03, 0.18, count + 1) * size, line_width_px / 2 + 1.5)
        # Skip a lamella that would take most of a small grain.
        half[(bands <= band) | (half > 0.25 * size)] = -1
        at = middle + rng.uniform(-0.4, 0.4, count + 1) * size
        twinned |= abs(across - at.astype(np.float32)[matrix]) < half.astype(np.float32)[matrix]
    return twinned
