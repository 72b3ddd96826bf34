"""Faults that the next picture may have: light, focus, noise and more, each weak, middling and strong.

Every corruption is a pure function of a picture in the unit range and a seed. Its strengths are the low end,
the middle and the high end of a range, and each range names its source. A range without a low end of its own
(up to ±40 %) is divided into thirds. A range with the untouched picture in its middle (gain 0.4 to 1.6) is
split into two: darker and brighter. The middle of two strengths is their arithmetic mean; for gamma, noise
and counts, it is their geometric mean.

Training draws its changes elsewhere (``grainseg.data.photometry``, ``grainseg.micrograph.wide``): it uses
other seeds, and generates its noise, texture and light in another way.
"""

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from grainseg.micrograph.arrays import Floats
from grainseg.micrograph.image import FloatImage

LEVELS = ("low", "middle", "high")
ONLY = "only"
"""Level of a corruption that has a single strength, such as an inversion."""

_STREAM = 0xCA2D
"""Part of the seed of the card's random numbers, so that training with the same seed draws others."""
_TEXTURE_PERIODS_PX = (4.0, 12.0)
"""Shortest and longest wavelength: the width of lines and their surroundings, easily taken for a boundary."""
_IMAGENET_C = "severities 1 to 3 of ImageNet-C (Hendrycks & Dietterich 2019, arXiv:1903.12261)"
_OWN = "chosen for this card"


Change = Callable[[FloatImage, float, np.random.Generator], FloatImage]
"""From (H, W, C) float32 in [0, 1], an amount and a random generator to a picture that may leave [0, 1]."""


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of corruption.

    Attributes:
        name: One word, for tables and tags.
        title: Name for people.
        change: Function that applies it.
        amounts: For each variant (an empty name if there is only one), the amounts from low to high, or a
            single one.
        wording: Format string of an amount.
        source: Where the range comes from.
        is_light: Whether it changes the light or the camera's grey scale, which must not look like a change
            of grain size.
    """

    name: str
    title: str
    change: Change
    amounts: dict[str, tuple[float, ...]]
    wording: str
    source: str
    is_light: bool = False

    def titled(self, variant: str) -> str:
        """Kind and variant in words."""
        return f"{self.title}, {variant}" if variant else self.title


@dataclass(frozen=True)
class Corruption:
    """A kind of corruption at one strength.

    Attributes:
        kind: The kind of corruption.
        variant: Side of the untouched picture: "darker", "brighter", or empty if the kind has one variant.
        level: One of `LEVELS`, or `ONLY`.
        amount: Strength, passed to ``kind.change``.
    """

    kind: Kind
    variant: str
    level: str
    amount: float

    @property
    def title(self) -> str:
        """Kind and variant in words."""
        return self.kind.titled(self.variant)

    @property
    def strength(self) -> str:
        """The amount in words."""
        return self.kind.wording.format(self.amount).replace("-", "−")

    def apply(self, picture: FloatImage, seed: int) -> FloatImage:
        """Corrupt a picture, and round it to 256 grey levels as an 8-bit file does.

        Args:
            picture: (H, W, C) float32 in [0, 1].
            seed: Not negative. The levels and variants of a kind share their random numbers, so they differ
                in strength alone.

        Returns:
            (H', W', C) float32, one of 256 values in [0, 1]; only the kinds half and double change the size.
        """
        rng = np.random.default_rng([_STREAM, seed, zlib.crc32(self.kind.name.encode())])
        changed = self.kind.change(picture, self.amount, rng)
        return _levels(changed).astype(np.float32) / np.float32(255)


def to_grid(probability: FloatImage, shape: tuple[int, int]) -> FloatImage:
    """Resample a boundary map that was predicted at another resolution to the label's pixels.

    Both grids cover the same field, so nothing moves. Shrinking averages over pixel areas; enlarging
    interpolates linearly between pixel centres.

    Args:
        probability: (h, w) float32 in [0, 1].
        shape: Height and width of the label.

    Returns:
        (H, W) float32 in [0, 1].
    """
    if probability.shape == shape:
        return probability
    down = probability.shape[0] > shape[0]
    method = cv2.INTER_AREA if down else cv2.INTER_LINEAR
    return np.clip(cv2.resize(probability, shape[::-1], interpolation=method), 0, 1).astype(np.float32)


def featureless_places(picture: FloatImage, shape: tuple[int, int], reach_px: int) -> npt.NDArray[np.bool_]:
    """Find the places where a picture shows nothing: all grey levels around a pixel are equal.

    No method can see a boundary there; it can only guess how the visible ends of the boundary continue.

    Args:
        picture: (h, w, C) float32 in [0, 1], compared in 256 levels; another size is resampled to the nearest
            pixels.
        shape: Height and width of the label.
        reach_px: Pixels up to this far along rows and columns are compared; there are none beyond the border.

    Returns:
        (H, W) bool, true where nothing is visible.
    """
    window = np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)
    flat = np.ones(shape, np.bool_)
    for channel in np.moveaxis(_levels(picture), 2, 0):
        levels = cv2.resize(channel, shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        flat &= cv2.dilate(levels, window) == cv2.erode(levels, window)
    return flat


def _levels(picture: FloatImage) -> npt.NDArray[np.uint8]:
    return np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def _gain(picture: FloatImage, factor: float, _: np.random.Generator) -> FloatImage:
    return picture * np.float32(factor)


def _offset(picture: FloatImage, grey: float, _: np.random.Generator) -> FloatImage:
    return picture + np.float32(grey)


def _gamma(picture: FloatImage, exponent: float, _: np.random.Generator) -> FloatImage:
    return np.asarray(np.clip(picture, 0, 1) ** np.float32(exponent), np.float32)


def _contrast(picture: FloatImage, factor: float, _: np.random.Generator) -> FloatImage:
    """Scale the contrast about the picture's mean."""
    mean = np.float32(picture.mean(dtype=np.float64))
    return mean + np.float32(factor) * (picture - mean)


def _linear(picture: FloatImage, strength: float, rng: np.random.Generator) -> FloatImage:
    """Light that rises from 1 - strength to 1 + strength across the picture, in any direction."""
    angle = rng.uniform(0, 2 * math.pi)
    y, x = _centred(picture)
    ramp = math.sin(angle) * y + math.cos(angle) * x
    return _lit(picture, 1 + strength * ramp / np.abs(ramp).max())


def _corner(picture: FloatImage, strength: float, rng: np.random.Generator) -> FloatImage:
    """Light from one corner, falling with the square of the distance to 1 - strength in the opposite one."""
    y, x = _centred(picture)
    top, left = rng.choice([-1, 1], 2)
    distance = np.hypot(y - top * np.abs(y).max(), x - left * np.abs(x).max())
    return _lit(picture, 1 - strength * (distance / distance.max()) ** 2)


def _centred(picture: FloatImage) -> tuple[Floats, Floats]:
    """Row (H, 1) and column (1, W) coordinates in px, measured from the picture's middle."""
    height, width = picture.shape[:2]
    return (np.arange(height) - (height - 1) / 2)[:, None], (np.arange(width) - (width - 1) / 2)[None, :]


def _lit(picture: FloatImage, light: Floats) -> FloatImage:
    factor: FloatImage = light[:, :, None].astype(np.float32)
    return picture * factor


def _blur(picture: FloatImage, sigma_px: float, _: np.random.Generator) -> FloatImage:
    """Gaussian blur; the mirrored border keeps the picture's mean."""
    if sigma_px == 0:
        return picture
    size = 2 * math.ceil(4 * sigma_px) + 1
    done = cv2.GaussianBlur(picture, (size, size), sigma_px, borderType=cv2.BORDER_REFLECT)
    return np.asarray(done, np.float32).reshape(picture.shape)


def _poisson(picture: FloatImage, counts: float, rng: np.random.Generator) -> FloatImage:
    """Shot noise of a detector that counts this many quanta where the picture is white."""
    return np.asarray(rng.poisson(np.clip(picture, 0, 1) * counts) / counts, np.float32)


def _gaussian(picture: FloatImage, sd: float, rng: np.random.Generator) -> FloatImage:
    return picture + np.float32(sd) * rng.standard_normal(picture.shape, dtype=np.float32)


def _texture(picture: FloatImage, sd: float, rng: np.random.Generator) -> FloatImage:
    """Isotropic noise of one band of wavelengths, filtered from white noise in Fourier space."""
    shape = picture.shape[:2]
    spectrum = np.fft.rfft2(rng.standard_normal(shape))
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :])
    longest, shortest = 1 / _TEXTURE_PERIODS_PX[1], 1 / _TEXTURE_PERIODS_PX[0]
    band = np.fft.irfft2(spectrum * ((frequency >= longest) & (frequency <= shortest)), shape)
    added: FloatImage = (sd * band / band.std())[:, :, None].astype(np.float32)
    return picture + added


def _stripes(picture: FloatImage, sd: float, rng: np.random.Generator) -> FloatImage:
    """A random offset of each scan line."""
    rows = rng.standard_normal((picture.shape[0],))
    rows -= rows.mean()
    added: FloatImage = (sd * rows / rows.std())[:, None, None].astype(np.float32)
    return picture + added


def _inverted(picture: FloatImage, _amount: float, _: np.random.Generator) -> FloatImage:
    return 1 - picture


def _resampled(picture: FloatImage, factor: float, _: np.random.Generator) -> FloatImage:
    """Another magnification of the same field, by averages of pixels or, if enlarged, cubic interpolation."""
    height, width = (max(1, round(factor * side)) for side in picture.shape[:2])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    done = cv2.resize(picture, (width, height), interpolation=method)
    return np.asarray(done, np.float32).reshape(height, width, picture.shape[2])


def _jpeg(picture: FloatImage, quality: float, _: np.random.Generator) -> FloatImage:
    levels = _levels(picture)[:, :, ::-1]  # OpenCV's order of colours
    file = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, round(quality)])[1]
    read = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE if levels.shape[2] == 1 else cv2.IMREAD_COLOR)
    stored = np.asarray(read).reshape(levels.shape)[:, :, ::-1]
    return stored.astype(np.float32) / np.float32(255)


def _combined(picture: FloatImage, level: float, rng: np.random.Generator) -> FloatImage:
    """Several kinds at one level, in the order of the light path: specimen, lens, detector, file."""
    for name, variant in COMBINED:
        kind = _BY_NAME[name]
        picture = np.clip(kind.change(picture, kind.amounts[variant][round(level) - 1], rng), 0, 1)
    return picture


COMBINED = (("linear", ""), ("blur", ""), ("poisson", ""), ("gamma", "darker"), ("jpeg", ""))
"""Kinds and variants that the combination applies, in order."""

KINDS = (
    Kind("gain", "Gain", _gain, {"darker": (0.8, 0.6, 0.4), "brighter": (1.2, 1.4, 1.6)},
         "× {:g}", f"× 0.4 to 1.6, {_OWN}", True),
    Kind("offset", "Offset", _offset, {"darker": (-0.08, -0.17, -0.25), "brighter": (0.08, 0.17, 0.25)},
         "{:+g}", f"up to ±0.25, {_OWN}", True),
    Kind("gamma", "Gamma", _gamma, {"darker": (1.26, 1.59, 2.0), "brighter": (0.79, 0.63, 0.5)},
         "γ {:g}", f"0.5 to 2, {_OWN}", True),
    Kind("contrast", "Contrast", _contrast, {"": (0.4, 0.3, 0.2)},
         "× {:g} about the mean", _IMAGENET_C, True),
    Kind("linear", "Linear illumination", _linear, {"": (0.13, 0.27, 0.4)},
         "× 1 ± {:g}", f"up to ±40 %, {_OWN}", True),
    Kind("corner", "Corner illumination", _corner, {"": (0.17, 0.33, 0.5)},
         "1 to 1 − {:g}", f"down to −50 %, {_OWN}", True),
    Kind("blur", "Blur", _blur, {"": (0.7, 1.35, 2.0)},
         "σ {:g} px", f"σ 0.7 to 2 px, {_OWN} (lines of 3 px)"),
    Kind("poisson", "Poisson noise", _poisson, {"": (200, 90, 40)},
         "{:g} counts at white", f"200 to 40 counts, {_OWN}"),
    Kind("gaussian", "Gaussian noise", _gaussian, {"": (0.08, 0.12, 0.18)}, "sd {:g}", _IMAGENET_C),
    Kind("texture", "Texture", _texture, {"": (0.03, 0.055, 0.1)},
         "sd {:g}", f"sd 0.03 to 0.1, wavelengths of 4 to 12 px, {_OWN}"),
    Kind("stripes", "Stripes", _stripes, {"": (0.03, 0.055, 0.1)}, "sd {:g} of the rows",
         f"as the texture, {_OWN}"),
    Kind("inversion", "Inversion", _inverted, {"": (1.0,)}, "1 − x", "there is only one"),
    Kind("half", "Half resolution", _resampled, {"": (0.5,)}, "× {:g}", "there is only one"),
    Kind("double", "Double resolution", _resampled, {"": (2.0,)}, "× {:g}", "there is only one"),
    Kind("jpeg", "JPEG", _jpeg, {"": (25, 18, 15)}, "quality {:g}", _IMAGENET_C),
    Kind("combination", "Combination", _combined, {"": (1, 2, 3)}, "level {:g} of each",
         "linear illumination, blur, Poisson noise, gamma (darker) and JPEG, all at that level"),
)  # fmt: skip
"""All kinds of the card; grey levels are in the unit range. ``grainseg.pipeline.card.corruption_reach`` tells
which of them training may draw as well."""

_BY_NAME = {kind.name: kind for kind in KINDS}


def _all() -> Iterator[Corruption]:
    for kind in KINDS:
        for variant, amounts in kind.amounts.items():
            levels = LEVELS if len(amounts) > 1 else (ONLY,)
            for level, amount in zip(levels, amounts, strict=True):
                yield Corruption(kind, variant, level, amount)


CORRUPTIONS = tuple(_all())
"""All kinds with their variants and levels: the rows of the card."""
