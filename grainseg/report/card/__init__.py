"""The robustness card as tables, plots and a page."""
