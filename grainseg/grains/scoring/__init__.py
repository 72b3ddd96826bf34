"""Scores of predictions against labels (pixels, lines, grains), and the fit of the partition to labels."""
