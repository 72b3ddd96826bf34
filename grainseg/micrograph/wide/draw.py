"""Draw the properties of one picture from the ranges of a recipe, such that its grains remain visible."""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from grainseg.micrograph.wide.recipe import Contrast, Polarity, Range, Sometimes, Topology, WideRecipe, ranges

_Choice = TypeVar("_Choice")

_SHARE_OF_STRENGTH = {
    "striation": 0.6,
    "texture": 0.4,
    "mottle": 0.5,
    "slope": 0.5,
    "haze": 1.2,
    "charging": 1.5,
    "read_noise": 0.35,
    "line_noise": 0.6,
    "screen": 0.5,
}
"""Largest values of properties that may hide the grains, as shares of `Drawn.strength`."""
_SHOT_NOISE = 0.35  # largest shot noise, as a share of the strength
_SHARE_OF_SIZE = {
    "softness_px": 1 / 12,
    "defocus_px": 1 / 12,
    "astigmatism_px": 1 / 8,
    "groove_width_px": 1 / 4,
    "groove_double_px": 1 / 4,
    "groove_ragged_px": 1 / 12,
    "striation_period_px": 1 / 5,
}
"""Largest lengths of properties that may hide the grains, as shares of `Drawn.finest_px`."""


@dataclass(frozen=True)
class Drawn:
    """One draw from a recipe.

    Attributes:
        values: Values drawn, by the names of their ranges; 0 for properties that this picture lacks.
        topology: One of the recipe's topologies.
        contrast: One of the recipe's contrasts.
        polarity: One of the recipe's groove polarities.
    """

    values: dict[str, float]
    topology: Topology
    contrast: Contrast
    polarity: Polarity

    def __getitem__(self, name: str) -> float:
        return self.values[name]

    @property
    def has_grooves(self) -> bool:
        """Whether boundaries show as lines."""
        return self.contrast in ("groove", "both")

    @property
    def has_greys(self) -> bool:
        """Whether the grains' greys differ by orientation."""
        return self.contrast in ("orientation", "both")

    @property
    def strength(self) -> float:
        """Approximate difference in grey between grains: grain contrast, depth of the grooves or texture."""
        if self.contrast == "texture":
            return self["texture_contrast"]
        groove = (1 - 0.6 * self["under_etching"]) * self["groove_depth"]
        groove *= self["brightness"] if self.polarity == "dark" else 1 - self["brightness"]
        return max(self["grain_contrast"] * self.has_greys, groove * self.has_grooves)

    @property
    def finest_px(self) -> float:
        """Size of the smaller kind of grain, or width of elongated ones."""
        narrower = {
            "lognormal": 1.0,
            "duplex": self["duplex_ratio"],
            "elongated": math.sqrt(self["elongation"]),
        }
        return self["grain_px"] / narrower[self.topology]

    def knobs(self) -> dict[str, float | str]:
        """Return the drawn values by name, without those that this topology and contrast do not use."""
        idle = {name for name in self.values if name.startswith("groove_") and not self.has_grooves}
        idle |= set() if self.has_greys else {"grain_contrast", "softness_px"}
        idle |= set() if self.contrast == "groove" else {"residual_contrast"}
        idle |= {"striation"} if self.contrast == "texture" else {"texture_contrast"}
        idle |= set() if self.topology == "duplex" else {"duplex_ratio", "duplex_share"}
        idle |= set() if self.topology == "elongated" else {"elongation"}
        idle |= set() if self.has_grooves else {"unetched", "over_etching", "under_etching"}
        chosen: dict[str, float | str] = {"topology": self.topology, "contrast": self.contrast}
        if self.has_grooves:
            chosen["polarity"] = self.polarity
        return {**chosen, **{name: value for name, value in self.values.items() if name not in idle}}


def draw(recipe: WideRecipe, rng: np.random.Generator) -> Drawn:
    """Draw one picture's properties.

    Args:
        recipe: The ranges.
        rng: Random generator; a property gets the same random numbers whatever the ranges of the others are.
    """
    values = {}
    for name, allowed in ranges(recipe).items():
        present, position = rng.random(2)
        low, high = allowed[-2:]
        share = allowed[0] if len(allowed) == 3 else 1.0
        values[name] = _between(low, high, position) if present < share else 0.0
    drawn = Drawn(
        values,
        topology=_one_of(recipe.topologies, rng),
        contrast=_one_of(recipe.contrasts, rng),
        polarity=_one_of(recipe.groove_polarities, rng),
    )
    _keep_brightness_in_reach(drawn, recipe)
    _keep_visible(drawn, recipe)
    return drawn


def _one_of(options: tuple[_Choice, ...], rng: np.random.Generator) -> _Choice:
    return options[int(rng.random() * len(options))]


def _keep_brightness_in_reach(drawn: Drawn, recipe: WideRecipe) -> None:
    """Leave room above and below the mean grey for the grains' contrast, as far as the recipe allows."""
    if drawn.contrast == "groove":
        least, most = (0.0, 1.0) if drawn.polarity == "dark" else (0.0, 0.5)
    else:
        room = 2 * drawn.strength
        least, most = room, 1 - room
    low, high = recipe.brightness
    drawn.values["brightness"] = min(max(drawn["brightness"], min(least, high)), max(most, low))
    if not drawn.has_grooves:
        drawn.values["saturation"] = _at_most(drawn["saturation"], 0.3, recipe.saturation)


def _keep_visible(drawn: Drawn, recipe: WideRecipe) -> None:
    """Reduce, in place, the values that would hide the grains completely, but none below its range.

    Nobody labels a picture in which nothing is visible, and a network learns nothing from it. The shares were
    chosen by eye.
    """
    strength, size = drawn.strength, drawn.finest_px
    limits = {name: share * strength for name, share in _SHARE_OF_STRENGTH.items()}
    limits |= {name: share * size for name, share in _SHARE_OF_SIZE.items()}
    limits["striation_period_px"] = max(limits["striation_period_px"], 2.5)
    for name, limit in limits.items():
        drawn.values[name] = _at_most(drawn[name], limit, getattr(recipe, name))
    needed = drawn["brightness"] / (_SHOT_NOISE * strength) ** 2 if strength > 0 else 0.0
    drawn.values["electrons"] = max(drawn["electrons"], min(needed, recipe.electrons[1]))


def _at_most(value: float, limit: float, allowed: Range | Sometimes) -> float:
    """Reduce a value to a limit, but not below the lowest value of its range; 0 stays 0."""
    return min(value, max(limit, allowed[-2])) if value > 0 else value


def _between(low: float, high: float, position: float) -> float:
    """Return the value at a position 0-1 in a range, logarithmically if it spans more than a factor of 4."""
    if low > 0 and high > 4 * low:
        return float(low * (high / low) ** position)
    return float(low + position * (high - low))
