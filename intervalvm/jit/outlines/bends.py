"""The piece of the curve in a cell that it crosses once: a round of all pieces at a time.

Where the tangents at both ends are those of an arc, it is taken for one. The field at the middle of
the arc tells how far the curve is from it, and a step of Newton's method from there is a point of
the curve: the arcs to it are lower. Two chords or four are as near an arc as these are low. Where
the curve is not like an arc, two chords may go by the point where the tangents meet, if it is a
corner of the curve.
"""

from __future__ import annotations

import math
from typing import Any

from intervalvm.jit.outlines.layout import (
    CELLS,
    CORNER_ROOM,
    COUNT,
    PIECES,
    SIDE_ROOM,
)

ARC, HALVES, CORNER, LEGS = range(4)
"""What is asked for: the middle of an arc, of both arcs to a point, a corner, the middles of both
chords to it."""
ASKED_X, ASKED_Y, NEXT_X, NEXT_Y, POINT_X, POINT_Y, NORMAL_X, NORMAL_Y, BEND = range(9)
"""Fields of a bend: one or two points that are asked for, the point that the piece goes by, and the
normal there; their number."""
HIGHEST = 16.0
"""How high an arc may be, in what pieces may deviate: two chords are a quarter as far from it as
one, and four a quarter of that."""
HALF_HIGHEST = 4.0
ALIKE = 0.5
"""The least cosine between the normals at the ends of an arc."""
SHARP = 2.0**-4
"""The tangents meet at a corner of the curve if they do so this near it, in what pieces may
deviate."""
STRAY = 0.25
INSET = 2.0**-10
"""How far a point stays from the sides of its cell, as a share of the cell."""


def start_bends(w: Any) -> None:
    """Ask for the middles of arcs, and for corners."""
    w.sizes[PIECES] = w.sizes[COUNT] = 0
    for piece in range(w.sizes[CELLS]):
        w.near[piece] = w.cornered[piece] = 0
        for k in range(3):
            write_way(w, piece, k, (math.nan, math.nan))
        p, q, g, h = end(w, piece, 0), end(w, piece, 1), normal(w, piece, 0), normal(w, piece, 1)
        if height(p, q, g, h) <= HIGHEST * w.may_be[0]:
            ask(w, piece, ARC, middle(p, q, g, h))
        else:
            ask_corner(w, piece)


def step_bends(w: Any) -> None:
    """Judge pieces by values and gradients ``found``; ask for more of those that are not done."""
    pieces, count, k = w.sizes[PIECES], w.sizes[COUNT], 0
    w.sizes[PIECES] = w.sizes[COUNT] = 0
    for place in range(pieces):
        piece = w.left[place]
        stage = w.stages[piece]
        if stage == ARC:
            judge_arc(w, piece, k, count)
        elif stage == HALVES:
            judge_halves(w, piece, k, count)
        elif stage == CORNER:
            judge_corner(w, piece, k)
        else:
            judge_legs(w, piece, k)
        k += 2 if stage == HALVES or stage == LEGS else 1


def ask(w: Any, piece: int, stage: int, point: tuple[float, float]) -> None:
    """Let a point be evaluated for a piece."""
    w.stages[piece] = stage
    w.left[w.sizes[PIECES]] = piece
    w.sizes[PIECES] += 1
    ask_point(w, piece, ASKED_X, point)


def ask_point(w: Any, piece: int, field: int, point: tuple[float, float]) -> None:
    k, room = w.sizes[COUNT], 2 * w.sizes[CELLS]
    w.sizes[COUNT] = k + 1
    w.asked_for[k] = piece
    w.asked[k], w.asked[room + k] = point
    w.bends[BEND * piece + field], w.bends[BEND * piece + field + 1] = point


def judge_arc(w: Any, piece: int, k: int, count: int) -> None:
    """A chord, two by a point of the curve, or as many as four: then ask for both halves."""
    p, q, g, h = end(w, piece, 0), end(w, piece, 1), normal(w, piece, 0), normal(w, piece, 1)
    wanted, miss = w.may_be[0], w.found[k] / least(w, piece)
    if chord_height(p, q, g, h, miss) <= wanted:
        w.near[piece] = 1
        return
    c, n = point_near(w, piece, ASKED_X, k, count), unit(w.found[count + k], w.found[2 * count + k])
    if is_within(w, piece, c) and abs(miss) <= STRAY * height(p, q, g, h):
        most = max(height(p, c, g, n), height(c, q, n, h)) + 0.25 * abs(miss)
        if most <= wanted:
            w.near[piece] = 1
            write_way(w, piece, 1, c)
            return
        if w.is_one[piece] and most <= HALF_HIGHEST * wanted:
            write_point(w, piece, c, n)
            ask(w, piece, HALVES, middle(p, c, g, n))
            ask_point(w, piece, NEXT_X, middle(c, q, n, h))
            return
    ask_corner(w, piece)


def judge_halves(w: Any, piece: int, k: int, count: int) -> None:
    """A chord or two on either side of the point."""
    p, q, g, h = end(w, piece, 0), end(w, piece, 1), normal(w, piece, 0), normal(w, piece, 1)
    c, n = point(w, piece, POINT_X), point(w, piece, NORMAL_X)
    is_near = is_half(w, piece, 0, k, count, p, c, g, n)
    if is_half(w, piece, 1, k + 1, count, c, q, n, h) and is_near:
        w.near[piece] = 1
        write_way(w, piece, 1, c)
    else:
        write_way(w, piece, 0, (math.nan, math.nan))
        write_way(w, piece, 2, (math.nan, math.nan))


def is_half(
    w: Any,
    piece: int,
    half: int,
    k: int,
    count: int,
    p: tuple[float, float],
    q: tuple[float, float],
    g: tuple[float, float],
    h: tuple[float, float],
) -> bool:
    """Whether a half is near a chord, or two by the point that this writes."""
    wanted, miss = w.may_be[0], w.found[k] / least(w, piece)
    if chord_height(p, q, g, h, miss) <= wanted:
        return True
    c, n = (
        point_near(w, piece, NEXT_X if half else ASKED_X, k, count),
        unit(w.found[count + k], w.found[2 * count + k]),
    )
    write_way(w, piece, 2 * half, c)
    most = max(height(p, c, g, n), height(c, q, n, h)) + 0.25 * abs(miss)
    return is_within(w, piece, c) and most <= wanted


def chord_height(
    p: tuple[float, float],
    q: tuple[float, float],
    g: tuple[float, float],
    h: tuple[float, float],
    miss: float,
) -> float:
    first, last = rises(p, q, g, h)
    return max(abs(first), abs(last), abs(0.5 * (first + last) - miss))


def ask_corner(w: Any, piece: int) -> None:
    """Ask for the point c where the tangents meet, in the cell: g (c - p) = 0 = h (c - q)."""
    p, q, g, h = end(w, piece, 0), end(w, piece, 1), normal(w, piece, 0), normal(w, piece, 1)
    across = g[0] * h[1] - g[1] * h[0]
    if across == 0.0:
        return
    gp, hq = g[0] * p[0] + g[1] * p[1], h[0] * q[0] + h[1] * q[1]
    c = (gp * h[1] - hq * g[1]) / across, (hq * g[0] - gp * h[0]) / across
    if is_within(w, piece, c):
        write_point(w, piece, c, c)
        ask(w, piece, CORNER, c)


def judge_corner(w: Any, piece: int, k: int) -> None:
    """If the curve is there, ask whether it is along both chords."""
    if abs(w.found[k]) <= w.may_be[0] * SHARP * least(w, piece):
        p, q, c = end(w, piece, 0), end(w, piece, 1), point(w, piece, POINT_X)
        ask(w, piece, LEGS, (p[0] + (c[0] - p[0]) * 0.5, p[1] + (c[1] - p[1]) * 0.5))
        ask_point(
            w, piece, NEXT_X, (q[0] + (c[0] - q[0]) * 0.5, q[1] + (c[1] - q[1]) * 0.5)
        )


def judge_legs(w: Any, piece: int, k: int) -> None:
    most = w.may_be[0] * least(w, piece)
    if abs(w.found[k]) <= most and abs(w.found[k + 1]) <= most:
        w.near[piece] = w.cornered[piece] = 1
        write_way(w, piece, 1, point(w, piece, POINT_X))


def end(w: Any, piece: int, last: int) -> tuple[float, float]:
    """An end of a piece, on a side of its cell."""
    side = w.pairs[2 * piece + last]
    return w.crossings[side], w.crossings[w.sizes[SIDE_ROOM] + side]


def normal(w: Any, piece: int, last: int) -> tuple[float, float]:
    """The unit gradient there."""
    side = w.pairs[2 * piece + last]
    return unit(w.slopes[side], w.slopes[w.sizes[SIDE_ROOM] + side])


def unit(x: float, y: float) -> tuple[float, float]:
    """The direction of a vector; 0 has none."""
    length = math.sqrt(x * x + y * y)
    if length > 0.0:
        return x / length, y / length
    return 0.0, 0.0


def least(w: Any, piece: int) -> float:
    """The length of the lesser gradient of both ends."""
    found = math.inf
    for last in range(2):
        side = w.pairs[2 * piece + last]
        x, y = w.slopes[side], w.slopes[w.sizes[SIDE_ROOM] + side]
        found = min(found, math.sqrt(x * x + y * y))
    return found


def rises(
    p: tuple[float, float], q: tuple[float, float], g: tuple[float, float], h: tuple[float, float]
) -> tuple[float, float]:
    """The heights above the chord from p to q of the arcs with the normal g at p, and h at q.

    An arc of the angle 2 a to its chord d is |d| / 2 tan a / 2 high, and tan a / 2 is
    sin a / (1 + cos a). They are infinite where an end is not like one of an arc.
    """
    x, y = q[0] - p[0], q[1] - p[1]
    size = math.sqrt(x * x + y * y)
    first, last = size + g[0] * y - g[1] * x, size + h[0] * y - h[1] * x
    if not (g[0] * h[0] + g[1] * h[1] > ALIKE and min(first, last) > size):
        return math.inf, math.inf
    half = 0.5 * size
    return -half * (g[0] * x + g[1] * y) / first, half * (h[0] * x + h[1] * y) / last


def height(
    p: tuple[float, float], q: tuple[float, float], g: tuple[float, float], h: tuple[float, float]
) -> float:
    """The height of the higher arc of ``rises``."""
    first, last = rises(p, q, g, h)
    return max(abs(first), abs(last))


def middle(
    p: tuple[float, float], q: tuple[float, float], g: tuple[float, float], h: tuple[float, float]
) -> tuple[float, float]:
    """The middle of an arc between those of ``rises``, which are finite."""
    first, last = rises(p, q, g, h)
    x, y = q[0] - p[0], q[1] - p[1]
    share = 0.5 * (first + last) / math.sqrt(x * x + y * y)
    return p[0] + 0.5 * x + share * y, p[1] + 0.5 * y - share * x


def point_near(w: Any, piece: int, field: int, k: int, count: int) -> tuple[float, float]:
    """A step of Newton's method from a point that was asked for, number ``k``, to the curve."""
    x, y = w.found[count + k], w.found[2 * count + k]
    short = 0.5 * least(w, piece)
    share = w.found[k] / max(x * x + y * y, short * short)
    from_x, from_y = point(w, piece, field)
    return from_x - share * x, from_y - share * y


def is_within(w: Any, piece: int, c: tuple[float, float]) -> bool:
    """Whether a point is in the cell of a piece, off its sides."""
    found = True
    for axis in range(2):
        corner = axis * w.sizes[CORNER_ROOM]
        low, high = w.places[corner + w.corners[4 * piece]], w.places[corner + w.corners[4 * piece + 2]]
        inset = INSET * (high - low)
        if not low + inset <= c[axis] <= high - inset:
            found = False
    return found


def point(w: Any, piece: int, field: int) -> tuple[float, float]:
    at = BEND * piece + field
    return w.bends[at], w.bends[at + 1]


def write_point(w: Any, piece: int, c: tuple[float, float], n: tuple[float, float]) -> None:
    at = BEND * piece
    w.bends[at + POINT_X], w.bends[at + POINT_Y] = c
    w.bends[at + NORMAL_X], w.bends[at + NORMAL_Y] = n


def write_way(w: Any, piece: int, k: int, point: tuple[float, float]) -> None:
    """Write one of the three points that a piece goes by."""
    at = w.sizes[CELLS] * k + piece
    w.ways[at], w.ways[w.sizes[CELLS] * 3 + at] = point
