"""An octopus: balls along eight curled arms, blended by exponentials and a logarithm.

The blend of fields f is -ln(sum(exp(-k f))) / k. It lets no part of the shape drop out by a choice
of min or max: every ball counts everywhere.
"""

import math
from itertools import chain

import intervalvm as ivm
from intervalvm.shapes import Shape, sphere

SHARPNESS = 18.0
"""k of the blend: parts melt into each other within about 2 / k."""
ARMS, BALLS = 8, 5


def arm(angle: float) -> list[Shape]:
    """Balls from the body outwards, smaller and smaller, along a spiral that sinks and rises."""
    found = []
    for i in range(BALLS):
        share = (i / (BALLS - 1)) ** 0.8
        away, turn = 0.22 + 0.48 * share, angle + 0.7 * share**2
        height = -0.28 - 0.34 * math.sin(2.2 * share)
        at = away * math.cos(turn), height, away * math.sin(turn)
        found.append(sphere(0.125 - 0.06 * share).move(at))
    return found


def blend(parts: list[Shape], k: float) -> Shape:
    """The union of the parts, smooth everywhere."""

    def field(x: ivm.Expr, y: ivm.Expr, z: ivm.Expr) -> ivm.Expr:
        return -ivm.ln(sum(ivm.exp(part(x, y, z) * -k) for part in parts)) / k

    return Shape(field)


def build() -> Shape:
    head = [sphere(0.31).move(0, 0.33, -0.12), sphere(0.21).move(0, -0.06, 0)]
    eyes = [sphere(0.06).move(x, 0.08, 0.2) for x in (-0.13, 0.13)]
    arms = [arm(2 * math.pi * (i + 0.5) / ARMS) for i in range(ARMS)]
    return blend([*head, *eyes, *chain(*arms)], SHARPNESS)


if __name__ == "__main__":
    image = ivm.render3d(build(), size=1024, view=ivm.View.turntable(yaw=25, pitch=20))
    image.save("octopus.png")
    print("octopus.png")
