"""A lantern: a gyroid's sheet in a cage of slats, which a remainder repeats all around.

Its operations are others than min and max: sin and cos, abs, mod and an angle.
"""

import math

import intervalvm as ivm
from intervalvm.shapes import Shape, cylinder, gyroid, sphere, torus

SLATS = 24
TWIST = 1.1
"""Radians by which a slat turns from bottom to top."""


def slats(x: ivm.Expr, y: ivm.Expr, z: ivm.Expr) -> ivm.Expr:
    """Where the angle about y, less a twist that grows with y, is near a multiple of the pitch."""
    pitch = 2 * math.pi / SLATS
    angle = ivm.mod(ivm.atan2(z, x) + TWIST * y + math.pi, pitch) - pitch / 2
    return abs(angle) - 0.055


def build() -> Shape:
    belly = Shape(lambda x, y, z: ivm.sqrt(x * x + z * z) + 0.35 * y * y - 0.72)
    wall = (belly & ~belly.offset(-0.05)) & cylinder(0.9, 1.5)
    cage = Shape(lambda x, y, z: ivm.maximum(wall(x, y, z), slats(x, y, z)))
    rings = [torus(0.5, 0.06).move(0, y) for y in (-0.75, 0.75)]
    core = gyroid(0.36, thickness=0.05) & sphere(0.55)
    return core | cage | rings[0] | rings[1]


if __name__ == "__main__":
    image = ivm.render3d(build(), size=1024, view=ivm.View.turntable(yaw=25, pitch=20))
    image.save("lantern.png")
    print("lantern.png")
