"""A bracket whose measures are variables: one tape, set anew for every size.

    ivm.render(build(), variables={"reach": 0.9, "bolts": 0.05})

on the command line, after ``ivm.save(build().tape(), "bracket.vm")``, all of them have to be set:

    intervalvm bracket.vm --set reach=0.9 --set thickness=0.2 --set fillet=0.2 --set bolts=0.05

The file to cut it by is in mm, of lines and arcs.
"""

import intervalvm as ivm
from intervalvm import var
from intervalvm.shapes import Shape, circle, half_plane, rounded_rectangle, segment, smooth_union

reach = var("reach", 1.3)  # of the arm, from the wall
thickness = var("thickness", 0.26)
fillet = var("fillet", 0.25)  # the radius of the blend where two arms meet
bolts = var("bolts", 0.065)  # the radius of the holes
MM = 50  # what a length of 1 is


LOOK = {"ink": "#26345c", "paper": "#f7f4ec"}


def build() -> Shape:
    wall = rounded_rectangle(thickness, 1.7, thickness * 0.2).move(-0.75)
    arm = rounded_rectangle(reach, thickness, thickness * 0.2).move(reach * 0.5 - 0.8, 0.5)
    brace = segment((-0.7, -0.5), (reach - 1.05, 0.45), thickness * 0.3)
    eye = circle(thickness * 0.8).move(reach - 0.8, 0.5)
    body = smooth_union(wall, arm, eye, brace, radius=fillet)
    body = body & half_plane((-1, 0), thickness * 0.5 + 0.75)

    hole = circle(bolts)
    holes = hole.repeat(y=0.35, count=2).move(-0.75, -0.5) | hole.move(-0.75, 0.5)
    slots = segment((-0.25, 0.5), (reach - 1.2, 0.5), bolts)
    return body - holes - slots - circle(bolts * 1.8).move(reach - 0.8, 0.5)


if __name__ == "__main__":
    ivm.render(build(), antialias=4, **LOOK).save("bracket.png")
    build().scale(MM).save("bracket.dxf", tolerance=0.01, arcs=True)
    print("bracket.png", "bracket.dxf")
