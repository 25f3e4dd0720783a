"""Meshes: the surface of a solid as triangles."""
