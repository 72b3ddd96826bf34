"""One field of view with all that is known of it, and what limits its figures."""
