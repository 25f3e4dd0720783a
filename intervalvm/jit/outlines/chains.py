"""Sides in the order of curves, and the vertices of these."""

from __future__ import annotations

import math
from typing import Any

from intervalvm.jit.outlines.layout import (
    ACROSS,
    ALONE,
    ALONG_X,
    ALONG_Y,
    AXIS,
    CORNER_ROOM,
    COUNT,
    CROWDED,
    CURVES,
    DENT,
    FOLLOWER,
    HIGH,
    LOW,
    LOWER,
    NOWHERE,
    OWNER,
    PIECE,
    SIDE,
    SIDE_ROOM,
    SIDES,
    UPPER,
    VERTEX,
    X,
    Y,
)

MOST = 4
"""Vertices of a piece."""


def chain(w: Any) -> None:
    """Write ``order``, and of each curve its start there and whether it is closed.

    Open curves come first, from their starts: sides that follow none. Crossed sides are those that
    are ``met``. It is changed: to 0 for those that were written.
    """
    w.sizes[CURVES] = w.sizes[COUNT] = 0
    for side in range(w.sizes[SIDES]):
        if w.met[side]:
            w.met[side] = 1
    for side in range(w.sizes[SIDES]):
        follower = w.pieces[PIECE * side + FOLLOWER]
        if w.met[side] and follower >= 0:
            w.met[follower] = 2
    for side in range(w.sizes[SIDES]):
        if w.met[side] == 1:
            write_order(w, side)
    for side in range(w.sizes[SIDES]):
        if w.met[side]:
            write_order(w, side)
    w.starts[w.sizes[CURVES]] = w.sizes[COUNT]


def write_order(w: Any, first: int) -> None:
    curve = w.sizes[CURVES]
    w.starts[curve] = w.sizes[COUNT]
    side = first
    while side >= 0 and w.met[side]:
        w.met[side] = 0
        w.order[w.sizes[COUNT]] = side
        w.sizes[COUNT] += 1
        side = w.pieces[PIECE * side + FOLLOWER]
    w.is_closed[curve] = 1 if side == first else 0
    w.sizes[CURVES] = curve + 1


def write_vertices(w: Any) -> None:
    """Write the vertices of all curves, a closed one from its sharpest corner to there.

    ``starts`` are those of sides before, and of vertices then.
    """
    count, crowded = 0, 0
    for curve in range(w.sizes[CURVES]):
        many, first = 0, 0
        for place in range(w.starts[curve], w.starts[curve + 1]):
            many = write_piece(w, w.order[place], many)
        if w.is_closed[curve]:
            first = sharpest(w, many)
        w.starts[curve] = count
        for step in range(many + w.is_closed[curve]):
            vertex = first + step
            if vertex >= many:
                vertex -= many
            start, end = VERTEX * vertex, VERTEX * count
            for field in range(CROWDED):
                w.vertices[end + field] = w.loop[start + field]
            w.vertices[end + CROWDED] = crowded
            crowded += 1 if w.loop[start + CROWDED] > 0.0 else 0
            count += 1
    w.starts[w.sizes[CURVES]] = w.sizes[COUNT] = count


def write_piece(w: Any, side: int, many: int) -> int:
    """Write a crossing, and the points by which the piece goes on; returns the new number."""
    x, y = w.crossings[side], w.crossings[w.sizes[SIDE_ROOM] + side]
    piece, axis = PIECE * side, w.sides[SIDE * side + AXIS]
    alone, leaf, dent = w.pieces[piece + ALONE], w.pieces[piece + OWNER], w.pieces[piece + DENT]
    write(w, many, x, y, alone)
    at, corner = VERTEX * many, axis * w.sizes[CORNER_ROOM]
    low = w.places[corner + w.sides[SIDE * side + LOWER]]
    high = w.places[corner + w.sides[SIDE * side + UPPER]]
    away = min(w.limits[0], (high - low) * w.limits[1])
    w.loop[at + LOW], w.loop[at + HIGH], w.loop[at + ACROSS] = low + away, high - away, axis
    if dent:
        write(w, many + 1, w.dent_points[2 * (dent - 1)], w.dent_points[2 * (dent - 1) + 1], 0)
        return many + 2
    if not alone or w.way[leaf] < 0 or not is_way(w, leaf, 1):
        return many + 1
    end = w.pieces[piece + FOLLOWER]
    x_along, y_along = w.crossings[end] - x, w.crossings[w.sizes[SIDE_ROOM] + end] - y
    if not goes_along(w, leaf, x, y, x_along, y_along):
        # a single point may be anywhere
        write(w, many + 1, way(w, leaf, 1, 0), way(w, leaf, 1, 1), 1)
        return many + 2
    found = many + 1
    for k in range(3):
        if is_way(w, leaf, k):
            write(w, found, way(w, leaf, k, 0), way(w, leaf, k, 1), 1)
            found += 1
    for vertex in range(many, found):
        w.loop[VERTEX * vertex + ALONG_X], w.loop[VERTEX * vertex + ALONG_Y] = x_along, y_along
    return found


def write(w: Any, vertex: int, x: float, y: float, alone: int) -> None:
    """Write a vertex that is within a leaf, of a piece that is alone there or not."""
    at = VERTEX * vertex
    w.loop[at + X], w.loop[at + Y], w.loop[at + CROWDED] = x, y, 1 - alone
    w.loop[at + LOW], w.loop[at + HIGH], w.loop[at + ACROSS] = 0.0, 0.0, NOWHERE
    w.loop[at + ALONG_X], w.loop[at + ALONG_Y] = 0.0, 0.0


def way(w: Any, leaf: int, k: int, axis: int) -> float:
    """A coordinate of a point of the piece in a leaf."""
    found: float = w.ways[6 * w.way[leaf] + 2 * k + axis]
    return found


def is_way(w: Any, leaf: int, k: int) -> bool:
    """Whether there is that point: it is not NaN."""
    return way(w, leaf, k, 0) == way(w, leaf, k, 0)


def goes_along(w: Any, leaf: int, x: float, y: float, x_along: float, y_along: float) -> bool:
    """Whether there are points besides the middle one, and all are in order along a direction."""
    if not is_way(w, leaf, 0) and not is_way(w, leaf, 2):
        return False
    before = 0.0
    for k in range(3):
        if is_way(w, leaf, k):
            share = (way(w, leaf, k, 0) - x) * x_along + (way(w, leaf, k, 1) - y) * y_along
            if not share > before:
                return False
            before = share
    return before < x_along * x_along + y_along * y_along


def sharpest(w: Any, many: int) -> int:
    """The vertex of a closed curve with the least cosine of the angle that it turns by."""
    found, least = 0, 2.0
    for vertex in range(many):
        at, before, after = vertex, vertex - 1, vertex + 1
        if vertex == 0:
            before = many - 1
        if after == many:
            after = 0
        at, before, after = VERTEX * at, VERTEX * before, VERTEX * after
        ax, ay = w.loop[at + X] - w.loop[before + X], w.loop[at + Y] - w.loop[before + Y]
        bx, by = w.loop[after + X] - w.loop[at + X], w.loop[after + Y] - w.loop[at + Y]
        size = math.sqrt((ax * ax + ay * ay) * (bx * bx + by * by))
        cosine = (ax * bx + ay * by) / size if size > 0.0 else -2.0
        if cosine < least:
            found, least = vertex, cosine
    return found
