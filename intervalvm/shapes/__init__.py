"""Shapes in Python: fields that are negative inside, combined, moved and drawn like pictures.

Not imported with the package: ``from intervalvm import shapes``, or ``intervalvm.shapes`` when it
is first used.
"""

from intervalvm.shapes.shape import Shape

__all__ = ["Shape"]
