"""Ranges of all properties that the wide generator varies."""

import math
from dataclasses import dataclass, fields
from typing import Literal

from grainseg.errors import GrainsegError

Range = tuple[float, float]
"""Lowest and highest value of a property that every picture has."""

Topology = Literal["lognormal", "duplex", "elongated"]
Contrast = Literal["orientation", "groove", "both", "texture"]
Polarity = Literal["dark", "bright"]
SecondPhase = Literal["grain", "filled", "unlabelled"]


Sometimes = tuple[float, float, float]
"""Range of a property that only some pictures have: share of the pictures, lowest and highest value."""

NEVER: Sometimes = (0.0, 0.0, 0.0)
"""Range of a property that no picture has; its value is then 0."""


@dataclass(frozen=True)
class WideRecipe:
    """Ranges that the properties of each picture are drawn from.

    Greys are shares of full scale. Names that end in ``_px`` are lengths in px. Properties that span more
    than a factor of four are drawn uniformly on a logarithmic scale, the others uniformly. A choice repeated
    in a tuple is drawn more often. The same seed draws a property with the same random numbers whatever the
    ranges of the others are. Values that would hide the grains completely are then reduced, but not below
    their range.

    Attributes:
        line_width_px: Width of the boundary lines in the label.
        label_twins: Whether the label draws twin boundaries; ASTM E112, as summarised in public literature
            (the standard's text was not consulted), does not count them.
        label_second_phase: How the label shows the second phase: as grains of its own; filled with the
            boundary code (grain 0); or unlabelled, where the boundaries of the matrix continue below it.
        topologies: Log-normal grain sizes; two populations; grains stretched in one direction.
        contrasts: What distinguishes grains: grey by orientation; etched grooves; both; texture alone.
        groove_polarities: Grooves darker or brighter than the grains.

        grain_px: Equivalent circle diameter of the grains (of the coarse ones where there are two kinds).
        sigma_ln: Standard deviation of the logarithm of that diameter, before the shapes increase it.
        relaxation: 0 leaves the random arrangement of the grains irregular, 1 evens it out.
        lobing: How far grains depart from convex polygons, 0-1.
        curvature: Bending of the sides, as a share of the grain size.
        duplex_ratio: Ratio of coarse to fine diameter.
        duplex_share: Share of the area assigned to the coarse population.
        elongation: Ratio of length to width.
        ragged: Displacement of ragged, irregular boundaries as a share of the grain size.
        enclosed: Area share of small grains within larger ones.
        twins: Share of the grains that have one to three twin lamellae.
        second_phase: Area share of islands of a second phase.
        second_phase_px: Size of these islands.
        second_phase_grey: Their grey minus that of the matrix.

        brightness: Mean grey of the grains.
        grain_contrast: Standard deviation of grey from grain to grain, where orientation shows.
        residual_contrast: The same where only grooves show; it is 0 where only texture shows.
        softness_px: Blur of the steps of grey between grains.
        slope: Standard deviation of the change of grey across a grain.
        texture: Standard deviation of the isotropic texture that all grains have.
        texture_px: Length scale of that texture.
        texture_contrast: Standard deviation of the texture that differs from grain to grain in direction,
            period, amplitude and kind, where only texture distinguishes the grains.
        striation: The same in pictures with another contrast.
        striation_period_px: Period of the streaks of that texture.
        mottle: Standard deviation of irregular patches within grains.
        haze: Amplitude of a smooth veil over many grains.

        groove_depth: Median darkening at the middle of a groove, as a share of the grey there.
        groove_spread_ln: Standard deviation of its logarithm from boundary to boundary.
        groove_width_px: Median full width at half depth.
        groove_width_spread_ln: Standard deviation of its logarithm, between boundaries and along them.
        unetched: Share of the boundaries without a groove.
        groove_broken: Share of their length where grooves are interrupted.
        groove_double_px: Distance between the two lines of double grooves.
        groove_ragged_px: Unevenness of the edges of grooves.
        groove_wavering_ln: Standard deviation of the logarithm of the depth along a groove.
        groove_swollen: Extra width of grooves where they are etched out, as a multiple of their width.
        relief: Brightness of the slopes between grains of different height, lit from one side.
        over_etching: 0-1: grooves wider and pitted along their sides, grains darker.
        under_etching: 0-1: grooves shallower and many of them missing.

        pits_per_mpx: Small dark or bright spots per 10⁶ px; at a few of them, larger ones with a sharp edge.
        boundary_pits_per_mpx: Small spots along the boundaries per 10⁶ px.
        pores: Area share of pores.
        scratches_per_mpx: Scratches per 10⁶ px: short, from edge to edge, curved, parallel.
        stains: Amplitude of stains with a visible edge.

        illumination: Relative change of the light from side to side.
        vignette: Relative fall of the light towards the corners.
        gamma: Exponent of the tone curve.
        defocus_px: Standard deviation of the blur.
        astigmatism_px: Standard deviation of a further blur in one direction.
        electrons: Signal at full scale in counts; it sets the Poisson part of the noise.
        read_noise: Standard deviation of the Gaussian part of the noise.
        noise_px: Blur of the noise, as after demosaicing and resampling.
        sharpening: Strength of an unsharp mask applied to picture and noise.
        line_noise: Standard deviation of the offset of a scan line.
        charging: Amplitude of bright and dark streaks along the scan lines.
        screen: Amplitude of a fine periodic pattern over the whole picture.
        seams: Step of brightness between stitched fields.
        saturation: Share of the pixels that are saturated to white (with bright grooves: to black).
        jpeg_quality: Quality of JPEG compression applied to the picture, 1-100.

    Raises:
        GrainsegError: The lowest value of a range is above its highest, a range has invalid values, or a
            choice is unknown.
    """

    line_width_px: int = 3
    label_twins: bool = False
    label_second_phase: SecondPhase = "grain"
    topologies: tuple[Topology, ...] = ("lognormal", "lognormal", "duplex", "elongated")
    contrasts: tuple[Contrast, ...] = ("orientation", "groove", "groove", "both", "texture")
    groove_polarities: tuple[Polarity, ...] = ("dark", "dark", "dark", "bright")

    grain_px: Range = (8.0, 150.0)
    sigma_ln: Range = (0.1, 0.6)
    relaxation: Range = (0.0, 1.0)
    lobing: Range = (0.0, 1.0)
    curvature: Range = (0.0, 0.45)
    duplex_ratio: Range = (2.0, 5.0)
    duplex_share: Range = (0.2, 0.7)
    elongation: Range = (1.5, 5.0)
    ragged: Sometimes = (0.4, 0.02, 0.15)
    enclosed: Sometimes = (0.35, 0.01, 0.08)
    twins: Sometimes = (0.2, 0.1, 0.7)
    second_phase: Sometimes = (0.25, 0.005, 0.12)
    second_phase_px: Range = (4.0, 24.0)
    second_phase_grey: Range = (-0.5, 0.4)

    brightness: Range = (0.25, 0.97)
    grain_contrast: Range = (0.03, 0.18)
    residual_contrast: Range = (0.0, 0.02)
    softness_px: Range = (0.0, 1.5)
    slope: Range = (0.0, 0.05)
    texture: Range = (0.0, 0.04)
    texture_px: Range = (0.6, 4.0)
    texture_contrast: Range = (0.04, 0.14)
    striation: Sometimes = (0.4, 0.01, 0.05)
    striation_period_px: Range = (2.5, 12.0)
    mottle: Sometimes = (0.4, 0.01, 0.05)
    haze: Sometimes = (0.4, 0.01, 0.1)

    groove_depth: Range = (0.12, 0.75)
    groove_spread_ln: Range = (0.1, 0.8)
    groove_width_px: Range = (1.0, 5.0)
    groove_width_spread_ln: Range = (0.05, 0.5)
    unetched: Range = (0.0, 0.12)
    groove_broken: Sometimes = (0.3, 0.03, 0.35)
    groove_double_px: Sometimes = (0.12, 2.5, 6.0)
    groove_ragged_px: Sometimes = (0.4, 0.2, 1.5)
    groove_wavering_ln: Range = (0.0, 0.4)
    groove_swollen: Sometimes = (0.35, 0.5, 4.0)
    relief: Sometimes = (0.25, 0.02, 0.15)
    over_etching: Sometimes = (0.2, 0.1, 1.0)
    under_etching: Sometimes = (0.15, 0.1, 0.8)

    pits_per_mpx: Sometimes = (0.7, 100.0, 8000.0)
    boundary_pits_per_mpx: Sometimes = (0.3, 200.0, 5000.0)
    pores: Sometimes = (0.15, 0.001, 0.03)
    scratches_per_mpx: Sometimes = (0.5, 8.0, 400.0)
    stains: Sometimes = (0.2, 0.03, 0.25)

    illumination: Sometimes = (0.6, 0.05, 0.5)
    vignette: Sometimes = (0.3, 0.1, 0.5)
    gamma: Range = (0.6, 1.7)
    defocus_px: Range = (0.3, 1.6)
    astigmatism_px: Sometimes = (0.15, 0.5, 2.0)
    electrons: Range = (60.0, 5000.0)
    read_noise: Range = (0.002, 0.03)
    noise_px: Sometimes = (0.4, 0.4, 1.0)
    sharpening: Sometimes = (0.25, 0.3, 2.5)
    line_noise: Sometimes = (0.15, 0.005, 0.04)
    charging: Sometimes = (0.08, 0.03, 0.2)
    screen: Sometimes = (0.12, 0.01, 0.05)
    seams: Sometimes = (0.08, 0.02, 0.12)
    saturation: Sometimes = (0.25, 0.02, 0.7)
    jpeg_quality: Sometimes = (0.35, 25.0, 95.0)

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            chosen = getattr(self, name)
            chosen = chosen if isinstance(chosen, tuple) else (chosen,)
            if not chosen or not set(chosen) <= set(allowed):
                raise GrainsegError(f"synthetic {name} = {chosen}: give one or more of {', '.join(allowed)}")
        if self.line_width_px < 1:
            raise GrainsegError(f"synthetic line_width_px = {self.line_width_px}: give 1 or more")
        for name, value in ranges(self).items():
            if value == NEVER:
                continue
            count = len(getattr(type(self), name))  # the class attribute is the default
            if len(value) != count:
                form = "lowest and highest value" if count == 2 else "share, lowest and highest value"
                raise GrainsegError(f"synthetic {name} = {tuple(value)}: give {count} numbers: {form}")
            low, high = value[-2:]
            least, most = _LIMITS.get(name, (0.0, math.inf))
            if not (math.isfinite(high) and least <= low <= high <= most):
                raise GrainsegError(
                    f"synthetic {name} = {tuple(value)}: give finite values, the lowest first, from "
                    f"{least:g}" + (" up" if math.isinf(most) else f" to {most:g}")
                )
            if len(value) == 3 and not 0 <= value[0] <= 1:
                raise GrainsegError(f"synthetic {name} = {tuple(value)}: give a share from 0 to 1 first")
        if self.grain_px[0] < 2.5 * self.line_width_px:
            raise GrainsegError(
                f"synthetic grain_px = {self.grain_px}: lines of {self.line_width_px} px need grains of "
                f"{2.5 * self.line_width_px:g} px or more"
            )


_CHOICES = {
    "topologies": ("lognormal", "duplex", "elongated"),
    "contrasts": ("orientation", "groove", "both", "texture"),
    "groove_polarities": ("dark", "bright"),
    "label_second_phase": ("grain", "filled", "unlabelled"),
}
_LIMITS = {
    "sigma_ln": (0.0, 1.0),
    "relaxation": (0.0, 1.0),
    "lobing": (0.0, 1.0),
    "duplex_ratio": (1.0, math.inf),
    "duplex_share": (0.0, 0.95),
    "elongation": (1.0, 20.0),
    "enclosed": (0.0, 0.5),
    "twins": (0.0, 1.0),
    "second_phase": (0.0, 0.5),
    "second_phase_px": (2.0, math.inf),
    "second_phase_grey": (-1.0, 1.0),
    "brightness": (0.01, 1.0),
    "groove_depth": (0.0, 1.0),
    "groove_width_px": (0.1, math.inf),
    "unetched": (0.0, 1.0),
    "groove_broken": (0.0, 1.0),
    "over_etching": (0.0, 1.0),
    "under_etching": (0.0, 1.0),
    "texture_px": (0.3, math.inf),
    "striation_period_px": (1.0, math.inf),
    "pores": (0.0, 0.5),
    "vignette": (0.0, 1.0),
    "illumination": (0.0, 1.0),
    "gamma": (0.1, 10.0),
    "electrons": (1.0, math.inf),
    "saturation": (0.0, 1.0),
    "jpeg_quality": (1.0, 100.0),
}


def ranges(recipe: WideRecipe) -> dict[str, Range | Sometimes]:
    """Return the fields of a recipe that are ranges."""
    return {
        field.name: getattr(recipe, field.name)
        for field in fields(recipe)
        if field.name not in _CHOICES and field.name not in ("line_width_px", "label_twins")
    }


WIDE = WideRecipe()
"""The recipe with the default ranges."""
