"""A gyroid parts space into two labyrinths: each side of its sheet has a colour of its own.

The sheet is cut to a ball, and gets thinner outwards.
"""

import intervalvm as ivm
from intervalvm.shapes import Shape, gyroid, sphere

PERIOD, RADIUS = 0.62, 0.9
THICK, THIN = 0.11, 0.035


def half_thickness(x: ivm.Expr, y: ivm.Expr, z: ivm.Expr) -> ivm.Expr:
    share = (ivm.square(x) + ivm.square(y) + ivm.square(z)) / RADIUS**2
    return (THICK + (THIN - THICK) * share) / 2


def build() -> Shape:
    surface = gyroid(PERIOD)
    sheet = Shape(lambda x, y, z: abs(surface(x, y, z)) - half_thickness(x, y, z))
    sides = (sheet & surface).paint("#e8743b") | (sheet & ~surface).paint("#2f6f8f")
    return sides & sphere(RADIUS)


def draw(size: int = 1024) -> ivm.SolidImage:
    view = ivm.View.turntable(yaw=28, pitch=24, perspective=0.2, scale=1.12)
    return ivm.render3d(build(), size=size, view=view)


if __name__ == "__main__":
    draw().save("gyroid.png")
    print("gyroid.png")
