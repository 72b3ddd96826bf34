"""Whole-image boundary probability from a network."""
