"""Micrographs: files, labels and synthetic polycrystals (numpy, no torch)."""
