"""A corner of a game of chess: outlines on a lathe, painted by side, on squares of two colours."""

from itertools import product

import intervalvm as ivm
from intervalvm.shapes import Shape, box, circle, polygon, rounded_rectangle, smooth_union, union

SQUARE, LIGHT, DARK, IVORY, WALNUT = 0.5, "#efe3c8", "#3b2a22", "#e9d5a8", "#54362a"


def turned(height: float, girth: float, *head: Shape) -> Shape:
    """A piece: a foot, a stem up to ``height``, a collar, and a head on it."""
    foot = rounded_rectangle(0.36 * girth, 0.07, 0.03).move(0, 0.035)
    step = rounded_rectangle(0.28 * girth, 0.05, 0.025).move(0, 0.09)
    stem = polygon([(-0.11, 0.05), (0.11, 0.05), (0.05, height), (-0.05, height)]).scale(girth, 1)
    collar = rounded_rectangle(0.2 * girth, 0.035, 0.017).move(0, height)
    outline = smooth_union(stem, step, collar, radius=0.06) | foot
    return smooth_union(outline, union(*head).move(0, height), radius=0.03).revolve()


def pawn() -> Shape:
    return turned(0.28, 1, circle(0.09).move(0, 0.09))


def rook() -> Shape:
    tower = turned(0.36, 1.15, rounded_rectangle(0.25, 0.15, 0.015).move(0, 0.08))
    notches = union(*(box(0.05, 0.1, 1).rotate(60 * i, "y") for i in range(3)))
    return tower - notches.move(y=0.52) - rounded_rectangle(0.17, 0.2, 0.02).revolve().move(y=0.56)


def bishop() -> Shape:
    mitre = turned(0.42, 1.1, circle(0.1).scale(1, 1.5).move(0, 0.14), circle(0.035).move(0, 0.3))
    return mitre - box(0.2, 0.03, 1).rotate(50).move(0.07, 0.62)


def king() -> Shape:
    crown = polygon([(-0.06, 0), (0.06, 0), (0.11, 0.2), (0, 0.25), (-0.11, 0.2)])
    cross = box(0.04, 0.16, 0.04) | box(0.12, 0.04, 0.04).move(y=0.02)
    return turned(0.55, 1.25, crown) | cross.move(y=0.86)


def build() -> Shape:
    tile = box(SQUARE - 0.006, 0.08, SQUARE - 0.006).move(y=-0.04)
    placed = [(tile, (LIGHT, DARK)[sum(at) % 2], at) for at in product(range(4), range(4))]
    placed += [(rook(), IVORY, (3, 3)), (king(), IVORY, (1, 3)), (bishop(), WALNUT, (0, 0))]
    placed += [(pawn(), IVORY, at) for at in ((3, 2), (1, 2))] + [(rook(), WALNUT, (2, 1))]
    placed += [(pawn(), WALNUT, at) for at in ((2, 0), (0, 1))]
    parts = [part.move(SQUARE * i, 0, SQUARE * j).paint(c) for part, c, (i, j) in placed]
    return union(*parts).move(-1.5 * SQUARE, 0, -1.5 * SQUARE)


def draw(size: int = 1024, antialias: int = 1) -> ivm.SolidImage:
    view = ivm.View.turntable(-32, 30, center=(0, 0.17, 0), scale=1.42, perspective=0.3)
    return ivm.render3d(build(), size=(size, size, 3 * size // 2), antialias=antialias, view=view)


if __name__ == "__main__":
    draw(antialias=2).save("chess.png")
    print("chess.png")
