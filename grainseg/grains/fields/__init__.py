"""Measurement of one field of view, and flags on what limits its figures."""
