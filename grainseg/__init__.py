"""Grain boundaries of metals and ceramics, learnt from a handful of labelled micrographs.

This code was written with an AI coding assistant.
"""

__version__ = "0.1.0"
