"""Grains: from a boundary map to measured grains, batches of them compared, maps scored (numpy, no torch).

In the order in which they build on each other: ``measuring`` counts on a map of grains, ``closing`` makes one
from a boundary map, ``labels`` from what a person drew; ``scoring`` holds both against each other;
``fields`` collects what is known of a field of view, ``batches`` what many fields say of a material;
``trust`` says which of all that to doubt. ``wording`` is for all sentences.
"""
