"""The head of a sunflower: each seed stands a golden angle further around than the one before.

The seeds are joined along the spirals that the eye sees, 34 of them, each one a branch of the tree
of unions: neighbours stand next to each other, and a tile of the picture drops the rest.
"""

import math

import intervalvm as ivm
from intervalvm.shapes import Shape, ellipse, segment, union

SEEDS, SPIRALS = 900, 34
GOLDEN = 180 * (3 - math.sqrt(5))
PETALS = 34


LOOK = {"ink": "#7a4a12", "paper": "#fbd85d"}


def seed(k: int) -> Shape:
    far = 0.66 * math.sqrt((k + 0.5) / SEEDS)
    size = 0.006 + 0.0085 * math.sqrt(far)
    return ellipse(size * 1.45, size).move(far).rotate(GOLDEN * k)


def petal(k: int) -> Shape:
    leaf = ellipse(0.13, 0.034).move(0.83) - segment((0.72, 0), (0.86, 0), 0.004)
    return leaf.rotate(360 * k / PETALS)


def build() -> Shape:
    spirals = [union(*(seed(k) for k in range(s, SEEDS, SPIRALS))) for s in range(SPIRALS)]
    around = sorted(range(SPIRALS), key=lambda s: GOLDEN * s % 360)
    return union(*(spirals[s] for s in around), *(petal(k) for k in range(PETALS)))


if __name__ == "__main__":
    ivm.render(build(), antialias=4, **LOOK).save("sunflower.png")
    print("sunflower.png")
