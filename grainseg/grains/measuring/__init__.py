"""What can be counted on a map of grains: test lines, areas, shapes, ASTM numbers."""
