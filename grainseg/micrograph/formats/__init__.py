"""Image files and tables as bytes: decoded with care, written whole or not at all."""
