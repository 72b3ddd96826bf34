"""Measurements on a map of grains: test lines, areas, shapes, ASTM numbers."""
