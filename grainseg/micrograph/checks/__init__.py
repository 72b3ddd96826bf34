"""What a picture looks like, and what is odd about it, before anybody looks for boundaries in it."""
