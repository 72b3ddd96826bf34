"""What a person looks at: overlays and panels, tables, plots and pages (numpy, no torch)."""
