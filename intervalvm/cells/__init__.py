"""Cells: boxes subdivided until the real function is proven over each."""
