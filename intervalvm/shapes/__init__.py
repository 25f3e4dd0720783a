"""Shapes in Python: fields that are negative inside, combined, moved and drawn like pictures.

Not imported with the package: ``from intervalvm import shapes``, or ``intervalvm.shapes`` when it
is first used.
"""

from intervalvm.shapes.font import Font
from intervalvm.shapes.shape import Shape
from intervalvm.shapes.text import text

__all__ = ["Font", "Shape", "text"]
