"""The pixel size of a picture, read from tags and side files or set by the user."""
