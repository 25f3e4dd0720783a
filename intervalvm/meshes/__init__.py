"""Meshes of solids: closed surfaces of triangles, their files and their copies elsewhere."""
