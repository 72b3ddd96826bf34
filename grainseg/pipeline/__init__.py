"""The composition root: a checked configuration in, networks and predictions out. No Hydra."""
