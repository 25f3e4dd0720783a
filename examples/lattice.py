"""A ball of a gyroid's sheet inside three rings."""

import intervalvm as ivm
from intervalvm.shapes import Shape, gyroid, sphere, torus


def build() -> Shape:
    ball = gyroid(0.55, thickness=0.05) & sphere(0.72)
    ring = torus(0.8, 0.045)
    rings = ring | ring.rotate(90, "x") | ring.rotate(90, "z")
    return ball.paint("#d9c7a3") | rings.paint("#a8352b")


def draw(size: int = 1024, antialias: int = 1) -> ivm.SolidImage:
    return ivm.render3d(
        build(), size=size, antialias=antialias, view=ivm.View.turntable(yaw=-20, pitch=28)
    )


if __name__ == "__main__":
    draw(antialias=2).save("lattice.png")
    print("lattice.png")
