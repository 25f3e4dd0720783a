"""Our revels now are ended (The Tempest, IV.1): python examples/prospero3d.py [FILE.vm]

How ``prospero3d.vm`` was made: letters with sloping sides stand on a page that is bowed about y,
in a frame with bosses.
"""

import sys

import intervalvm as ivm
from intervalvm.shapes import Shape, half_space, rounded_rectangle, sphere, text, union

TEXT = """\
Our revels now are ended.
These our actors, as I
foretold you, were all
spirits and are melted
into air, into thin air …
We are such stuff as
dreams are made on,
and our little life
is rounded with a sleep."""

HALF_SIDE, THICKNESS, RELIEF = 0.84, 0.06, 0.04
SLOPE = 0.12  # how much wider a letter is at its foot, for each unit below its face
COLOURS = "#efe6d2", "#c79a3f", "#c79a3f", "#27335c"
NEAREST, BOW = 0.25, 0.32  # z of the page's front at x = 0, and how much farther it is at x = 1


def bowed(flat: Shape) -> Shape:
    """A shape whose plane z = 0 becomes the page's front."""
    return Shape(lambda x, y, z: flat(x, y, z - NEAREST + BOW * ivm.square(x)))


def moulding(edge: Shape, radius: float) -> Shape:
    """A round bar in the plane z = 0 along the outline of a shape of that plane."""
    return Shape(lambda x, y, z: ivm.sqrt(ivm.square(edge(x, y)) + ivm.square(z)) - radius)


def build() -> Shape:
    letters = text(TEXT, size=0.117, leading=1.33).offset(0.005)
    sides = Shape(lambda x, y, z: letters(x, y) + SLOPE * (z - RELIEF))
    raised = sides & half_space((0, 0, 1), RELIEF) & half_space((0, 0, -1), RELIEF)
    sheet = rounded_rectangle(2 * HALF_SIDE, 2 * HALF_SIDE, 0.08)
    page = sheet.extrude(THICKNESS).move(z=-THICKNESS / 2) - moulding(sheet.offset(-0.08), 0.012)
    bosses = sphere(0.07).move(HALF_SIDE - 0.02, HALF_SIDE - 0.02).mirror("x").mirror("y")
    painted = zip((page, moulding(sheet, 0.045), bosses, raised), COLOURS, strict=True)
    return union(*(bowed(part).paint(colour) for part, colour in painted))


def draw(size: int = 1024, antialias: int = 1) -> ivm.SolidImage:
    view = ivm.View.turntable(yaw=-14, pitch=14, perspective=0.25, scale=1.06)
    return ivm.render3d(build(), size=size, antialias=antialias, view=view)


if __name__ == "__main__":
    place = sys.argv[1] if len(sys.argv) > 1 else "prospero3d.vm"
    ivm.save(build().tape(), place)
    print(place)
