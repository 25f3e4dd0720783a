"""Vertices that flat parts do not need are removed: the surface stays the same set of points.

A vertex whose triangles lie in one plane, or in two planes that meet in a straight edge through it,
is moved into a neighbour: any in one plane, one along the edge in two. Its triangles fill the same
polygon in each plane then, as long as none is turned over. So nothing new is crossed. *The same* is
meant to a slack far below a cell, since vertices are rounded.
"""

from __future__ import annotations

import math
from typing import Any

from intervalvm.jit.meshes.layout import COUNT, SLACK, TRIANGLE_COUNT, VERTICES

MOST = 64
"""Triangles of a vertex that is looked at."""
ROUNDS = 24
"""The most rounds over all vertices."""
LEAST_AREA = 2.0**-20
"""Twice the area of a new triangle, as a share of its longest side's square, at least."""
LOOSE = 64.0
"""Triangles within so many slacks of the plane of another are looked at."""
PLANES, NORMAL = 0, 6
"""Places in ``scratch``: two unit normals, and one that is computed."""
NONE, FIRST = -1, 0
SEEN, STALE, CURVED = range(3)
"""States of a vertex: its triangles have not changed since it was looked at; they may have; they
lie in more than two planes, and always will, since the surface stays the same set."""


def thin(w: Any) -> None:
    """Remove vertices; the triangles that are left come first, ``COUNT`` of them."""
    link(w)
    remove(w)
    w.sizes[COUNT] = 0
    for triangle in range(w.sizes[TRIANGLE_COUNT]):
        if w.alive[triangle]:
            for i in range(3):
                w.triangles[3 * w.sizes[COUNT] + i] = w.triangles[3 * triangle + i]
            w.sizes[COUNT] += 1


def remove(w: Any) -> None:
    """Remove vertices, ``COUNT`` of them; ``alive`` marks the triangles that are left."""
    w.sizes[COUNT] = 0
    for _ in range(ROUNDS):
        before = w.sizes[COUNT]
        for vertex in range(w.sizes[VERTICES]):
            if w.states[vertex] == STALE:
                w.states[vertex] = SEEN
                look_at(w, vertex)
        if w.sizes[COUNT] == before:
            return


def link(w: Any) -> None:
    """Make the lists of corners of each vertex: ``heads``, ``tails`` and ``nexts``."""
    for vertex in range(w.sizes[VERTICES]):
        w.heads[vertex], w.stamps[vertex], w.states[vertex] = NONE, NONE, STALE
    for triangle in range(w.sizes[TRIANGLE_COUNT]):
        w.alive[triangle] = 1
        for corner in range(3 * triangle, 3 * triangle + 3):
            vertex = w.triangles[corner]
            w.nexts[corner] = NONE
            if w.heads[vertex] < 0:
                w.heads[vertex] = corner
            else:
                w.nexts[w.tails[vertex]] = corner
            w.tails[vertex] = corner


def look_at(w: Any, vertex: int) -> None:
    """Remove a vertex, if that can be."""
    count = gather(w, vertex)
    if count < 3 or count > MOST:
        return
    planes = find_planes(w, vertex, count)
    if planes == 0:
        w.states[vertex] = CURVED
        return
    for k in range(count):
        to = after(w, w.ring[k])
        if planes == 2 and not is_along_edge(w, vertex, to, count):
            continue
        if can_move(w, vertex, to, count):
            move(w, vertex, to, count)
            return


def gather(w: Any, vertex: int) -> int:
    """Write the corners of a vertex to ``ring``; returns their number, or more than ``MOST``.

    Those of triangles that are gone leave its list.
    """
    count, corner, last = 0, w.heads[vertex], NONE
    while corner >= 0 and count <= MOST:
        after_it = w.nexts[corner]
        if w.alive[corner // 3]:
            if count < MOST:
                w.ring[count] = corner
            count, last = count + 1, corner
        else:
            if last < 0:
                w.heads[vertex] = after_it
            else:
                w.nexts[last] = after_it
            if after_it < 0:
                w.tails[vertex] = last
        corner = after_it
    return count


def after(w: Any, corner: int) -> int:
    """The vertex that follows in the corner's triangle."""
    found: int = w.triangles[corner - 2 if corner % 3 == 2 else corner + 1]
    return found


def before_it(w: Any, corner: int) -> int:
    """The vertex before in the corner's triangle."""
    found: int = w.triangles[corner + 2 if corner % 3 == 0 else corner - 1]
    return found


def find_planes(w: Any, vertex: int, count: int) -> int:
    """The number of planes of a vertex's triangles, 0 if more than 2; ``sides`` has each one's.

    A plane is that of the largest triangle that is in none before: rounding turns it the least.
    """
    if not may_be_planes(w, vertex):
        return 0
    for k in range(count):
        w.sides[k] = NONE
    for plane in range(2):
        if not set_plane(w, plane, vertex, count):
            return 0
        left = 0
        for k in range(count):
            if w.sides[k] < 0:
                a, b = after(w, w.ring[k]), before_it(w, w.ring[k])
                away = max(height(w, plane, vertex, a), height(w, plane, vertex, b))
                if away <= w.frame[SLACK] and faces(w, plane, vertex, a, b):
                    w.sides[k] = plane
                else:
                    left += 1
        if left == 0:
            return plane + 1
    return 0


def may_be_planes(w: Any, vertex: int) -> bool:
    """Whether two of three triangles lie in one plane: in a curved surface none do."""
    for k in range(3):
        a, b = after(w, w.ring[k]), before_it(w, w.ring[k])
        cross(w, vertex, a, b)
        length = crossed(w)
        if not length > 0.0:
            return True
        for axis in range(3):
            w.scratch[PLANES + axis] = w.scratch[NORMAL + axis] / length
        other = w.ring[k + 1 if k < 2 else 0]
        a, b = after(w, other), before_it(w, other)
        away = max(height(w, FIRST, vertex, a), height(w, FIRST, vertex, b))
        if away <= LOOSE * w.frame[SLACK]:
            return True
    return False


def set_plane(w: Any, plane: int, vertex: int, count: int) -> bool:
    """Make a plane that of the largest triangle without one; whether it has an area."""
    most, largest = 0.0, NONE
    for k in range(count):
        if w.sides[k] < 0:
            cross(w, vertex, after(w, w.ring[k]), before_it(w, w.ring[k]))
            length = crossed(w)
            if length > most:
                most, largest = length, k
    if largest < 0:
        return False
    cross(w, vertex, after(w, w.ring[largest]), before_it(w, w.ring[largest]))
    for axis in range(3):
        w.scratch[PLANES + 3 * plane + axis] = w.scratch[NORMAL + axis] / most
    return True


def cross(w: Any, vertex: int, a: int, b: int) -> None:
    """Write the cross product of the ways from a vertex to two others."""
    v, p, q = 3 * vertex, 3 * a, 3 * b
    for axis in range(3):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        u_i, u_j = w.vertices[p + i] - w.vertices[v + i], w.vertices[p + j] - w.vertices[v + j]
        t_i, t_j = w.vertices[q + i] - w.vertices[v + i], w.vertices[q + j] - w.vertices[v + j]
        w.scratch[NORMAL + axis] = u_i * t_j - u_j * t_i


def crossed(w: Any) -> float:
    """The length of the last cross product."""
    s = w.scratch
    squares = s[NORMAL] * s[NORMAL] + s[NORMAL + 1] * s[NORMAL + 1]
    return math.sqrt(squares + s[NORMAL + 2] * s[NORMAL + 2])


def height(w: Any, plane: int, vertex: int, other: int) -> float:
    """How far another vertex is from a plane through a vertex."""
    found = 0.0
    for axis in range(3):
        away = w.vertices[3 * other + axis] - w.vertices[3 * vertex + axis]
        found += w.scratch[PLANES + 3 * plane + axis] * away
    return abs(found)


def faces(w: Any, plane: int, vertex: int, a: int, b: int) -> bool:
    """Whether a triangle faces as its plane does, and is not a sliver."""
    cross(w, vertex, a, b)
    found = 0.0
    for axis in range(3):
        found += w.scratch[PLANES + 3 * plane + axis] * w.scratch[NORMAL + axis]
    longest = max(squared(w, vertex, a), max(squared(w, a, b), squared(w, b, vertex)))
    return found > LEAST_AREA * longest


def squared(w: Any, a: int, b: int) -> float:
    """The square of a distance."""
    found = 0.0
    for axis in range(3):
        away = w.vertices[3 * b + axis] - w.vertices[3 * a + axis]
        found += away * away
    return found


def is_along_edge(w: Any, vertex: int, to: int, count: int) -> bool:
    """Whether ``to`` lies on the edge between two planes, and another vertex opposite to it."""
    if not is_between(w, to, count):
        return False
    for k in range(count):
        other = after(w, w.ring[k])
        if other != to and is_between(w, other, count):
            cross(w, vertex, to, other)
            area, dot = crossed(w), 0.0
            for axis in range(3):
                v = w.vertices[3 * vertex + axis]
                dot += (w.vertices[3 * to + axis] - v) * (w.vertices[3 * other + axis] - v)
            return dot < 0.0 and area <= w.frame[SLACK] * math.sqrt(squared(w, to, other))
    return False


def is_between(w: Any, other: int, count: int) -> bool:
    """Whether the two triangles at an edge of the gathered vertex are in different planes."""
    found = 0
    for k in range(count):
        if after(w, w.ring[k]) == other or before_it(w, w.ring[k]) == other:
            found |= 1 << w.sides[k]
    return found == 3


def can_move(w: Any, vertex: int, to: int, count: int) -> bool:
    """Whether a vertex may be moved into a neighbour: the surface stays a manifold, no triangle is
    turned over, and all stay in their planes."""
    for k in range(count):
        a, b = after(w, w.ring[k]), before_it(w, w.ring[k])
        w.stamps[a] = w.stamps[b] = vertex
        if a != to and b != to:
            plane = w.sides[k]
            if height(w, plane, vertex, to) > w.frame[SLACK] or not faces(w, plane, to, a, b):
                return False
    common, corner, seen = 0, w.heads[to], 0
    while corner >= 0:
        if w.alive[corner // 3]:
            seen += 1
            common += 1 if w.stamps[after(w, corner)] == vertex else 0
        corner = w.nexts[corner]
        if seen > MOST:
            return False
    # each neighbour of ``to`` follows it in one of its triangles
    return common == 2


def move(w: Any, vertex: int, to: int, count: int) -> None:
    """Move a vertex into a neighbour."""
    for k in range(count):
        corner = w.ring[k]
        if after(w, corner) == to or before_it(w, corner) == to:
            w.alive[corner // 3] = 0
        w.triangles[corner] = to
        make_stale(w, after(w, corner))
        make_stale(w, before_it(w, corner))
    make_stale(w, to)
    w.states[vertex] = SEEN
    w.nexts[w.tails[to]] = w.heads[vertex]
    w.tails[to], w.heads[vertex] = w.tails[vertex], NONE
    w.sizes[COUNT] += 1


def make_stale(w: Any, vertex: int) -> None:
    """Let a vertex be looked at again, whose triangles have changed."""
    if w.states[vertex] != CURVED:
        w.states[vertex] = STALE
