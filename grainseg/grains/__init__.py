"""Grains: from a boundary map to measured grains, batches of them compared, maps scored (numpy, no torch)."""
