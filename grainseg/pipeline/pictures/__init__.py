"""One picture from its file to its grains, and how failures of single pictures are reported."""
