"""A wide range of synthetic micrographs, for networks that have to work before any label exists."""
