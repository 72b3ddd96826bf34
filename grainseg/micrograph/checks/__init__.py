"""What is odd about a picture before anybody looks for boundaries in it."""
