"""Labels and grain maps made by a person or another program, and what their lines stand for."""
