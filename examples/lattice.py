"""A ball of a gyroid's sheet inside three rings: a solid, shown by its slices."""

import intervalvm as ivm
from intervalvm.shapes import Shape, gyroid, sphere, torus


def build() -> Shape:
    ball = gyroid(0.55, thickness=0.05) & sphere(0.72)
    ring = torus(0.8, 0.045)
    rings = ring | ring.rotate(90, "x") | ring.rotate(90, "z")
    return (ball | rings).rotate(20, "y").rotate(28, "x")


if __name__ == "__main__":
    ivm.render(build()).save("lattice.png")
    print("lattice.png")
