"""Pictures of the plane: regions, grids, images and the engines on NumPy."""
