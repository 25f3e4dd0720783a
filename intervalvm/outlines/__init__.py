"""Outlines of the plane: the curves around what is inside, and the files that hold them."""
