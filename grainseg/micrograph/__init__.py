"""Micrographs: files, labels and synthetic polycrystals (numpy, no torch).

``formats`` decodes files, ``scale`` finds the pixel size, and ``files`` combines both into one `Micrograph`.
``folders`` selects the files; ``checks`` looks for oddities in a picture; ``plain`` and ``wide`` draw
synthetic pictures; ``corruptions`` degrades pictures. ``labels`` interprets masks; ``normalization`` computes
the grey scale that a network sees.
"""
