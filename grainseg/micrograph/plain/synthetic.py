"""Synthetic micrographs: a picture with the grains and the boundary label that it was made from."""

import math
from dataclasses import dataclass, fields

import numpy as np

from grainseg.errors import GrainsegError
from grainseg.micrograph.drawing import GrainMap, boundary_lines
from grainseg.micrograph.image import FloatImage, Label
from grainseg.micrograph.plain.polycrystal import polycrystal
from grainseg.micrograph.plain.rendering import Appearance, render

Range = tuple[float, float]
"""Lowest and highest value; each picture draws a value between them, uniformly."""


@dataclass(frozen=True)
class SyntheticRecipe:
    """Ranges that the properties of one picture are drawn from; the defaults give fields of one specimen.

    Its grains are those of an etched single-phase metal: sd(ln d) of 0.4-0.55, some neighbours of nearly the
    same grey, boundaries from deep grooves to invisible ones. Light, focus and etching vary mildly from field
    to field. Wider ranges give domain randomisation.

    Properties that are also attributes of `Appearance` are described there.

    Attributes:
        mean_grain_px: Mean equivalent circle diameter in px, as `polycrystal` takes it.
        sigma_ln: Spread of the logarithm of the grain size, as `polycrystal` takes it.
        line_width_px: Width of the boundary lines in the label in px.
        pixel_size_um: µm per px.

    Raises:
        GrainsegError: The lowest value of a range is above its highest, or the range has invalid values.
    """

    mean_grain_px: Range = (46.0, 46.0)
    sigma_ln: Range = (0.42, 0.42)
    line_width_px: int = 3
    pixel_size_um: float = 0.5
    brightness: Range = (0.62, 0.78)
    grain_contrast: Range = (0.035, 0.07)
    grey_slope: Range = (0.01, 0.02)
    texture: Range = (0.022, 0.034)
    striation: Range = (0.015, 0.03)
    groove_depth: Range = (0.18, 0.32)
    groove_spread_ln: Range = (0.75, 0.75)
    unetched_share: Range = (0.08, 0.12)
    relief: Range = (0.02, 0.07)
    pits_per_mpx: Range = (2000.0, 4500.0)
    scratches_per_mpx: Range = (12.0, 40.0)
    illumination: Range = (0.1, 0.35)
    defocus_px: Range = (0.6, 1.1)
    noise: Range = (0.014, 0.026)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = value if isinstance(value, tuple) else (value, value)
            least = _LEAST.get(field.name, 0.0)
            if not (math.isfinite(high) and least <= low <= high):
                raise GrainsegError(f"synthetic {field.name} = {value}: give finite values from {least:g} up")
        if self.sigma_ln[1] > 0.6:
            raise GrainsegError(f"synthetic sigma_ln = {self.sigma_ln}: give values up to 0.6")
        if self.mean_grain_px[0] < 4 * self.line_width_px:
            raise GrainsegError(
                f"synthetic mean_grain_px = {self.mean_grain_px}: lines of {self.line_width_px} px need "
                f"grains of {4 * self.line_width_px} px or more"
            )


_LEAST = {
    "line_width_px": 1,
    "pixel_size_um": 1e-6,
    "brightness": 0.01,
    "groove_depth": -1.0,  # bright boundaries
}

ONE_SPECIMEN = SyntheticRecipe()


@dataclass(frozen=True)
class SyntheticMicrograph:
    """A picture and its ground truth.

    Attributes:
        pixels: (H, W) float32 in [0, 1], rounded to the 256 values that an 8-bit file can hold.
        grains: (H, W) int32 grain numbers 1..N; each grain is 4-connected.
        label: (H, W) uint8 boundary codes: closed lines of the recipe's width on the cracks between the
            grains. The 4-connected pieces of GRAIN correspond to the N grains.
        pixel_size_um: µm per px.
    """

    pixels: FloatImage
    grains: GrainMap
    label: Label
    pixel_size_um: float


def generate(
    seed: int, shape: tuple[int, int], recipe: SyntheticRecipe = ONE_SPECIMEN
) -> SyntheticMicrograph:
    """Generate a grain structure and its micrograph.

    Grains and label are the same on every machine; with the same numpy and scipy, the picture is the same to
    within one grey level.

    Args:
        seed: Not negative.
        shape: Height and width in px.
        recipe: Ranges of the properties that are drawn.

    Returns:
        The picture with its ground truth.
    """
    rng = np.random.default_rng([seed, 1])  # polycrystal draws from [seed, 0]
    mean_grain_px, sigma_ln = rng.uniform(*recipe.mean_grain_px), rng.uniform(*recipe.sigma_ln)
    appearance = Appearance(**{f.name: rng.uniform(*getattr(recipe, f.name)) for f in fields(Appearance)})
    grains = polycrystal(seed, shape, mean_grain_px, sigma_ln, recipe.line_width_px)
    return SyntheticMicrograph(
        pixels=render(grains, appearance, rng),
        grains=grains,
        label=boundary_lines(grains, recipe.line_width_px),
        pixel_size_um=recipe.pixel_size_um,
    )
