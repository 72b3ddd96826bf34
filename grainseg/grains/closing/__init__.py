"""From the boundary map to closed grains."""
