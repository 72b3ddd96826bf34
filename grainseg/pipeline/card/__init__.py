"""The parts of a robustness card: methods compared, corruptions seen in training, TensorBoard curves."""
