"""Which predictions to doubt, what corruptions do to them, and what to label next."""
