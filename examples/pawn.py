"""A pawn, turned on a lathe: circles and rectangles, blended, and revolved about y."""

import intervalvm as ivm
from intervalvm.shapes import Shape, circle, half_plane, polygon, rounded_rectangle, smooth_union


def profile() -> Shape:
    """The right half of the outline; what lies at x > 0 counts."""
    base = rounded_rectangle(1.1, 0.16, 0.07).move(0, -0.8)
    step = rounded_rectangle(0.9, 0.12, 0.06).move(0, -0.66)
    stem = polygon([(-0.36, -0.7), (0.36, -0.7), (0.13, 0.15), (-0.13, 0.15)])
    collar = rounded_rectangle(0.62, 0.09, 0.045).move(0, 0.2)
    head = circle(0.29).move(0, 0.5)
    body = smooth_union(stem, step, collar, radius=0.16) | base
    return smooth_union(body, head, radius=0.08) & half_plane((0, -1), 0.88)


def build() -> Shape:
    return profile().revolve().paint("#b5793c")


def draw(size: int = 1024, antialias: int = 1) -> ivm.SolidImage:
    return ivm.render3d(
        build(),
        size=size,
        antialias=antialias,
        view=ivm.View.turntable(pitch=14, center=(0, -0.06, 0), perspective=0.15),
    )


if __name__ == "__main__":
    draw(antialias=2).save("pawn.png")
    print("pawn.png")
