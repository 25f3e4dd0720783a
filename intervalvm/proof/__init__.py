"""Proven pictures: cells and certificates."""
