"""Truchet's tiles: two quarter rings in every cell, and chance says which corners they go about.

``floor`` numbers the cells, ``mix`` and ``rand`` make a number from 0 to 1 of two such numbers, the
same on every machine. Within a cell it is a constant, so a tile of the picture costs no more than
the two rings.
"""

import intervalvm as ivm
from intervalvm.shapes import Shape, ring, rounded_rectangle

CELL = 0.125
MARGIN = 0.0625

quarter = ring(0.65, 0.35)
pair = quarter.move(-0.5, -0.5) | quarter.move(0.5, 0.5)
dot = ring(0.12, 0.05)


LOOK = {"ink": "#b4432f", "paper": "#f6ead7"}


def tiles(x: ivm.Expr, y: ivm.Expr, z: ivm.Expr) -> ivm.Expr:
    x, y = x / CELL, y / CELL
    column, row = ivm.floor(x), ivm.floor(y)
    chance = ivm.rand(ivm.mix(column, row))
    u, v = x - column - 0.5, y - row - 0.5
    side = ivm.compare(chance, 0.5)  # -1 or 1: as they are, or left for right
    return pair(u * side, v, z) * CELL


def build() -> Shape:
    frame = rounded_rectangle(1.875, 1.875, 0.125)
    return (Shape(tiles) & frame) | frame.shell(0.02)


if __name__ == "__main__":
    ivm.render(build(), antialias=4, **LOOK).save("truchet.png")
    print("truchet.png")
