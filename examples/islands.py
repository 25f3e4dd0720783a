"""Islands of noise: the coast of a landscape that nobody designed, with its lines of equal height.

Value noise: every corner of a grid has a height by chance (``rand`` and ``mix`` of its numbers),
and between the corners a smooth step leads from one to the next. Four grids, each finer and lower
than the one before, make the coast rough and the hills round.
"""

import intervalvm as ivm
from intervalvm.shapes import Shape

OCTAVES = 4
SEA = 0.46
STEP, LINE = 0.04, 0.0032


LOOK = {"ink": "#2c5f54", "paper": "#dcebea"}


def smooth(t: ivm.Expr) -> ivm.Expr:
    """From 0 to 1, level at both ends."""
    return t * t * (3 - 2 * t)


def noise(x: ivm.Expr, y: ivm.Expr) -> ivm.Expr:
    """Heights from 0 to 1, one grid corner a unit."""
    column, row = ivm.floor(x), ivm.floor(y)
    across, up = smooth(x - column), smooth(y - row)

    def at(i: int, j: int) -> ivm.Expr:
        return ivm.rand(ivm.mix(column + i, row + j))

    low = at(0, 0) + (at(1, 0) - at(0, 0)) * across
    high = at(0, 1) + (at(1, 1) - at(0, 1)) * across
    return low + (high - low) * up


def height(x: ivm.Expr, y: ivm.Expr) -> ivm.Expr:
    total, weight = ivm.constant(0.0), 0.0
    for k in range(OCTAVES):
        size = 2.0**-k
        total += noise(x * (1.9 / size) + 10 * k, y * (1.9 / size) + 4) * size**1.3
        weight += size**1.3
    # lower towards the edge, so that the sea is all around
    return total / weight - 0.3 * ivm.square(ivm.square(x) + ivm.square(y)) + 0.06


def build() -> Shape:
    land = Shape(lambda x, y, _: SEA - height(x, y))
    lines = Shape(lambda x, y, _: abs((height(x, y) - SEA) % STEP - STEP / 2) - LINE)
    coast = Shape(lambda x, y, _: abs(height(x, y) - SEA) - LINE * 1.5)
    return (land - lines) | coast


if __name__ == "__main__":
    ivm.render(build(), antialias=4, **LOOK).save("islands.png")
    print("islands.png")
