"""Render the picture that a light microscope takes of a polished and etched section with known grains.

Grey values here are shares of full scale before exposure. The steps follow the physical order: grains, their
texture, the etched grooves, damage, light, lens, camera.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from grainseg.micrograph.arrays import Ints
from grainseg.micrograph.drawing import GrainMap
from grainseg.micrograph.image import FloatImage

_Image = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Appearance:
    """Properties of the look of one picture.

    Attributes:
        brightness: Mean grey value of the grains, on a full scale of 1.
        grain_contrast: Standard deviation of the grey value from grain to grain. With N(0, σ) greys, a
            share erf(t / 2σ) of the pairs of neighbours differ by less than t.
        grey_slope: Standard deviation of the change of grey across one grain diameter.
        texture: Standard deviation of the fine and of the coarse texture within a grain.
        striation: Standard deviation of the parallel streaks in the third of the grains that has them.
        groove_depth: Median darkening at the middle of an etched boundary; negative makes it bright.
        groove_spread_ln: Standard deviation of the logarithm of that depth, from boundary to boundary.
        unetched_share: Share of the pairs of neighbours that the etch left without a groove (low-angle
            boundaries); where their greys coincide as well, the boundary is invisible.
        relief: Brightness of the slope between two grains whose etched heights differ by one standard
            deviation, for a slope that faces the light.
        pits_per_mpx: Etch pits, inclusions and pores per 10⁶ px.
        scratches_per_mpx: Straight scratches and short curved false boundaries, each, per 10⁶ px.
        illumination: Approximate relative fall of the light over the field.
        defocus_px: Standard deviation of the blur in px.
        noise: Standard deviation of the camera noise at the brightness of the grains.
    """

    brightness: float
    grain_contrast: float
    grey_slope: float
    texture: float
    striation: float
    groove_depth: float
    groove_spread_ln: float
    unetched_share: float
    relief: float
    pits_per_mpx: float
    scratches_per_mpx: float
    illumination: float
    defocus_px: float
    noise: float


def render(grains: GrainMap, appearance: Appearance, rng: np.random.Generator) -> FloatImage:
    """Render a grain structure as a micrograph.

    The last bits depend on the floating-point code of the libraries: two machines with the same numpy and
    scipy agree to within one grey level.

    Args:
        grains: (H, W) grain numbers 1..N.
        appearance: Properties of the look of the picture.
        rng: Source of randomness for everything that the appearance leaves open.

    Returns:
        (H, W) float32 in [0, 1], rounded to the 256 values that an 8-bit file can hold.
    """
    surface = appearance.brightness + _grain_greys(grains, appearance, rng)
    surface += _texture(grains, appearance, rng)
    surface -= _grooves(grains, appearance, rng)
    surface += _relief(grains, appearance, rng)
    surface -= _pits(grains.shape, appearance, rng)
    surface -= _scratches(grains.shape, appearance, rng)
    surface *= _illumination(grains.shape, appearance, rng)
    return _expose(ndimage.gaussian_filter(surface, appearance.defocus_px), appearance, rng)


def _smooth_noise(shape: tuple[int, ...], sigma_px: float, rng: np.random.Generator) -> _Image:
    """Draw Gaussian noise, blurred by sigma_px and scaled to mean 0 and standard deviation 1."""
    noise = ndimage.gaussian_filter(rng.standard_normal(shape), sigma_px, mode="wrap")
    standard: _Image = (noise - noise.mean()) / noise.std()
    return standard


def _per_grain(grains: GrainMap, values: npt.NDArray[np.float64]) -> _Image:
    """Paint each grain 1..N with its value: (H, W)."""
    return np.append(0.0, values)[grains]


def _grain_greys(grains: GrainMap, appearance: Appearance, rng: np.random.Generator) -> _Image:
    """Give each grain a grey for its orientation and a slight slope across it (strain, a tilted facet)."""
    count = int(grains.max())
    grey = _per_grain(grains, appearance.grain_contrast * rng.standard_normal(count))
    diameter = np.sqrt(grains.size / count)
    for position in np.indices(grains.shape):
        slope = _per_grain(grains, appearance.grey_slope / diameter * rng.standard_normal(count))
        centre = ndimage.mean(position, grains, np.arange(1, count + 1))
        grey += slope * (position - _per_grain(grains, np.asarray(centre)))
    return grey


def _texture(grains: GrainMap, appearance: Appearance, rng: np.random.Generator) -> _Image:
    """Draw fine etch texture, stronger in some grains, polishing haze, and streaks in about one in three."""
    count = int(grains.max())
    strength = _per_grain(grains, np.exp(0.35 * rng.standard_normal(count)))
    fine = strength * _smooth_noise(grains.shape, 0.9, rng)
    coarse = _smooth_noise(grains.shape, 7.0, rng)
    return appearance.texture * (0.8 * fine + 0.6 * coarse) + _striation(grains, appearance, rng)


def _striation(grains: GrainMap, appearance: Appearance, rng: np.random.Generator) -> _Image:
    """Make parallel streaks in one direction per grain: one profile, sampled across that direction."""
    count = int(grains.max())
    angle = rng.uniform(0, np.pi, count)
    strength = np.where(rng.random(count) < 1 / 3, rng.uniform(0.3, 1.5, count), 0.0)
    y, x = np.indices(grains.shape)
    bend = 2.0 * _smooth_noise(grains.shape, 12.0, rng)
    across = _per_grain(grains, np.cos(angle)) * x + _per_grain(grains, np.sin(angle)) * y + bend
    profile = _smooth_noise((1024,), 1.3, rng)
    streaks = np.interp(across % 1023, np.arange(1024), profile)
    return appearance.striation * _per_grain(grains, strength) * streaks


def _grooves(grains: GrainMap, appearance: Appearance, rng: np.random.Generator) -> _Image:
    """Darken the etched boundaries by a Gaussian profile; depth and width are drawn per pair of grains.

    The full width at half maximum is 1-3 px; depth and width also vary along the boundary.
    """
    distance, low, high, pair = _nearest_boundary(grains)
    count = pair.max() + 1
    width_px = rng.uniform(1.0, 3.0, count)[pair] / 2.355
    # A grain that etches easily does so on all its sides: a third of the variance comes from the grains.
    eagerness = rng.standard_normal(int(grains.max()) + 1)
    spread = 0.4 * (eagerness[low] + eagerness[high]) + 0.82 * rng.standard_normal(count)[pair]
    etched = (rng.random(count) >= appearance.unetched_share)[pair]
    depth = etched * np.exp(appearance.groove_spread_ln * spread).clip(0, 1.8)
    waver = np.exp(0.3 * _smooth_noise(grains.shape, 6.0, rng))
    profile: _Image = np.exp(-0.5 * (distance / width_px) ** 2 / waver)
    # Blurred, so that depth passes gradually from one boundary to the next where they meet.
    return appearance.groove_depth * ndimage.gaussian_filter(depth, 2.0) * waver * profile


def _nearest_boundary(grains: GrainMap) -> tuple[_Image, Ints, Ints, Ints]:
    """Return the distance in px to the nearest boundary, the numbers of its two grains and of their pair.

    All are (H, W). Without any boundary the distances are infinite.
    """
    height, width = grains.shape
    # On a grid of half pixels, the edges between pixels have cells of their own.
    low, high = np.zeros((2, 2 * height - 1, 2 * width - 1), np.int64)
    for part, first, second in (
        (np.s_[::2, 1::2], grains[:, :-1], grains[:, 1:]),
        (np.s_[1::2, ::2], grains[:-1], grains[1:]),
    ):
        low[part] = np.where(first != second, np.minimum(first, second), 0)
        high[part] = np.where(first != second, np.maximum(first, second), 0)
    if not low.any():
        nowhere = np.zeros(grains.shape, np.int64)
        return np.full(grains.shape, np.inf), nowhere, nowhere, nowhere
    distance, places = ndimage.distance_transform_edt(low == 0, return_indices=True)
    y, x = places[:, ::2, ::2]
    low, high = low[y, x], high[y, x]
    pair = np.unique((low << 32) + high, return_inverse=True)[1].reshape(grains.shape)
    return distance[::2, ::2] / 2, low, high, pair


def _relief(grains: GrainMap, appearance: Appearance, rng: np.random.Generator) -> _Image:
    """Shade slopes between grains etched to different heights, lit from one side: bright or dark flanks."""
    height = _per_grain(grains, rng.standard_normal(int(grains.max())))
    down, across = np.gradient(ndimage.gaussian_filter(height, 1.2))
    light = rng.uniform(0, 2 * np.pi)
    slope: _Image = np.cos(light) * across + np.sin(light) * down
    return appearance.relief * 3 * slope  # a blurred unit step has the slope 1 / (1.2 √2π) = 1/3


def _pits(shape: tuple[int, int], appearance: Appearance, rng: np.random.Generator) -> _Image:
    """Draw dark spots: many small shallow etch pits, some larger ones, a few pores."""
    pits = np.zeros(shape)
    for share, radius_px, darkness in ((0.85, 0.6, 0.25), (0.13, 1.0, 0.4), (0.02, 1.9, 0.55)):
        count = rng.poisson(share * appearance.pits_per_mpx * pits.size / 1e6)
        spots = np.zeros(shape)
        y, x = (rng.integers(0, side, count) for side in shape)
        # A Gaussian of unit sum has the height 1 / (2π r²).
        np.add.at(spots, (y, x), darkness * rng.uniform(0.3, 1.0, count) * 2 * np.pi * radius_px**2)
        pits += ndimage.gaussian_filter(spots, radius_px)
    return pits


def _scratches(shape: tuple[int, int], appearance: Appearance, rng: np.random.Generator) -> _Image:
    """Draw faint straight scratches across the field, and short curved dark lines that are no boundaries."""
    scratches = np.zeros(shape)
    mean_count = appearance.scratches_per_mpx * scratches.size / 1e6
    for longest_px, bend, deepest in ((600.0, 0.0, 0.12), (40.0, 0.02, 0.3)):
        for _ in range(rng.poisson(mean_count)):
            angle, half = rng.uniform(0, np.pi), rng.uniform(0.3, 1.0) * longest_px / 2
            middle = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
            box = tuple(slice(max(0, int(m - half - 16)), int(m + half + 16)) for m in middle)
            part = scratches[box]
            dy, dx = (np.arange(part.shape[axis]) + box[axis].start - middle[axis] for axis in range(2))
            along = np.cos(angle) * dx + np.sin(angle) * dy[:, None]
            across = np.cos(angle) * dy[:, None] - np.sin(angle) * dx + bend * rng.uniform(-1, 1) * along**2
            beyond = np.maximum(abs(along) - half, 0)
            depth, width_px = rng.uniform(0.2, 1.0) * deepest, rng.uniform(0.4, 0.9)
            part += depth * np.exp(-0.5 * (across / width_px) ** 2 - 0.5 * (beyond / 4) ** 2)
    return scratches


def _illumination(shape: tuple[int, int], appearance: Appearance, rng: np.random.Generator) -> _Image:
    """Make a factor on the light: a ramp across the field, and a fall-off from a point near its middle."""
    y, x = (np.linspace(-1, 1, side) for side in shape)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = 0.35 * (np.cos(angle) * x + np.sin(angle) * y[:, None])
    cy, cx = rng.uniform(-0.4, 0.4, 2)
    vignette = 0.3 * ((x - cx) ** 2 + (y[:, None] - cy) ** 2)
    field: _Image = ramp - vignette + 0.2
    return 1 + appearance.illumination * field


def _expose(light: _Image, appearance: Appearance, rng: np.random.Generator) -> FloatImage:
    """Add camera noise, its variance half constant, half proportional to the light; clip; round to 8 bits.

    The Poisson-Gaussian model of A. Foi et al., IEEE Trans. Image Process. 17 (2008) 1737-1754, with the
    Poisson part in its Gaussian limit.
    """
    variance = appearance.noise**2 * (0.5 + 0.5 * light.clip(0, None) / appearance.brightness)
    noisy: _Image = light + np.sqrt(variance) * rng.standard_normal(light.shape)
    levels: _Image = np.rint(255 * noisy.clip(0, 1))
    return (levels / 255).astype(np.float32)
