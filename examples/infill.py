"""A pear as it is printed: a thin wall filled with a gyroid's sheet, cut open to show it."""

import intervalvm as ivm
from intervalvm.shapes import Shape, box, capsule, circle, gyroid, smooth_union

WALL, SHEET, PERIOD = 0.06, 0.035, 0.27


def pear() -> Shape:
    belly, neck = circle(0.6).move(0, -0.3), circle(0.22).move(0, 0.5)
    return smooth_union(belly, neck, radius=0.7).revolve()


def build() -> Shape:
    whole = pear()
    core = whole.offset(-WALL)
    filling = core & gyroid(PERIOD, thickness=SHEET)
    quarter = box(2, 3, 2).move(1, 0.0, 1)
    stalk = capsule((0, 0.68, 0), (-0.06, 0.92, -0.05), 0.035)
    skin = (whole - core - quarter).paint("#b9c24a")
    return skin | (filling - quarter).paint("#f2e3bd") | stalk.paint("#5b3a21")


def draw(size: int = 1024, antialias: int = 1) -> ivm.SolidImage:
    view = ivm.View.turntable(yaw=40, pitch=22, perspective=0.2, center=(0, 0.02, 0), scale=1.03)
    return ivm.render3d(build(), size=size, antialias=antialias, view=view)


if __name__ == "__main__":
    draw(antialias=2).save("infill.png")
    print("infill.png")
