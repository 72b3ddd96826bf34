"""Micrographs: files, labels and synthetic polycrystals (numpy, no torch).

``formats`` decodes, ``scale`` finds the pixel size, ``files`` brings both to one `Micrograph`; ``folders``
says which files are meant; ``checks`` looks a picture over; ``plain`` and ``wide`` draw synthetic ones, and
``corruptions`` spoils some. ``labels`` says what a mask means, ``normalization`` what a network sees.
"""
