"""A snowflake: a branch of strokes, mirrored, and repeated around six times."""

import intervalvm as ivm
from intervalvm.shapes import Shape, circle, polygon, segment, union

ARM = 0.9
PEN = 0.016
TWIGS = 6


LOOK = {"ink": "#f4f9ff", "paper": "#1f4b7a"}


def twig(at: float, length: float) -> Shape:
    """To the side, at 60 degrees, with twigs of its own if it is long enough."""
    end = at + length * 0.5, length * 0.866
    parts = [segment((at, 0), end, PEN * (0.5 + length))]
    for share in (0.4, 0.68):
        small = length * (1 - share) * 0.5
        if small > 0.06:
            x, y = at + (end[0] - at) * share, end[1] * share
            parts.append(segment((x, y), (x + small, y), PEN * 0.6))
            parts.append(segment((x, y), (x - small * 0.5, y + small * 0.866), PEN * 0.6))
    return union(*parts)


def branch() -> Shape:
    """One arm along x; what is above it is mirrored below."""
    half = [segment((0.1, 0), (ARM, 0), PEN)]
    for i in range(TWIGS):
        at = 0.2 + (ARM - 0.28) * i / (TWIGS - 1)
        length = 0.34 * (1 - abs(i / (TWIGS - 1) - 0.45) ** 1.4 * 1.75)
        half.append(twig(at, max(length, 0.05)))
    return union(*half).mirror("y")


def build() -> Shape:
    heart = polygon([(0.1, 0.06), (0.1, -0.06), (0.16, 0)]) | circle(0.02).move(0.07)
    return (branch() | heart).repeat_around(6)


if __name__ == "__main__":
    ivm.render(build(), antialias=4, **LOOK).save("snowflake.png")
    print("snowflake.png")
