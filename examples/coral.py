"""A coral that grows by chance: each branch forks, and all are blended by exponentials.

The blend of fields f is -ln(sum(exp(-k f))) / k: no choice of min or max drops a part of it.
"""

import math
import random
from collections.abc import Iterator

import intervalvm as ivm
from intervalvm.shapes import Shape, capsule, sphere, union

SHARPNESS, FORKS = 34.0, 5
Point = tuple[float, ...]
Branch = tuple[Point, Point, int]


def grown(chance: random.Random, at: Point, way: Point, forks: int) -> Iterator[Branch]:
    """Branches from a point on: its ends, and how often it forks; shorter and shorter."""
    length = 0.13 + 0.05 * forks
    end = tuple(a + length * w for a, w in zip(at, way, strict=True))
    yield at, end, forks
    turn = chance.uniform(0, math.pi)
    for side in (0, math.pi) if forks else ():
        spread = chance.uniform(0.5, 0.85)
        lean = spread * math.cos(turn + side), 0.12, spread * math.sin(turn + side)
        new = [w + part for w, part in zip(way, lean, strict=True)]
        yield from grown(chance, end, tuple(w / math.hypot(*new) for w in new), forks - 1)


def blend(parts: list[Shape]) -> Shape:
    def field(x: ivm.Expr, y: ivm.Expr, z: ivm.Expr) -> ivm.Expr:
        return -ivm.ln(sum(ivm.exp(part(x, y, z) * -SHARPNESS) for part in parts)) / SHARPNESS

    return Shape(field)


def build() -> Shape:
    chance = random.Random(3)
    branches: list[Branch] = []
    for angle in (0.4, 2.5, 4.6):
        way = 0.6 * math.cos(angle), 0.75, 0.6 * math.sin(angle)
        branches += grown(chance, (0.0, -0.85, 0.0), way, FORKS - 1)
    coral = blend([capsule(at, end, 0.014 + 0.014 * forks) for at, end, forks in branches])
    tips = union(*(sphere(0.07).move(*end) for _, end, forks in branches if not forks))
    return (coral - tips).paint("#d8475c") | (coral & tips).paint("#ffe0cf")


def draw(size: int = 1024, antialias: int = 1) -> ivm.SolidImage:
    view = ivm.View.turntable(20, 22, center=(-0.03, -0.36, 0), scale=0.86, perspective=0.2)
    return ivm.render3d(build(), size=(size, size, 2 * size), antialias=antialias, view=view)


if __name__ == "__main__":
    draw(antialias=2).save("coral.png")
    print("coral.png")
