"""Small pictures and the files that hold them."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from grainseg.errors import GrainsegError

RNG = np.random.default_rng(3)
GREY8 = RNG.integers(0, 256, (24, 31)).astype(np.uint8)
GREY16 = RNG.integers(0, 65536, (24, 31)).astype(np.uint16)
RGB8 = RNG.integers(0, 256, (24, 31, 3)).astype(np.uint8)
RGB16 = RNG.integers(0, 65536, (24, 31, 3)).astype(np.uint16)
SMOOTH = np.add.outer(4 * np.arange(24), 3 * np.arange(31)).astype(np.uint8)
"""Compresses without visible loss as JPEG."""


def pillow_file(path: Path, pixels, **options) -> Path:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)
    return path


def tiff_file(path: Path, pixels, **options) -> Path:
    tifffile.imwrite(path, pixels, **options)
    return path


def message(read, *arguments) -> str:
    with pytest.raises(GrainsegError) as caught:
        read(*arguments)
    text = str(caught.value)
    assert "\n" not in text
    return text
