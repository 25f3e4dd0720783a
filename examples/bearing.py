"""A bearing block: ribs and bosses run into each other with fillets, by smooth unions.

Its bores are cut out at the end, so that their edges stay sharp; a bush is in the large one.
"""

import intervalvm as ivm
from intervalvm.shapes import Shape, box, circle, cylinder, rounded_rectangle, segment, smooth_union

FILLET = 0.1
FOOT, AXIS = -0.5, 0.12  # heights of the ground and of the bore's axis


def casting() -> Shape:
    plate = rounded_rectangle(1.7, 0.8, 0.16).extrude(0.14).rotate(90, "x").move(y=FOOT + 0.07)
    barrel = circle(0.4).extrude(0.62).move(y=AXIS)
    web = box(0.5, AXIS - FOOT, 0.42).move(y=(AXIS + FOOT) / 2)
    rib = segment((0.25, AXIS), (0.62, FOOT + 0.08), 0.06).extrude(0.12)
    boss = cylinder(0.15, 0.2).move(0.62, FOOT + 0.1, 0)
    bosses = boss.move(z=-0.2) | boss.move(z=0.2)
    sides = [part for half in (rib, bosses) for part in (half, half.reflect("x"))]
    cap = cylinder(0.09, 0.2).move(y=AXIS + 0.4)
    whole = smooth_union(plate, web, barrel, cap, *sides, radius=FILLET)
    return whole & box(3, 2, 3).move(y=FOOT + 1)


def build() -> Shape:
    bolts = cylinder(0.065, 2).move(0.62).mirror("x")
    bolts = bolts.move(z=-0.2) | bolts.move(z=0.2)
    oiler = cylinder(0.03, 1).move(y=AXIS + 0.5)
    seat = circle(0.27).move(0, AXIS)
    bush = (circle(0.27) - circle(0.2)).extrude(0.68).move(y=AXIS)
    return (casting() - seat - bolts - oiler).paint("#5d7a8c") | (bush - oiler).paint("#d39a3d")


def draw(size: int = 1024, antialias: int = 1) -> ivm.SolidImage:
    view = ivm.View.turntable(yaw=32, pitch=28, perspective=0.2, center=(0, -0.03, 0), scale=0.95)
    return ivm.render3d(build(), size=size, antialias=antialias, view=view)


if __name__ == "__main__":
    draw(antialias=2).save("bearing.png")
    print("bearing.png")
