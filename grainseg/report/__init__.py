"""What a person looks at: overlays and panels (numpy, no torch)."""
