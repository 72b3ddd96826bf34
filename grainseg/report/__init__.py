"""What a person looks at: overlays and panels, tables, plots and pages (numpy, no torch).

``pictures`` draws, ``files`` names and writes what programs read, ``html`` makes the report of both, ``card``
the page of a robustness card.
"""
