"""A slice of a gyroid, across no axis of it: a sheet that gets thinner towards the edge of a disc.

A gyroid parts space into two labyrinths. The plane of the picture cuts it askew, so that the cut
never comes to the same place twice.
"""

import intervalvm as ivm
from intervalvm.shapes import Shape, circle, gyroid, ring

PERIOD = 0.42
THICK, THIN = 0.075, 0.012


def sheet(x: ivm.Expr, y: ivm.Expr, _: ivm.Expr) -> ivm.Expr:
    """The slice at z = 0 of the tilted gyroid: flat, whatever z is."""
    surface = gyroid(PERIOD).rotate(35, axis=(1, 0, 0)).rotate(20, axis=(0, 1, 0))
    share = (ivm.square(x) + ivm.square(y)) / 0.81
    return abs(surface(x, y, 0.1)) - (THICK + (THIN - THICK) * share) / 2


def build() -> Shape:
    return (Shape(sheet) & circle(0.9)) | ring(0.94, 0.91)


if __name__ == "__main__":
    ivm.render(build()).save("gyroid.png")
    print("gyroid.png")
