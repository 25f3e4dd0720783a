"""A Menger sponge cut through its middle, across the diagonal: the holes become stars.

A cube loses the middle third of every row, in three directions; what is left are 20 smaller cubes,
which lose their own; and so on. The holes of a level are one bar across each axis, repeated without
end, so a level costs the same however small its holes are.
"""

import math

import intervalvm as ivm
from intervalvm.shapes import Shape, box, intersection, rectangle

LEVELS = 4
SIDE = 1.34


def bars(period: float) -> Shape:
    """Square bars along x, y and z, a third of the period wide."""
    bar = rectangle(period / 3, period / 3).repeat(period, period)
    return bar | bar.rotate(90, "x") | bar.rotate(90, "y")


def sponge() -> Shape:
    shape = box(SIDE, SIDE, SIDE)
    return intersection(shape, *(~bars(SIDE / 3**level) for level in range(LEVELS)))


def build() -> Shape:
    """The diagonal of the cube is turned towards the viewer: the slice at z = 0 is a hexagon."""
    turned = sponge().rotate(45, "y").rotate(math.degrees(math.atan(2**-0.5)), "x").rotate(30)
    return Shape(lambda x, y, _: turned(x, y, 0.0))


if __name__ == "__main__":
    ivm.render(build()).save("menger.png")
    print("menger.png")
