"""A gear: a tooth as a polygon, repeated around a disc; spokes and a keyed bore.

The sides of a tooth follow the involute of the base circle, the curve that the end of a taut string
draws when it is unwound; a few points of it make the sides of a polygon.
"""

import math

import intervalvm as ivm
from intervalvm.shapes import Shape, circle, polygon, rectangle, ring, rounded_rectangle

TEETH = 24
MODULE = 0.072  # the pitch diameter is this times the number of teeth
PRESSURE = math.radians(20)
POINTS = 6  # of a flank
MODULE_MM, THICK_MM = 1.5, 6  # of the gear that is cut and printed

PITCH = MODULE * TEETH / 2
TIP, ROOT = PITCH + MODULE, PITCH - 1.25 * MODULE
BASE = PITCH * math.cos(PRESSURE)


LOOK = {"ink": "#26345c", "paper": "#f7f4ec"}


def flank() -> list[tuple[float, float]]:
    """Radius and angle from the middle of the tooth, from its root to its tip."""
    half = math.pi / (2 * TEETH) + math.tan(PRESSURE) - PRESSURE
    found = [(ROOT * 0.98, half)]
    for i in range(POINTS):
        radius = BASE + (TIP - BASE) * i / (POINTS - 1)
        rolled = math.acos(min(1.0, BASE / radius))
        found.append((radius, half - (math.tan(rolled) - rolled)))
    return found


def tooth() -> Shape:
    sides = [(r, -a) for r, a in flank()] + [(r, a) for r, a in reversed(flank())]
    return polygon([(r * math.cos(a), r * math.sin(a)) for r, a in sides])


def build() -> Shape:
    rim = ring(ROOT, ROOT - 0.12)
    spoke = rectangle(0.56, 0.13).move(0.42)
    hub = circle(0.25)
    bore = circle(0.13) | rounded_rectangle(0.09, 0.12, 0.01).move(0, 0.13)
    return (tooth().repeat_around(TEETH) | rim | spoke.repeat_around(5) | hub) - bore


if __name__ == "__main__":
    ivm.render(build(), antialias=4, **LOOK).save("gear.png")
    made = build().scale(MODULE_MM / MODULE)
    made.save("gear.svg", tolerance=0.005)
    made.extrude(THICK_MM).save("gear.3mf", depth=7)
    print("gear.png", "gear.svg", "gear.3mf")
