"""The ranges of the synthetic stream; ``grainseg.micrograph.wide.recipe`` says what each means."""

from dataclasses import dataclass


@dataclass
class RecipeConfig:
    """Lowest and highest value of each property, or the share of pictures that have it before these two."""

    line_width_px: int
    label_twins: bool
    label_second_phase: str
    topologies: list[str]
    contrasts: list[str]
    groove_polarities: list[str]

    grain_px: list[float]
    sigma_ln: list[float]
    relaxation: list[float]
    lobing: list[float]
    curvature: list[float]
    duplex_ratio: list[float]
    duplex_share: list[float]
    elongation: list[float]
    ragged: list[float]
    enclosed: list[float]
    twins: list[float]
    second_phase: list[float]
    second_phase_px: list[float]
    second_phase_grey: list[float]

    brightness: list[float]
    grain_contrast: list[float]
    residual_contrast: list[float]
    softness_px: list[float]
    slope: list[float]
    texture: list[float]
    texture_px: list[float]
    texture_contrast: list[float]
    striation: list[float]
    striation_period_px: list[float]
    mottle: list[float]
    haze: list[float]

    groove_depth: list[float]
    groove_spread_ln: list[float]
    groove_width_px: list[float]
    groove_width_spread_ln: list[float]
    unetched: list[float]
    groove_broken: list[float]
    groove_double_px: list[float]
    groove_ragged_px: list[float]
    groove_wavering_ln: list[float]
    groove_swollen: list[float]
    relief: list[float]
    over_etching: list[float]
    under_etching: list[float]

    pits_per_mpx: list[float]
    boundary_pits_per_mpx: list[float]
    pores: list[float]
    scratches_per_mpx: list[float]
    stains: list[float]

    illumination: list[float]
    vignette: list[float]
    gamma: list[float]
    defocus_px: list[float]
    astigmatism_px: list[float]
    electrons: list[float]
    read_noise: list[float]
    noise_px: list[float]
    sharpening: list[float]
    line_noise: list[float]
    charging: list[float]
    screen: list[float]
    seams: list[float]
    saturation: list[float]
    jpeg_quality: list[float]
