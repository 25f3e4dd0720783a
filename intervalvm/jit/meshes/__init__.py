"""Passes over an octree and its surface, compiled from the source that Python runs."""
