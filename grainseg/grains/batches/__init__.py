"""Batches of material: sizes with intervals, distributions, uncertainty budgets, comparisons of batches."""
