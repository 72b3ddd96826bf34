"""The plain generator: five fields of one specimen, in one style, with known ground truth."""
