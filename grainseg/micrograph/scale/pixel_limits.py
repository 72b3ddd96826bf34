"""Possible pixel sizes. Without NumPy: the configuration is checked before anything heavy is imported."""

MIN_PIXEL_UM = 0.0005
"""Smallest pixel in µm that a micrograph of grains can have: 0.5 nm."""
MAX_PIXEL_UM = 50.0
"""Largest pixel in µm that a micrograph of grains can have: 50 µm."""
