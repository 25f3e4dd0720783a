"""Vertices that are not needed: every second one is tried, until none can go."""

from __future__ import annotations

from typing import Any

from intervalvm.jit.outlines.layout import (
    ALONE,
    ALONG_X,
    ALONG_Y,
    COUNT,
    HIGH_X,
    HIGH_Y,
    LOW_X,
    LOW_Y,
    VERTEX,
    X,
    Y,
)


def merge(w: Any) -> None:
    """Set ``kept`` of vertices that may go to 0.

    ``kept`` is 1 and ``failed`` is -1 before; ``fixed`` are not to go.
    """
    many, crowded = w.sizes[COUNT], 0
    for vertex in range(many):
        w.crowded[vertex] = crowded
        crowded += 0 if w.vertices[VERTEX * vertex + ALONE] else 1
    idle, parity = 0, 1
    while idle < 2:
        idle = 0 if thin(w, parity) else idle + 1
        parity = 3 - parity


def thin(w: Any, parity: int) -> int:
    """Try every second vertex from the first or the second on; returns how many went."""
    count, gone = 0, 0
    for vertex in range(w.sizes[COUNT]):
        if w.kept[vertex]:
            w.left[count] = vertex
            count += 1
    for place in range(parity, count - 1, 2):
        a, vertex, b = w.left[place - 1], w.left[place], w.left[place + 1]
        if w.fixed[vertex] or (w.failed[2 * vertex] == a and w.failed[2 * vertex + 1] == b):
            continue
        if w.crowded[a] == w.crowded[b] and passes(w, a, b):
            w.kept[vertex] = 0
            gone += 1
        else:
            w.failed[2 * vertex], w.failed[2 * vertex + 1] = a, b
    return gone


def passes(w: Any, a: int, b: int) -> bool:
    """Whether the chord from vertex a to b may take the place of the pieces between.

    It is to be near each vertex between, to meet the sides there, in their order, and to go along
    with pieces of more than two chords: see ``outlines.merging``.
    """
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
        away = x * y_apart - y * x_apart
        if not away * away <= most * size:
            return False
        # where it meets the line of the side; else where it is nearest
        x_flat = w.vertices[at + LOW_X] == w.vertices[at + HIGH_X]
        y_flat = w.vertices[at + LOW_Y] == w.vertices[at + HIGH_Y]
        along, whole = x * x_apart + y * y_apart, size
        if x_flat:
            along, whole = x_apart, x
        elif y_flat:
            along, whole = y_apart, y
        if whole == 0.0:
            return False
        share = along / whole
        if not (share > before and share < 1.0):
            return False
        before = share
        if not (x_flat or is_within(w, at + LOW_X, at + HIGH_X, ax + x * share)):
            return False
        if not (y_flat or is_within(w, at + LOW_Y, at + HIGH_Y, ay + y * share)):
            return False
    return True


def is_within(w: Any, low: int, high: int, number: float) -> bool:
    found: bool = w.vertices[low] <= number <= w.vertices[high]
    return found
