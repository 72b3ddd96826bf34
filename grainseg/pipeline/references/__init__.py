"""The classical references, tuned and put to work."""
