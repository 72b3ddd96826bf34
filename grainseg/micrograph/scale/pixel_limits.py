"""Which pixel sizes can be. Without NumPy: the configuration is checked before anything heavy is imported."""

MIN_PIXEL_UM = 0.0005
MAX_PIXEL_UM = 50.0
"""Smallest and largest pixel in µm that a micrograph of grains can have: 0.5 nm and 50 µm."""
