"""Grains: close boundary maps to grains, measure them, compare batches, score maps (numpy, no torch).

The folders, in the order in which they build on each other: ``measuring`` counts on a map of grains.
``closing`` makes such a map from a boundary map, ``labels`` from a drawn label; ``scoring`` compares
predictions with labels. ``fields`` collects the measurements of a field of view, ``batches`` the statistics
of many fields of a material. ``trust`` tells which predictions to doubt. ``wording`` helps to write
sentences.
"""
