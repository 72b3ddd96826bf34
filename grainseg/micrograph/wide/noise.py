"""Random fields with a given length scale, and the common Gaussian blur (OpenCV: fast on one core)."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from grainseg.micrograph.image import FloatImage


def as_float32(picture: npt.ArrayLike) -> FloatImage:
    """Convert a picture to float32, without a copy if it already is float32."""
    return np.asarray(picture, np.float32)


def blur(image: FloatImage, sigma_px: float) -> FloatImage:
    """Blur with a Gaussian; a standard deviation below 0.2 px changes nothing."""
    if sigma_px < 0.2:
        return image
    return as_float32(cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT_101))


def pixel_positions(shape: tuple[int, ...]) -> tuple[FloatImage, FloatImage]:
    """Return the (H, 1) row and (1, W) column numbers of the pixels, float32."""
    return np.arange(shape[0], dtype=np.float32)[:, None], np.arange(shape[1], dtype=np.float32)[None, :]


def white_noise(shape: tuple[int, ...], rng: np.random.Generator) -> FloatImage:
    """Draw independent standard normal values, float32."""
    return rng.standard_normal(shape, dtype=np.float32)


def smooth_noise(shape: tuple[int, int], scale_px: float, rng: np.random.Generator) -> FloatImage:
    """Draw a smooth random field.

    Args:
        shape: Height and width in px.
        scale_px: Length scale: the field is like white noise blurred by this standard deviation, and its
            structures are about twice as large.
        rng: Random generator.

    Returns:
        (H, W) float32, mean about 0, standard deviation about 1.
    """
    if scale_px < 2.5:
        noise = blur(white_noise(shape, rng), scale_px)
        # White noise blurred by σ keeps a variance of 1 / (4πσ²), for σ not far below 1.
        return noise * np.float32(max(1.0, 2 * math.sqrt(math.pi) * scale_px))
    spacing = 1.5 * scale_px
    knots = white_noise((math.ceil(shape[0] / spacing) + 4, math.ceil(shape[1] / spacing) + 4), rng)
    # A random origin, so that the positions of the knots do not show over many pictures.
    shift = rng.uniform(0.5, 1.5, 2)
    to_knots = np.array([[1 / spacing, 0, shift[0]], [0, 1 / spacing, shift[1]]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        blur(knots, 0.6), to_knots, shape[::-1], flags=flags, borderMode=cv2.BORDER_REFLECT
    )
    return as_float32(warped) * np.float32(2.1)  # restores the deviation that blur and interpolation reduced


def fractal_noise(
    shape: tuple[int, int], scale_px: float, octaves: int, rng: np.random.Generator, roughness: float = 0.6
) -> FloatImage:
    """Sum smooth noise in octaves: from each to the next, scale × 1/2 and amplitude × ``roughness``."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        total += np.float32(roughness**octave) * smooth_noise(shape, max(scale_px / 2**octave, 0.5), rng)
    norm = math.sqrt(sum(roughness ** (2 * octave) for octave in range(octaves)))
    return total / np.float32(norm)


def blobs(
    shape: tuple[int, int],
    scale_px: float,
    area_share: float,
    rng: np.random.Generator,
    favour: FloatImage | float = 0.0,
) -> npt.NDArray[np.bool_]:
    """Draw irregular, scattered islands of about one size: the places where a random field is high.

    Args:
        shape: Height and width in px.
        scale_px: Approximate diameter of the islands.
        area_share: Share of the area, 0-0.5.
        rng: Random generator.
        favour: (H, W), high where islands are more likely: it is added to the random field, which has a
            standard deviation of 1.

    Returns:
        (H, W) bool, True in the islands.
    """
    field = smooth_noise(shape, scale_px / 3, rng) + 0.25 * smooth_noise(shape, max(scale_px / 9, 0.7), rng)
    field = field + favour
    mask: npt.NDArray[np.bool_] = field > np.quantile(field[::2, ::2], 1 - area_share)
    return mask
