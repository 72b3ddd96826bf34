"""The output that people look at: overlays and panels, tables, plots and pages (numpy, no torch).

``pictures`` draws the pictures, ``files`` names and writes the files that programs read, ``html`` makes the
report of both, and ``card`` makes the page of a robustness card.
"""
