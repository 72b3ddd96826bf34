"""Generate one micrograph of the wide range from a seed."""

from dataclasses import dataclass

import numpy as np

from grainseg.micrograph.drawing import GrainMap
from grainseg.micrograph.image import FloatImage, Label
from grainseg.micrograph.wide.damage import damage
from grainseg.micrograph.wide.draw import draw
from grainseg.micrograph.wide.etching import etch
from grainseg.micrograph.wide.instrument import photograph
from grainseg.micrograph.wide.recipe import WIDE, WideRecipe
from grainseg.micrograph.wide.regions import nearest_cracks
from grainseg.micrograph.wide.structure import grow, label
from grainseg.micrograph.wide.surface import grain_surface


@dataclass(frozen=True)
class WideMicrograph:
    """A picture and its ground truth.

    Attributes:
        pixels: (H, W) float32 in [0, 1], rounded to the 256 values that an 8-bit file can hold.
        grains: (H, W) int32 grain numbers 1..N; 0 in a second phase that the recipe fills.
        label: (H, W) uint8 boundary codes: closed lines, also where the boundary is invisible.
        knobs: Values drawn, by the names of `WideRecipe`; 0 for properties that this picture lacks.
    """

    pixels: FloatImage
    grains: GrainMap
    label: Label
    knobs: dict[str, float | str]


def generate_wide(seed: int, shape: tuple[int, int], recipe: WideRecipe = WIDE) -> WideMicrograph:
    """Generate a section and its micrograph.

    The same seed gives the same picture on one machine; floating-point results of another machine may differ.

    Args:
        seed: Not negative.
        shape: Height and width in px.
        recipe: Ranges of the properties that are drawn. Twins and second phase in the label do not change
            the picture.

    Returns:
        The picture with its ground truth.
    """
    # One random stream per stage: its draws do not depend on how many the other stages make.
    of_recipe, of_structure, of_surface, of_etching, of_damage, of_instrument = (
        np.random.default_rng([seed, 2, stage]) for stage in range(6)
    )
    drawn = draw(recipe, of_recipe)
    structure = grow(drawn, shape, recipe.line_width_px, of_structure)
    cracks = nearest_cracks(structure.regions)
    surface = grain_surface(structure, drawn, of_surface)
    surface = etch(surface, structure, cracks, drawn, of_etching)
    surface = damage(surface, cracks, drawn, of_damage)
    pixels = photograph(surface, drawn, of_instrument)
    grains, lines = label(structure, recipe.line_width_px, recipe.label_twins, recipe.label_second_phase)
    return WideMicrograph(pixels, grains, lines, drawn.knobs())
