"""Classical references, tuned on the labelled images that a network would train on. Needs no torch."""
