"""Predictions against labels: pixels, lines, grains; and the partition that suits the labels best."""
