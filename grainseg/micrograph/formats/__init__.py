"""Decode image files and tables with care, and write files whole or not at all."""
