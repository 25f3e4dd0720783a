"""Shapes to try, each with the test of membership that it must agree with.

The tests of membership are written on their own: closed forms on NumPy arrays, and shapely for
polygons. A key is the name of a function of ``intervalvm.shapes``, or of a method of ``Shape``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from font_source_serif_pro import font_files_ttf
from fontTools.ttLib import TTFont
from support import fonts

from intervalvm import shapes as s

SERIF = font_files_ttf["SourceSerifPro"]
Inside = Callable[[Any, Any, Any], Any]
Sample = tuple[s.Shape, Inside]

GEAR = [
    (r * math.cos(math.pi * i / 20), r * math.sin(math.pi * i / 20))
    for i, r in enumerate([0.9, 0.9, 0.6, 0.6] * 10)
]
TOOTH = ((0, 0.8), (0.15, 0.8), (0.15, 0), (0.3, 0))
COMB = [(-0.9 + 0.3 * i + dx, y) for i in range(6) for dx, y in TOOTH] + [(0.9, -0.5), (-0.9, -0.5)]
STAIRS = [
    *((0.8 - 0.4 * (i // 2), -0.8 + 0.4 * ((i + 1) // 2)) for i in range(9)),
    (-0.8, -0.8),
]
SPIRAL = [
    (r * math.cos(i / 4), r * math.sin(i / 4))
    for wall, turn in ((0.0, range(60)), (0.1, range(59, -1, -1)))
    for i in turn
    for r in [0.1 + 0.012 * i + wall]
]
EL = [(-0.7, -0.7), (0.7, -0.7), (0.7, -0.2), (-0.1, -0.2), (-0.1, 0.8), (-0.7, 0.8)]


def within(corners: Any) -> Inside:
    area = shapely.Polygon(corners)
    assert area.is_valid
    return lambda x, y, z: shapely.contains_xy(area, x, y)


def turned(x: Any, y: Any, degrees: float) -> tuple[Any, Any]:
    """The point turned anticlockwise."""
    p = (x + 1j * y) * np.exp(1j * np.deg2rad(degrees))
    return p.real, p.imag


def in_rectangle(x: Any, y: Any, width: float, height: float) -> Any:
    return (2 * np.abs(x) < width) & (2 * np.abs(y) < height)


def in_block(x: Any, y: Any, z: Any) -> Any:
    return in_rectangle(x, y, 1.0, 0.8) & (2 * np.abs(z) < 0.6)


def in_circle(x: Any, y: Any, radius: float) -> Any:
    return x * x + y * y < radius * radius


def near_line(p: Any, a: Any, b: Any, radius: float) -> Any:
    """Within ``radius`` of some of many points of the line, or beside it."""
    a, b = np.array(a), np.array(b)
    p = np.stack(p, axis=-1)
    share = (p - a) @ (b - a) / ((b - a) @ (b - a))
    foot = a + np.clip(share, 0, 1)[..., None] * (b - a)
    return ((p - foot) ** 2).sum(axis=-1) < radius**2


def in_pen(x: Any, y: Any) -> Any:
    return near_line((x, y), *PEN)


def in_arc(x: Any, y: Any, radius: float, start: float, stop: float, width: float) -> Any:
    turn = (np.rad2deg(np.arctan2(y, x)) - start) % 360
    on_band = (turn < stop - start) & (np.abs(np.hypot(x, y) - radius) < width / 2)
    for angle in (start, stop):
        cx, cy = turned(radius, 0.0, angle)
        on_band |= in_circle(x - cx, y - cy, width / 2)
    return on_band


def in_star(x: Any, y: Any) -> Any:
    """Five tips: the tenth that a point falls into by its angle has one straight side."""
    fold = (np.rad2deg(np.arctan2(x, y)) + 36) % 72 - 36
    r = np.hypot(x, y)
    u, w = r * np.sin(np.deg2rad(np.abs(fold))), r * np.cos(np.deg2rad(fold))
    tip, notch = (0.0, 0.9), (0.4 * math.sin(math.pi / 5), 0.4 * math.cos(math.pi / 5))
    return (notch[0] - tip[0]) * (w - tip[1]) - (notch[1] - tip[1]) * (u - tip[0]) < 0


def in_ampersand(x: Any, y: Any, z: Any) -> Any:
    """Where a text font's curves enclose the point, by fontTools and shapely."""
    em = TTFont(SERIF)["head"].unitsPerEm
    return shapely.contains_xy(fonts.filled(SERIF, "&"), x * em / 1.4, y * em / 1.4)


def in_sheet(wave: Inside, steepest: float, period: float, thickness: float) -> Inside:
    k = 2 * math.pi / period

    def inside(x: Any, y: Any, z: Any) -> Any:
        return np.abs(wave(x * k, y * k, z * k)) < thickness / 2 * k * steepest

    return inside


def scaled_wave(wave: Inside, period: float) -> Inside:
    k = 2 * math.pi / period
    return lambda x, y, z: wave(x * k, y * k, z * k) < 0


sin, cos = np.sin, np.cos
WAVES: dict[str, tuple[Inside, float]] = {
    "gyroid": (lambda x, y, z: sin(x) * cos(y) + sin(y) * cos(z) + sin(z) * cos(x), 3**0.5),
    "schwarz_p": (lambda x, y, z: cos(x) + cos(y) + cos(z), 3**0.5),
    "schwarz_d": (lambda x, y, z: cos(x) * cos(y) * cos(z) - sin(x) * sin(y) * sin(z), 1.5**0.5),
    "neovius": (
        lambda x, y, z: 3 * (cos(x) + cos(y) + cos(z)) + 4 * cos(x) * cos(y) * cos(z),
        7.0,
    ),
    "iwp": (
        lambda x, y, z: (
            2 * (cos(x) * cos(y) + cos(y) * cos(z) + cos(z) * cos(x))
            - (cos(2 * x) + cos(2 * y) + cos(2 * z))
        ),
        27**0.5,
    ),
}

disc, brick, block = s.circle(0.5), s.rectangle(1.0, 0.6), s.box(1.0, 0.8, 0.6)
right = s.circle(0.4).move(x=0.3)
PEN = (-0.6, -0.4), (0.5, 0.1), 0.2
pen = s.segment(*PEN)
left, center = s.circle(0.6).move(-0.2), s.circle(0.6).move(0.2)


def smooth(a: Any, b: Any, k: float) -> Any:
    """The cubic's little sister: between two values, as the mean of a line and a parabola."""
    h = np.clip(0.5 + (b - a) / (2 * k), 0, 1)
    return b + (a - b) * h - k * h * (1 - h)


def round_field(x: Any, y: Any, cx: float, r: float) -> Any:
    return np.hypot(x - cx, y) - r


PLANE: dict[str, list[Sample]] = {
    "circle": [(disc, lambda x, y, z: in_circle(x, y, 0.5))],
    "ellipse": [
        (s.ellipse(0.8, 0.3), lambda x, y, z: (x / 0.8) ** 2 + (y / 0.3) ** 2 < 1),
        (s.ellipse(0.2, 0.9), lambda x, y, z: (x / 0.2) ** 2 + (y / 0.9) ** 2 < 1),
    ],
    "rectangle": [(brick, lambda x, y, z: in_rectangle(x, y, 1.0, 0.6))],
    "rounded_rectangle": [
        (
            s.rounded_rectangle(1.4, 0.8, 0.25),
            lambda x, y, z: (
                in_rectangle(x, y, 0.9, 0.8)
                | in_rectangle(x, y, 1.4, 0.3)
                | in_circle(np.abs(x) - 0.45, np.abs(y) - 0.15, 0.25)
            ),
        )
    ],
    "polygon": [
        (s.polygon(corners), within(corners))
        for corners in (EL, EL[::-1], GEAR, COMB, STAIRS, SPIRAL)
    ],
    "star": [(s.star(5, 0.9, 0.4), lambda x, y, z: in_star(x, y))],
    "text": [(s.text("&", size=1.4, align="left", valign="baseline", font=SERIF), in_ampersand)],
    "segment": [
        (
            s.segment((-0.5, 0.2), (0.6, -0.4), 0.2),
            lambda x, y, z: near_line((x, y), (-0.5, 0.2), (0.6, -0.4), 0.2),
        ),
        (
            s.segment((0.1, 0.7), (0.1, -0.4), 0.1),
            lambda x, y, z: near_line((x, y), (0.1, 0.7), (0.1, -0.4), 0.1),
        ),
    ],
    "arc": [
        (s.arc(*given), lambda x, y, z, given=given: in_arc(x, y, *given))
        for given in ((0.6, 20, 130, 0.2), (0.5, -200, 100, 0.3), (0.7, 90, 450, 0.1))
    ],
    "ring": [
        (s.ring(0.8, 0.5), lambda x, y, z: in_circle(x, y, 0.8) & ~in_circle(x, y, 0.5)),
    ],
    "half_plane": [
        (s.half_plane((3, 4), 0.2), lambda x, y, z: 3 * x + 4 * y < 1.0),
        (s.half_plane((0, -2)), lambda x, y, z: y > 0),
    ],
}
SOLID: dict[str, list[Sample]] = {
    "sphere": [(s.sphere(0.7), lambda x, y, z: x * x + y * y + z * z < 0.49)],
    "box": [
        (block, lambda x, y, z: in_rectangle(x, y, 1.0, 0.8) & (2 * np.abs(z) < 0.6)),
    ],
    "rounded_box": [
        (
            s.rounded_box(1.2, 1.0, 0.8, 0.2),
            lambda x, y, z: (
                sum(
                    np.maximum(np.abs(c) - half, 0) ** 2
                    for c, half in zip((x, y, z), (0.4, 0.3, 0.2), strict=True)
                )
                < 0.04
            ),
        )
    ],
    "cylinder": [(s.cylinder(0.6, 1.0), lambda x, y, z: in_circle(x, z, 0.6) & (np.abs(y) < 0.5))],
    "capsule": [
        (
            s.capsule((-0.4, 0.1, -0.3), (0.5, -0.2, 0.4), 0.3),
            lambda x, y, z: near_line((x, y, z), (-0.4, 0.1, -0.3), (0.5, -0.2, 0.4), 0.3),
        ),
        (
            s.capsule((0, -0.5, 0), (0, 0.4, 0), 0.25),
            lambda x, y, z: near_line((x, y, z), (0, -0.5, 0), (0, 0.4, 0), 0.25),
        ),
    ],
    "cone": [
        (
            s.cone(0.8, 1.2, top),
            lambda x, y, z, top=top: (
                (np.abs(y) < 0.6) & (np.hypot(x, z) < 0.8 + (top - 0.8) * (y + 0.6) / 1.2)
            ),
        )
        for top in (0.0, 0.3, 1.0)
    ],
    "torus": [
        (s.torus(0.6, 0.25), lambda x, y, z: (np.hypot(x, z) - 0.6) ** 2 + y * y < 0.0625),
    ],
    "half_space": [(s.half_space((1, 2, -2), 0.1), lambda x, y, z: x + 2 * y - 2 * z < 0.3)],
    **{
        name: [
            (getattr(s, name)(1.5), scaled_wave(wave, 1.5)),
            (getattr(s, name)(2.0, 0.2), in_sheet(wave, steepest, 2.0, 0.2)),
        ]
        for name, (wave, steepest) in WAVES.items()
    },
}
JOINED: dict[str, list[Sample]] = {
    "union": [
        (
            s.union(disc, brick.move(0.4, 0.3)),
            lambda x, y, z: in_circle(x, y, 0.5) | in_rectangle(x - 0.4, y - 0.3, 1.0, 0.6),
        )
    ],
    "intersection": [
        (
            s.intersection(disc, brick.move(0.4, 0.3)),
            lambda x, y, z: in_circle(x, y, 0.5) & in_rectangle(x - 0.4, y - 0.3, 1.0, 0.6),
        )
    ],
    "difference": [
        (
            s.difference(disc, brick.move(0.4, 0.3), s.circle(0.2).move(-0.4)),
            lambda x, y, z: (
                in_circle(x, y, 0.5)
                & ~in_rectangle(x - 0.4, y - 0.3, 1.0, 0.6)
                & ~in_circle(x + 0.4, y, 0.2)
            ),
        )
    ],
    "smooth_union": [
        (
            s.smooth_union(center, left, radius=0.3),
            lambda x, y, z: (
                smooth(round_field(x, y, 0.2, 0.6), round_field(x, y, -0.2, 0.6), 0.3) < 0
            ),
        )
    ],
    "smooth_intersection": [
        (
            s.smooth_intersection(center, left, radius=0.2),
            lambda x, y, z: (
                -smooth(-round_field(x, y, 0.2, 0.6), -round_field(x, y, -0.2, 0.6), 0.2) < 0
            ),
        )
    ],
    "smooth_difference": [
        (
            s.smooth_difference(center, left, radius=0.2),
            lambda x, y, z: (
                -smooth(-round_field(x, y, 0.2, 0.6), round_field(x, y, -0.2, 0.6), 0.2) < 0
            ),
        )
    ],
    "__or__": [(disc | right, lambda x, y, z: in_circle(x, y, 0.5) | in_circle(x - 0.3, y, 0.4))],
    "__and__": [(disc & right, lambda x, y, z: in_circle(x, y, 0.5) & in_circle(x - 0.3, y, 0.4))],
    "__sub__": [(disc - right, lambda x, y, z: in_circle(x, y, 0.5) & ~in_circle(x - 0.3, y, 0.4))],
    "__invert__": [(~brick, lambda x, y, z: ~in_rectangle(x, y, 1.0, 0.6))],
}
PLACED: dict[str, list[Sample]] = {
    "move": [
        (brick.move(0.3, -0.2), lambda x, y, z: in_rectangle(x - 0.3, y + 0.2, 1.0, 0.6)),
        (
            s.sphere(0.5).move(0.1, 0.2, -0.3),
            lambda x, y, z: in_circle(x - 0.1, np.hypot(y - 0.2, z + 0.3), 0.5),
        ),
    ],
    "rotate": [
        (pen.rotate(angle), lambda x, y, z, a=angle: in_pen(*turned(x, y, -a)))
        for angle in (30, 90, -135)
    ]
    + [
        (block.rotate(40, "x"), lambda x, y, z: in_block(x, *turned(y, z, -40))),
        (
            block.rotate(40, "y"),
            lambda x, y, z: in_block(turned(z, x, -40)[1], y, turned(z, x, -40)[0]),
        ),
        (block.rotate(40, (0, 0, 2)), lambda x, y, z: in_block(*turned(x, y, -40), z)),
        # a third of a turn about the diagonal takes x to y, y to z and z to x
        (block.rotate(120, (1, 1, 1)), lambda x, y, z: in_block(y, z, x)),
        (block.rotate(180, (1, 0, 1)), lambda x, y, z: in_block(z, -y, x)),
    ],
    "scale": [
        (brick.scale(1.5), lambda x, y, z: in_rectangle(x, y, 1.5, 0.9)),
    ],
    "reflect": [
        (pen.reflect("x"), lambda x, y, z: in_pen(-x, y)),
        (pen.reflect("y"), lambda x, y, z: in_pen(x, -y)),
    ],
    "mirror": [
        (
            s.circle(0.3).move(0.4).mirror("x"),
            lambda x, y, z: in_circle(x - 0.4, y, 0.3) | in_circle(x + 0.4, y, 0.3),
        ),
    ],
    "repeat": [
        (
            s.rectangle(0.3, 0.2).repeat(0.5, 0.4, count=(3, 4)),
            lambda x, y, z: np.any(
                [
                    in_rectangle(x - 0.5 * i, y - 0.4 * j + 0.2, 0.3, 0.2)
                    for i in (-1, 0, 1)
                    for j in (-1, 0, 1, 2)
                ],
                axis=0,
            ),
        ),
        (
            right.repeat(x=0.5, count=2),
            lambda x, y, z: in_circle(x - 0.55, y, 0.4) | in_circle(x - 0.05, y, 0.4),
        ),
    ],
    "repeat_around": [
        (
            s.rectangle(0.4, 0.2).move(0.6).repeat_around(7),
            lambda x, y, z: np.any(
                [
                    in_rectangle(
                        turned(x, y, -360 * i / 7)[0] - 0.6, turned(x, y, -360 * i / 7)[1], 0.4, 0.2
                    )
                    for i in range(7)
                ],
                axis=0,
            ),
        )
    ],
    "paint": [(disc.paint("#c84"), lambda x, y, z: in_circle(x, y, 0.5))],
    "offset": [
        (
            brick.offset(0.2),
            lambda x, y, z: in_circle(
                np.maximum(np.abs(x) - 0.5, 0), np.maximum(np.abs(y) - 0.3, 0), 0.2
            ),
        ),
    ],
    "shell": [
        (disc.shell(0.2), lambda x, y, z: in_circle(x, y, 0.6) & ~in_circle(x, y, 0.4)),
    ],
    "morph": [
        (
            disc.morph(s.half_plane((1, 0)), 0.25),
            lambda x, y, z: 0.75 * (np.hypot(x, y) - 0.5) + 0.25 * x < 0,
        )
    ],
    "extrude": [
        (brick.extrude(0.8), lambda x, y, z: in_rectangle(x, y, 1.0, 0.6) & (np.abs(z) < 0.4)),
    ],
    "revolve": [
        (
            s.rectangle(0.4, 0.6).revolve(0.5),
            lambda x, y, z: in_rectangle(np.hypot(x, z) - 0.5, y, 0.4, 0.6),
        ),
        (brick.revolve(), lambda x, y, z: in_rectangle(np.hypot(x, z), y, 1.0, 0.6)),
    ],
    "loft": [
        (
            s.circle(0.8).loft(s.circle(0.2), 1.0),
            lambda x, y, z: in_circle(x, y, 0.5 - 0.6 * z) & (np.abs(z) < 0.5),
        )
    ],
    "twist": [
        (
            s.box(0.8, 0.4, 1.6).twist(60),
            lambda x, y, z: in_rectangle(*turned(x, y, -60 * z), 0.8, 0.4) & (np.abs(z) < 0.8),
        )
    ],
    "taper": [
        (
            s.box(1.0, 0.6, 1.2).taper(1.0, 0.4),
            lambda x, y, z: (
                in_rectangle(
                    x, y, *(side * np.interp(z, (-0.5, 0.5), (1, 0.4)) for side in (1.0, 0.6))
                )
                & (np.abs(z) < 0.6)
            ),
        )
    ],
}


BOUNDS: list[Sample] = [
    (disc.scale(1.6, 0.5), lambda x, y, z: in_circle(x / 1.6, y / 0.5, 0.5)),
    (block.scale(1, 1, 2), lambda x, y, z: in_block(x, y, z / 2)),
    (
        s.circle(0.2).repeat(0.5, 0.6),
        lambda x, y, z: in_circle(x - 0.5 * np.round(x / 0.5), y - 0.6 * np.round(y / 0.6), 0.2),
    ),
    (
        s.sphere(0.3).repeat(0.7, 0.7, 0.7),
        lambda x, y, z: in_circle(
            x - 0.7 * np.round(x / 0.7),
            np.hypot(y - 0.7 * np.round(y / 0.7), z - 0.7 * np.round(z / 0.7)),
            0.3,
        ),
    ),
]
"""What a docstring says apart: factors that differ, and copies without end, keep only a bound."""

SAMPLES: dict[str, list[Sample]] = {**PLANE, **SOLID, **JOINED, **PLACED}
