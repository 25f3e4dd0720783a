"""The piece of the curve in a cell that it crosses once: a round of all pieces at a time.

A piece is taken for an arc if the normals at its ends are like those of one. The field at the
middle of the arc tells how far the curve is from it, and a step of Newton's method from there is a
point of the curve. By that point the piece may go as two chords, or as two arcs of which each is
halved again. If the curve is not like an arc, it may have a corner where the tangents meet.
"""

from __future__ import annotations

import math
from typing import Any

from intervalvm.jit.outlines.layout import CELLS, CORNER_ROOM, COUNT, PIECES, SIDE_ROOM

ARC, CORNER, HALVES, LEGS, CORNER_AND_LEGS = range(5)
"""What is asked for: at first the middle of an arc, or a corner; then the middles of both arcs to a
point of the curve, those of both chords to a corner, or these and the corner."""
MOST = 3
"""Points that a piece asks for."""
(
    START, END, START_NORMAL, END_NORMAL,  # of the piece
    LEAST,  # the length of the lesser gradient of both ends
    ASKED, ASKED_NEXT,  # the points to evaluate
    POINT, NORMAL,  # a point that the piece may go by, and the normal there
    BEND,
) = (0, 2, 4, 6, 8, 9, 11, 13, 15, 17)  # fmt: skip
"""Fields of a bend, x and y each but one; their number."""
HIGHEST = 16.0
"""How high an arc may be, in what pieces may deviate: two chords are a quarter as far from it as
one, and four a quarter of that."""
ALIKE = 0.5
"""The least cosine between the normals at both ends of an arc."""
STRAY = 0.25
"""How far the curve may be from the middle of an arc, as a share of the arc's height. Farther than
that it may have a corner."""
UNEVEN, CORNERED = 0.25, 2.0
"""Where an arc in the place of two has less than that share of the height of the other, this may be
a corner, which is at most so many times higher."""
HALVED = 0.25
"""How far the curve may be from two arcs in the place of one, as a share of that for the one: where
its curvature jumps, a quarter; else less."""
SHARP = 2.0**-4
"""The tangents meet at a corner of the curve if they do so this near it, in what pieces may
deviate."""
INSET = 2.0**-10
"""How far a point stays from the sides of its cell, as a share of the cell."""


def start_bends(w: Any) -> None:
    """Ask for the middles of arcs, and for corners."""
    w.sizes[PIECES] = w.sizes[COUNT] = 0
    for piece in range(w.sizes[CELLS]):
        w.near[piece] = w.cornered[piece] = 0
        for k in range(3):
            write_way(w, piece, k, (math.nan, math.nan))
        w.bends[BEND * piece + LEAST] = math.inf
        write_end(w, piece, w.pairs[2 * piece], START, START_NORMAL)
        write_end(w, piece, w.pairs[2 * piece + 1], END, END_NORMAL)
        p, q = read(w, piece, START), read(w, piece, END)
        rise = rises(p, q, read(w, piece, START_NORMAL), read(w, piece, END_NORMAL))
        if higher(rise) <= HIGHEST * w.may_be[0]:
            ask(w, piece, ARC)
            ask_point(w, piece, ASKED, middle(p, q, rise))
        else:
            ask_corner(w, piece, CORNER)


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
        elif stage == LEGS:
            judge_legs(w, piece, k)
        elif is_corner(w, piece, k):
            if stage == CORNER:
                ask(w, piece, LEGS)
                ask_legs(w, piece)
            else:
                judge_legs(w, piece, k + 1)
        k += points_of(stage)


def points_of(stage: int) -> int:
    """How many points are asked for."""
    if stage == CORNER_AND_LEGS:
        return 3
    return 1 if stage in (ARC, CORNER) else 2


# --- what is judged -------------------------------------------------------------------------------


def judge_arc(w: Any, piece: int, k: int, count: int) -> None:
    """A chord, or two by a point of the curve. Else ask for both halves, which may be chords; where
    no other piece is in the cell they may go by points."""
    p, q = read(w, piece, START), read(w, piece, END)
    g, h = read(w, piece, START_NORMAL), read(w, piece, END_NORMAL)
    wanted, miss = w.may_be[0], w.found[k] / w.bends[BEND * piece + LEAST]
    rise = rises(p, q, g, h)
    if deviation(rise, miss) <= wanted:
        w.near[piece] = 1
        return
    c = point_near(w, piece, ASKED, k, count)
    if abs(miss) <= STRAY * higher(rise) and is_within(w, piece, c):
        n = unit(w.found[count + k], w.found[2 * count + k])
        before, after = rises(p, c, g, n), rises(c, q, n, h)
        most = highest(higher(before), higher(after)) + HALVED * abs(miss)
        if most <= wanted:
            w.near[piece] = 1
            write_way(w, piece, 1, c)
            return
        if most <= (HALVED * HIGHEST if w.is_one[piece] else CORNERED) * wanted:
            write(w, piece, POINT, c)
            write(w, piece, NORMAL, n)
            ask(w, piece, HALVES)
            ask_point(w, piece, ASKED, middle(p, c, before))
            ask_point(w, piece, ASKED_NEXT, middle(c, q, after))
            return
    ask_corner(w, piece, CORNER_AND_LEGS)


def judge_halves(w: Any, piece: int, k: int, count: int) -> None:
    """A chord or two on either side of the point."""
    p, q = read(w, piece, START), read(w, piece, END)
    g, h = read(w, piece, START_NORMAL), read(w, piece, END_NORMAL)
    c, n = read(w, piece, POINT), read(w, piece, NORMAL)
    first = judge_half(w, piece, k, count, p, c, g, n, 0)
    last = judge_half(w, piece, k + 1, count, c, q, n, h, 2)
    if first and last:
        w.near[piece] = 1
        write_way(w, piece, 1, c)
    else:
        write_way(w, piece, 0, (math.nan, math.nan))
        write_way(w, piece, 2, (math.nan, math.nan))


def judge_half(
    w: Any,
    piece: int,
    k: int,
    count: int,
    p: tuple[float, float],
    q: tuple[float, float],
    g: tuple[float, float],
    h: tuple[float, float],
    way: int,
) -> bool:
    """Whether the half from p to q is near a chord, or two by a point, which is written."""
    wanted, miss = w.may_be[0], w.found[k] / w.bends[BEND * piece + LEAST]
    if deviation(rises(p, q, g, h), miss) <= wanted:
        return True
    if not w.is_one[piece]:
        return False
    c = point_near(w, piece, ASKED_NEXT if way else ASKED, k, count)
    n = unit(w.found[count + k], w.found[2 * count + k])
    write_way(w, piece, way, c)
    first, last = higher(rises(p, c, g, n)), higher(rises(c, q, n, h))
    most = highest(first, last) + HALVED * abs(miss)
    found: bool = is_within(w, piece, c) and most <= wanted
    return found


def is_corner(w: Any, piece: int, k: int) -> bool:
    """Whether the curve goes by the point where the tangents meet."""
    found: bool = abs(w.found[k]) <= w.may_be[0] * SHARP * w.bends[BEND * piece + LEAST]
    return found


def judge_legs(w: Any, piece: int, k: int) -> None:
    """Two chords by way of a corner."""
    most = w.may_be[0] * w.bends[BEND * piece + LEAST]
    if abs(w.found[k]) <= most and abs(w.found[k + 1]) <= most:
        w.near[piece] = w.cornered[piece] = 1
        write_way(w, piece, 1, read(w, piece, POINT))


# --- what is asked for ----------------------------------------------------------------------------


def ask(w: Any, piece: int, stage: int) -> None:
    """Let a piece wait for points."""
    w.stages[piece] = stage
    w.left[w.sizes[PIECES]] = piece
    w.sizes[PIECES] += 1


def ask_point(w: Any, piece: int, field: int, point: tuple[float, float]) -> None:
    """Let a point be evaluated for a piece, and keep it in a field."""
    k = w.sizes[COUNT]
    w.sizes[COUNT] = k + 1
    w.asked_for[k] = piece
    w.asked[k], w.asked[MOST * w.sizes[CELLS] + k] = point
    write(w, piece, field, point)


def ask_corner(w: Any, piece: int, stage: int) -> None:
    """Ask for the point c where the tangents meet, in the cell: g (c - p) = 0 = h (c - q)."""
    p, q = read(w, piece, START), read(w, piece, END)
    g, h = read(w, piece, START_NORMAL), read(w, piece, END_NORMAL)
    across = g[0] * h[1] - g[1] * h[0]
    if across != 0.0:
        gp, hq = g[0] * p[0] + g[1] * p[1], h[0] * q[0] + h[1] * q[1]
        c = (gp * h[1] - hq * g[1]) / across, (hq * g[0] - gp * h[0]) / across
        if is_within(w, piece, c):
            ask(w, piece, stage)
            ask_point(w, piece, POINT, c)
            if stage == CORNER_AND_LEGS:
                ask_legs(w, piece)


def ask_legs(w: Any, piece: int) -> None:
    """Ask for the middles of the chords to a corner."""
    p, q, c = read(w, piece, START), read(w, piece, END), read(w, piece, POINT)
    ask_point(w, piece, ASKED, middle(p, c, (0.0, 0.0)))
    ask_point(w, piece, ASKED_NEXT, middle(c, q, (0.0, 0.0)))


# --- arcs and points ------------------------------------------------------------------------------


def rises(
    p: tuple[float, float], q: tuple[float, float], g: tuple[float, float], h: tuple[float, float]
) -> tuple[float, float]:
    """The heights, to the right of the chord from p to q, of its arcs with the normal g at p, and
    with h at q; infinite if the normals are not like those of one arc.

    With the angle a between chord and tangent the height is half the chord's length times
    tan(a / 2) = sin a / (1 + cos a).
    """
    x, y = q[0] - p[0], q[1] - p[1]
    size = math.sqrt(x * x + y * y)
    first, last = size + g[0] * y - g[1] * x, size + h[0] * y - h[1] * x
    if g[0] * h[0] + g[1] * h[1] > ALIKE and first > size and last > size:
        half = 0.5 * size
        return -half * (g[0] * x + g[1] * y) / first, half * (h[0] * x + h[1] * y) / last
    return math.inf, math.inf


def higher(rise: tuple[float, float]) -> float:
    """The height of the higher arc."""
    return max(abs(rise[0]), abs(rise[1]))


def highest(first: float, last: float) -> float:
    """How far two chords may be from the curve, by the heights of their arcs.

    Where one has nearly all of the turn, this may be a corner, which is higher.
    """
    most = max(first, last)
    return CORNERED * most if min(first, last) < UNEVEN * most else most


def deviation(rise: tuple[float, float], miss: float) -> float:
    """How far a chord is from the curve, which misses the middle of its arcs."""
    return max(higher(rise), abs(0.5 * (rise[0] + rise[1]) - miss))


def middle(
    p: tuple[float, float], q: tuple[float, float], rise: tuple[float, float]
) -> tuple[float, float]:
    """The middle of the arc from p to q that is as high as ``rises`` are on average."""
    x, y = q[0] - p[0], q[1] - p[1]
    share, total = 0.0, rise[0] + rise[1]
    if total != 0.0:
        share = 0.5 * total / math.sqrt(x * x + y * y)
    return p[0] + 0.5 * x + share * y, p[1] + 0.5 * y - share * x


def point_near(w: Any, piece: int, field: int, k: int, count: int) -> tuple[float, float]:
    """A step of Newton's method from a point that was asked for as number k."""
    x, y, start = w.found[count + k], w.found[2 * count + k], read(w, piece, field)
    steep = max(math.sqrt(x * x + y * y), 0.5 * w.bends[BEND * piece + LEAST])
    share = w.found[k] / steep
    return start[0] - share * (x / steep), start[1] - share * (y / steep)


def is_within(w: Any, piece: int, c: tuple[float, float]) -> bool:
    """Whether a point is in the cell of a piece, off its sides."""
    found = True
    for axis in range(2):
        places = axis * w.sizes[CORNER_ROOM]
        low = w.places[places + w.corners[4 * piece]]
        high = w.places[places + w.corners[4 * piece + 2]]
        inset = INSET * (high - low)
        if not low + inset <= c[axis] <= high - inset:
            found = False
    return found


def unit(x: float, y: float) -> tuple[float, float]:
    """The direction of a gradient; 0 has none."""
    length = math.sqrt(x * x + y * y)
    if length > 0.0:
        return x / length, y / length
    return 0.0, 0.0


# --- fields of bends ------------------------------------------------------------------------------


def write_end(w: Any, piece: int, side: int, at: int, normal: int) -> None:
    """Write an end of a piece, on a side."""
    other = w.sizes[SIDE_ROOM] + side
    x, y = w.slopes[side], w.slopes[other]
    write(w, piece, at, (w.crossings[side], w.crossings[other]))
    write(w, piece, normal, unit(x, y))
    least = BEND * piece + LEAST
    w.bends[least] = min(w.bends[least], math.sqrt(x * x + y * y))


def read(w: Any, piece: int, field: int) -> tuple[float, float]:
    at = BEND * piece + field
    return w.bends[at], w.bends[at + 1]


def write(w: Any, piece: int, field: int, point: tuple[float, float]) -> None:
    at = BEND * piece + field
    w.bends[at], w.bends[at + 1] = point


def write_way(w: Any, piece: int, k: int, point: tuple[float, float]) -> None:
    """Write one of the three points that a piece goes by."""
    at = 6 * piece + 2 * k
    w.ways[at], w.ways[at + 1] = point
