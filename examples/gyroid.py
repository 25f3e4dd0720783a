"""A gyroid parts space into two labyrinths: each side of its sheet has a colour of its own.

The sheet is cut to a ball, and gets thinner outwards. Hollow and cut off below it is a lamp.
"""

import intervalvm as ivm
from intervalvm.shapes import Shape, capsule, gyroid, half_space, sphere

PERIOD, RADIUS = 0.62, 0.9
THICK, THIN = 0.11, 0.035
MM = 75  # what a length of 1 is of the lamp


def half_thickness(x: ivm.Expr, y: ivm.Expr, z: ivm.Expr) -> ivm.Expr:
    share = (ivm.square(x) + ivm.square(y) + ivm.square(z)) / RADIUS**2
    return (THICK + (THIN - THICK) * share) / 2


def sheet() -> Shape:
    surface = gyroid(PERIOD)
    return Shape(lambda x, y, z: abs(surface(x, y, z)) - half_thickness(x, y, z))


def build() -> Shape:
    surface, both = gyroid(PERIOD), sheet()
    sides = (both & surface).paint("#e8743b") | (both & ~surface).paint("#2f6f8f")
    return sides & sphere(RADIUS)


def lamp() -> Shape:
    """In mm, z up, as it is printed."""
    bulb = capsule((0, 0, -1), (0, 0, 0), 0.36)
    return ((sheet() & sphere(0.8) & half_space((0, 0, -1), 0.55)) - bulb).scale(MM)


def draw(size: int = 1024, antialias: int = 1) -> ivm.SolidImage:
    view = ivm.View.turntable(yaw=28, pitch=24, perspective=0.2, scale=1.12)
    return ivm.render3d(build(), size=size, antialias=antialias, view=view)


if __name__ == "__main__":
    draw(antialias=2).save("gyroid.png")
    lamp().save("gyroid.stl", depth=7)
    print("gyroid.png", "gyroid.stl")
