"""The parts of a robustness card: what is compared, what training has seen, its curves."""
