"""A planetary gear: a sun, five planets and a ring, with double helical teeth that mesh.

The numbers of teeth make a tooth of the sun meet a gap of each planet, and a planet's tooth a gap
of the ring: five divides those of sun and ring, and a planet's is odd.
"""

import math

import intervalvm as ivm
from intervalvm.shapes import Shape, circle, half_space, polygon

MODULE, SUN, PLANET, PLANETS = 0.033, 20, 15, 5
RING = SUN + 2 * PLANET
HEIGHT, HELIX = 0.36, 35.0  # of the teeth: along the axis, and degrees to it
AWAY = MODULE * (SUN + PLANET) / 2


def wheel(teeth: int, grown: float = 0.0) -> Shape:
    """A gear in the plane with a tooth on the x axis; the teeth have straight flanks."""
    pitch, quarter = MODULE * teeth / 2, math.pi / (2 * teeth)
    low, high = pitch - 1.2 * MODULE, pitch + MODULE
    flank = [(low * 0.95, 1.9 + grown), (pitch, 0.94 + grown), (high, 0.45 + grown)]
    corners = [(r, -a * quarter) for r, a in flank] + [(r, a * quarter) for r, a in flank[::-1]]
    tooth = polygon([(r * math.cos(a), r * math.sin(a)) for r, a in corners])
    return tooth.repeat_around(teeth) | circle(low)


def helical(flat: Shape, teeth: int) -> Shape:
    """Without ends along z, turned one way below the middle and back above; mirrored for -teeth."""
    rate = math.tan(math.radians(HELIX)) * 2 / (MODULE * teeth)

    def field(x: ivm.Expr, y: ivm.Expr, z: ivm.Expr) -> ivm.Expr:
        c, s = ivm.cos(abs(z) * rate), ivm.sin(abs(z) * rate)
        return flat(c * x + s * y, c * y - s * x, 0.0)

    return Shape(field)


def build() -> Shape:
    slab, floor = circle(2).extrude(HEIGHT), half_space((0, 0, -1), HEIGHT / 2)
    sun = (helical(wheel(SUN), SUN) - circle(0.13)) & slab
    planet = (helical(wheel(PLANET), -PLANET) - circle(0.12)) & slab
    pin = circle(0.1).extrude(0.5)
    cup = circle(MODULE * RING / 2 + 0.11).extrude(HEIGHT + 0.07).move(z=-0.035)
    cup -= helical(wheel(RING, 0.1), -RING) & floor
    planets = planet.paint("#3d8a94").move(AWAY).repeat_around(PLANETS)
    pins = pin.paint("#d8dbe0").move(AWAY).repeat_around(PLANETS)
    return (sun.paint("#e0a030") | planets | pins | cup.paint("#3a4d66")).rotate(-90, "x")


def draw(size: int = 1024, antialias: int = 1) -> ivm.SolidImage:
    view = ivm.View.turntable(20, 48, center=(0, -0.05, 0), perspective=0.25, scale=1.04)
    return ivm.render3d(build(), size=size, antialias=antialias, view=view)


if __name__ == "__main__":
    draw(antialias=2).save("planetary.png")
    print("planetary.png")
