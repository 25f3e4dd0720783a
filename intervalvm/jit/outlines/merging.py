"""Vertices that are not needed: every second one is tried, until none can go."""

from __future__ import annotations

from typing import Any

from intervalvm.jit.outlines.layout import (
    ACROSS,
    ALONG_X,
    ALONG_Y,
    COUNT,
    CROWDED,
    CURVES,
    HIGH,
    LOW,
    NOWHERE,
    VERTEX,
    X,
    Y,
)

GOES, STAYS, ENDS = range(3)
"""``kept`` of a vertex: the ends of curves are not tried."""


def merge(w: Any) -> None:
    """Write the ``points`` that stay, and let ``starts`` be those of curves among them.

    The tolerance is ``may_be``, and if that is 0 all of them stay.
    """
    for vertex in range(w.sizes[COUNT]):
        w.kept[vertex] = STAYS
        w.left[vertex] = vertex
        w.failed[2 * vertex] = w.failed[2 * vertex + 1] = -1
    for curve in range(w.sizes[CURVES]):
        w.kept[w.starts[curve]] = w.kept[w.starts[curve + 1] - 1] = ENDS
    count, idle, parity = w.sizes[COUNT], 0, 1
    while idle < 2 and w.may_be[0] > 0.0:
        idle = idle + 1 if thin(w, count, parity) == 0 else 0
        count, parity = left_of(w, count), 3 - parity
    write_points(w)


def thin(w: Any, count: int, parity: int) -> int:
    """Try every second vertex that is left, from number ``parity`` on; returns how many went."""
    gone = 0
    for place in range(parity, count - 1, 2):
        a, vertex, b = w.left[place - 1], w.left[place], w.left[place + 1]
        if w.kept[vertex] == ENDS or (w.failed[2 * vertex] == a and w.failed[2 * vertex + 1] == b):
            continue
        if passes(w, a, b):
            w.kept[vertex] = GOES
            gone += 1
        else:
            w.failed[2 * vertex], w.failed[2 * vertex + 1] = a, b
    return gone


def left_of(w: Any, count: int) -> int:
    """Leave out of ``left`` what went; returns how many are left."""
    found = 0
    for place in range(count):
        w.left[found] = w.left[place]
        found += 0 if w.kept[w.left[place]] == GOES else 1
    return found


def passes(w: Any, a: int, b: int) -> bool:
    """Whether the chord from vertex a to b may take the place of the pieces between.

    Each piece is to be alone in its leaf. The chord is to be near each vertex between, to meet the
    sides there, in their order, and to go along with pieces of more than two chords: see
    ``outlines.merging``.
    """
    if w.vertices[VERTEX * a + CROWDED] != w.vertices[VERTEX * b + CROWDED]:
        return False
    ax, ay = w.vertices[VERTEX * a + X], w.vertices[VERTEX * a + Y]
    x, y = w.vertices[VERTEX * b + X] - ax, w.vertices[VERTEX * b + Y] - ay
    size, most, before = x * x + y * y, w.may_be[0] * w.may_be[0], 0.0
    for vertex in range(a, b):
        x_along, y_along = (
            w.vertices[VERTEX * vertex + ALONG_X],
            w.vertices[VERTEX * vertex + ALONG_Y],
        )
        if x * x_along + y * y_along <= 0.0 and (x_along != 0.0 or y_along != 0.0):
            return False
    for vertex in range(a + 1, b):
        at = VERTEX * vertex
        x_apart, y_apart = w.vertices[at + X] - ax, w.vertices[at + Y] - ay
        away, across = x * y_apart - y * x_apart, w.vertices[at + ACROSS]
        if not away * away <= most * size:
            return False
        # where it meets the line of the side; else where it is nearest
        along, whole = x * x_apart + y * y_apart, size
        if across == 1.0:
            along, whole = x_apart, x
        elif across == 0.0:
            along, whole = y_apart, y
        if whole == 0.0:
            return False
        share = along / whole
        if not (share > before and share < 1.0):
            return False
        before = share
        if across != NOWHERE:
            meets = ax + x * share if across == 0.0 else ay + y * share
            if not (w.vertices[at + LOW] <= meets <= w.vertices[at + HIGH]):
                return False
    return True


def write_points(w: Any) -> None:
    """Write what stays of each curve; all of a closed curve of which there would be no triangle."""
    count = 0
    for curve in range(w.sizes[CURVES]):
        first, last = w.starts[curve], w.starts[curve + 1]
        stay = 0
        for vertex in range(first, last):
            stay += 0 if w.kept[vertex] == GOES else 1
        is_whole = stay < (4 if w.is_closed[curve] else 2)
        w.starts[curve] = count
        for vertex in range(first, last):
            if is_whole or w.kept[vertex] != GOES:
                w.points[2 * count] = w.vertices[VERTEX * vertex + X]
                w.points[2 * count + 1] = w.vertices[VERTEX * vertex + Y]
                count += 1
    w.starts[w.sizes[CURVES]] = count
