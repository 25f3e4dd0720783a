"""A mug with a line of Shakespeare around it, engraved: text is wrapped around a cylinder."""

import intervalvm as ivm
from intervalvm.shapes import Shape, rounded_rectangle, smooth_union, text, torus

TEXT = "We are\nsuch stuff\nas dreams are\nmade on"
RADIUS, HEIGHT, WALL = 0.6, 1.3, 0.07
DEPTH = 0.02  # of the letters


def wrapped(flat: Shape) -> Shape:
    """A flat shape laid around the mug: its x becomes the way around, from the front."""
    return Shape(lambda x, y, z: flat(RADIUS * ivm.atan2(x, z), y, 0.0))


def layer(radius: float) -> Shape:
    """The cylinder of that radius about y, without ends."""
    return Shape(lambda x, _, z: ivm.sqrt(ivm.square(x) + ivm.square(z)) - radius)


def build() -> Shape:
    outside = rounded_rectangle(2 * RADIUS, HEIGHT, 0.08).revolve()
    inside = rounded_rectangle(2 * (RADIUS - WALL), HEIGHT, 0.12).revolve().move(y=0.1)
    handle = torus(0.34, 0.075).rotate(90, "x").scale(0.9, 1.1, 1).move(RADIUS + 0.02)
    body = smooth_union(outside, handle, radius=0.14)
    letters = wrapped(text(TEXT, size=0.168, leading=1.4).offset(0.006)).rotate(-12, "y")
    engraved = letters & ~layer(RADIUS - DEPTH) & layer(RADIUS + DEPTH)
    ink = letters & layer(RADIUS - DEPTH) & ~layer(RADIUS - 2 * DEPTH)
    glazed = inside.offset(0.015)
    clay = (body - glazed - engraved - ink).paint("#ece5d8")
    glaze = ((body & glazed) - inside).paint("#2d7f8f")
    return clay | glaze | ink.paint("#1f4e79")


def draw(size: int = 1024, antialias: int = 1) -> ivm.SolidImage:
    view = ivm.View.turntable(yaw=-14, pitch=24, perspective=0.25, center=(0.14, 0, 0), scale=1.05)
    return ivm.render3d(build(), size=size, antialias=antialias, view=view)


if __name__ == "__main__":
    draw(antialias=2).save("mug.png")
    print("mug.png")
