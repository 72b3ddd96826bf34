"""Patches of labelled micrographs for training, and their augmentation."""
