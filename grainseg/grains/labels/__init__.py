"""Labels and grain maps that a person or another program made, and what their lines stand for."""
