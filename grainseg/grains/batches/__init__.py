"""Batches of material: sizes with intervals, distributions, budgets, and whether two batches differ."""
