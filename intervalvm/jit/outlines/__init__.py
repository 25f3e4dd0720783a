"""Passes over the leaves of a quadtree, for outlines; the same source runs in Python."""
