"""Grains and their boundaries as geometry: how well two maps agree (numpy, no torch)."""
