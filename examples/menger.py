"""A Menger sponge cut through its middle, across the diagonal: the holes become stars.

A cube loses the middle third of every row, in three directions; what is left are 20 smaller cubes,
which lose their own; and so on. The holes of a level are one bar across each axis, repeated without
end, so a level costs the same however small its holes are.
"""

import intervalvm as ivm
from intervalvm.shapes import Shape, box, half_space, intersection, rectangle

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
    """Half of the sponge; a thin layer of the cut has a colour of its own."""
    kept, layer = half_space((1, 1, 1)), half_space((1, 1, 1), -0.004)
    half = sponge() & kept
    return (half & layer).paint("#e9e2d0") | (half - layer).paint("#c8472f")


def draw(size: int = 1024, antialias: int = 1) -> ivm.SolidImage:
    view = ivm.View.turntable(
        yaw=33, pitch=32, center=(-0.15, -0.11, -0.15), scale=1.1, perspective=0.2
    )
    return ivm.render3d(build(), size=size, antialias=antialias, view=view)


if __name__ == "__main__":
    draw(antialias=2).save("menger.png")
    print("menger.png")
