"""A wide range of synthetic micrographs, for networks that must work before any label exists."""
