"""Outlines: closed curves along the edge of a shape."""
