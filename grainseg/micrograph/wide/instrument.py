"""Light, lens, detector and file: all steps between the section and the stored picture."""

import math

import cv2
import numpy as np

from grainseg.micrograph.image import FloatImage
from grainseg.micrograph.wide.draw import Drawn
from grainseg.micrograph.wide.noise import as_float32, blur, pixel_positions, smooth_noise, white_noise


def photograph(surface: FloatImage, drawn: Drawn, rng: np.random.Generator) -> FloatImage:
    """Take a picture of a surface and store it with 8 bits.

    Args:
        surface: (H, W) float32 grey.
        drawn: The instrument's properties.
        rng: Random generator.

    Returns:
        (H, W) float32 in [0, 1], rounded to the 256 values that an 8-bit file can hold.
    """
    shape = (surface.shape[0], surface.shape[1])
    light = surface * _illumination(shape, drawn, rng)
    light = _astigmatic(blur(light, drawn["defocus_px"]), drawn["astigmatism_px"], rng)
    if drawn["seams"] > 0:
        light = light + drawn["seams"] * _fields(shape, rng)
    if drawn["screen"] > 0:
        light = light + drawn["screen"] * _screen(shape, rng)
    signal = light + _noise(light, drawn, rng) + _scan_lines(shape, drawn, rng)
    if drawn["sharpening"] > 0:
        signal = signal + drawn["sharpening"] * (signal - blur(signal, rng.uniform(0.8, 1.8)))
    toned = np.clip(signal, 0, 1) ** np.float32(drawn["gamma"])
    return _store(_saturated(toned, drawn), drawn["jpeg_quality"])


def _illumination(shape: tuple[int, int], drawn: Drawn, rng: np.random.Generator) -> FloatImage:
    """Return the factor on the light: a ramp, or a bright spot off the middle, and darker corners."""
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape)
    angle, spot = rng.uniform(0, 2 * math.pi), rng.random() < 0.3
    cy, cx = rng.uniform(-0.8, 0.8, 2).astype(np.float32)
    if spot:
        field = np.exp(-1.5 * ((y[:, None] - cy) ** 2 + (x - cx) ** 2)) - 0.4
    else:
        field = 0.5 * (np.float32(math.sin(angle)) * y[:, None] + np.float32(math.cos(angle)) * x)
    vignette = 0.5 * ((y[:, None] - 0.3 * cy) ** 2 + (x - 0.3 * cx) ** 2)
    factor: FloatImage = (1 + drawn["illumination"] * field) * (
        1 - drawn["vignette"] * np.minimum(vignette, 1)
    )
    return factor


def _astigmatic(light: FloatImage, sigma_px: float, rng: np.random.Generator) -> FloatImage:
    """Blur along one direction only."""
    angle = rng.uniform(0, math.pi)
    if sigma_px == 0:
        return light
    reach = math.ceil(2.5 * sigma_px)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along, across = math.cos(angle) * x + math.sin(angle) * y, math.cos(angle) * y - math.sin(angle) * x
    kernel = np.exp(-0.5 * (along / sigma_px) ** 2 - 0.5 * (across / 0.35) ** 2)
    return as_float32(cv2.filter2D(light, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101))


def _fields(shape: tuple[int, int], rng: np.random.Generator) -> FloatImage:
    """Draw the offsets of two to four stitched fields, about ±1, with a slope towards each seam."""
    offset = np.zeros(shape, np.float32)
    seams = (rng.uniform(0.15, 0.85) * shape[0], rng.uniform(0.15, 0.85) * shape[1])
    both = rng.random()
    y, x = pixel_positions(shape)
    for position, seam, drawn in ((y, seams[0], both < 0.7), (x, seams[1], both > 0.3)):
        beyond = position > seam
        slope = rng.uniform(0, 1) * (position - seam) / max(shape)
        if drawn:
            offset = offset + rng.choice([-1, 1]) * (beyond - 0.5) + slope
    return offset.astype(np.float32)


def _screen(shape: tuple[int, int], rng: np.random.Generator) -> FloatImage:
    """Draw the fine regular pattern of a printed, rescanned or interlaced picture: one or two gratings."""
    y, x = pixel_positions(shape)
    angle, period = rng.uniform(0, math.pi), rng.uniform(2.2, 5.0)
    total = np.zeros(shape, np.float32)
    for turn in (0.0, math.pi / 2)[: rng.integers(1, 3)]:
        along = math.cos(angle + turn) * x + math.sin(angle + turn) * y
        total += np.sin(along * np.float32(2 * math.pi / period))
    return total


def _noise(light: FloatImage, drawn: Drawn, rng: np.random.Generator) -> FloatImage:
    """Draw Poisson-Gaussian noise, the Poisson part in its Gaussian limit, perhaps blurred.

    The model of A. Foi et al., IEEE Trans. Image Process. 17 (2008) 1737-1754.
    """
    variance = np.maximum(light, 0) / drawn["electrons"] + drawn["read_noise"] ** 2
    noise = white_noise(light.shape, rng)
    if drawn["noise_px"] > 0:
        noise = smooth_noise((light.shape[0], light.shape[1]), drawn["noise_px"], rng)
    scaled: FloatImage = np.sqrt(variance) * noise
    return scaled


def _scan_lines(shape: tuple[int, int], drawn: Drawn, rng: np.random.Generator) -> FloatImage:
    """Draw offsets of scan lines, and streaks along them that start at random and fade (charging)."""
    lines = np.zeros(shape, np.float32)
    if drawn["line_noise"] > 0:
        lines += drawn["line_noise"] * white_noise((shape[0], 1), rng)
    if drawn["charging"] > 0:
        starts = (rng.random(shape) < 3.0 / shape[1]) * white_noise(shape, rng)
        fade = rng.uniform(10.0, 60.0)
        reach = int(3 * fade)
        kernel = np.exp(-np.arange(reach + 1, dtype=np.float32) / fade)[None, ::-1]
        band = np.clip(smooth_noise((shape[0], 1), 6.0, rng), 0, None)  # some lines, in groups
        streaks = cv2.filter2D(starts.astype(np.float32), -1, kernel, anchor=(reach, 0))
        lines += drawn["charging"] * band * streaks
    return lines


def _saturated(picture: FloatImage, drawn: Drawn) -> FloatImage:
    """Stretch the grey scale until a share of the pixels is white (with bright grooves: black)."""
    if drawn["saturation"] == 0:
        return picture
    sample = picture[::3, ::3]
    if drawn.polarity == "bright" and drawn.has_grooves:
        black = min(float(np.quantile(sample, drawn["saturation"])), 0.9)
        return (picture - np.float32(black)) / np.float32(1 - black)
    white = max(float(np.quantile(sample, 1 - drawn["saturation"])), 0.1)
    return picture / np.float32(white)


def _store(picture: FloatImage, quality: float) -> FloatImage:
    """Round to 8 bits; compress as JPEG and decode again if the quality is above 0."""
    levels = np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    if quality > 0:
        _, file = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, round(quality)])
        levels = np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE))
    stored: FloatImage = levels.astype(np.float32) / np.float32(255)
    return stored
