"""Overlays, panels and previews: arrays in, pictures out."""
