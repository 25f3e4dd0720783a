"""The triangles of a surface, outside in front, from edges, chords and templates.

Vertices are numbered: the points of slots, then the crossings of edges, then eight corners of each
template, moved towards the centre of its cell.
"""

from __future__ import annotations

from typing import Any

from intervalvm.jit.meshes.flips import (
    FAN,
    FIRST_DIAGONAL,
    SECOND_DIAGONAL,
    TRIANGLE,
    filling,
)
from intervalvm.jit.meshes.layout import (
    AROUND,
    AXIS,
    COUNT,
    CROSSINGS,
    EDGE,
    EDGES,
    FACE,
    FIRST,
    FLIPPED,
    LOWER_IS_INSIDE,
    SLOTS,
    STATE,
    TEMPLATES,
    TRIANGLE_COUNT,
    VERTICES,
)
from intervalvm.jit.meshes.walk import side_b, side_c

CORNER = 12
"""In a template, the first vertex that is a corner; those before are edges."""


def write_triangles(w: Any) -> None:
    """Write all triangles."""
    w.sizes[COUNT] = 0
    for edge in range(w.sizes[EDGES]):
        find_template_edges(w, edge)
        kind = filling(w, edge)
        if kind == FAN:
            write_fan(w, edge)
        else:
            write_ring(w, edge, kind)
    for template in range(w.sizes[TEMPLATES]):
        write_template(w, template)


def write(w: Any, a: int, b: int, c: int, is_front: int) -> None:
    """Write a triangle, turned round unless ``is_front``."""
    at = 3 * w.sizes[COUNT]
    w.sizes[COUNT] += 1
    w.triangles[at] = a
    w.triangles[at + 1], w.triangles[at + 2] = (b, c) if is_front else (c, b)


def point_of(w: Any, edge: int, quadrant: int) -> int:
    """The vertex of a quadrant's cell."""
    found: int = w.slots[w.edges[EDGE * edge + AROUND + quadrant]]
    return found


def write_ring(w: Any, edge: int, kind: int) -> None:
    """Write one or two triangles between the points of cells."""
    a, b, c, d = -1, -1, -1, -1
    for quadrant in range(4):
        if w.edge_faces[4 * edge + quadrant] >= 0:
            a, b, c, d = b, c, d, point_of(w, edge, quadrant)
    front = w.edges[EDGE * edge + LOWER_IS_INSIDE]
    if kind == TRIANGLE:
        write(w, b, c, d, front)
    elif kind == FIRST_DIAGONAL:
        write(w, a, b, c, front)
        write(w, a, c, d, front)
    elif kind == SECOND_DIAGONAL:
        write(w, b, c, d, front)
        write(w, b, d, a, front)


def write_fan(w: Any, edge: int) -> None:
    """Write the triangles around a crossing; those at a chord belong to its first crossing."""
    front, crossing = w.edges[EDGE * edge + LOWER_IS_INSIDE], w.sizes[SLOTS] + edge
    for quadrant in range(4):
        face, turned = w.edge_faces[4 * edge + quadrant], (quadrant + 1) & 3
        if face < 0:
            continue
        here, there = (
            w.edges[EDGE * edge + AROUND + quadrant],
            w.edges[EDGE * edge + AROUND + turned],
        )
        if w.faces[FACE * face + STATE] == FLIPPED:
            write(w, crossing, w.slots[here], w.slots[there], front)
            continue
        other = joined(w, face, edge)
        if other > edge:
            if w.loops[here] == 1:
                write(w, crossing, w.slots[here], w.sizes[SLOTS] + other, front)
            if w.loops[there] == 1:
                write(w, crossing, w.sizes[SLOTS] + other, w.slots[there], front)


def joined(w: Any, face: int, edge: int) -> int:
    """The other end of the chord that begins on an edge."""
    at = FACE * face + FIRST
    found = -1
    for k in range(w.faces[FACE * face + CROSSINGS]):
        if w.faces[at + k] == edge:
            found = w.faces[at + (k ^ 1)]
    return found


def find_template_edges(w: Any, edge: int) -> None:
    """Tell templates where an edge is of theirs."""
    axis = w.edges[EDGE * edge + AXIS]
    for quadrant in range(4):
        cell = w.edges[EDGE * edge + AROUND + quadrant]
        if w.loops[cell] > 1:
            place = 4 * axis + 2 * (1 - side_b(quadrant)) + (1 - side_c(quadrant))
            w.template_edges[12 * w.slots[cell] + place] = edge


def write_template(w: Any, template: int) -> None:
    """Write the triangles of a cell with several loops."""
    case = w.cases[template]
    begin, end = w.starts[case], w.starts[case + 1]
    base = w.sizes[SLOTS] + w.sizes[EDGES] + 8 * template
    for k in range(begin, end):
        at = 3 * w.sizes[COUNT]
        w.sizes[COUNT] += 1
        for i in range(3):
            v = w.table[3 * k + i]
            if v < CORNER:
                w.triangles[at + i] = w.sizes[SLOTS] + w.template_edges[12 * template + v]
            else:
                w.triangles[at + i] = base + v - CORNER


def number(w: Any) -> None:
    """Number the vertices that triangles have, ``COUNT`` of them, anew; -1 for others."""
    for vertex in range(w.sizes[VERTICES]):
        w.numbers[vertex] = -1
    for corner in range(3 * w.sizes[TRIANGLE_COUNT]):
        w.numbers[w.triangles[corner]] = 0
    w.sizes[COUNT] = 0
    for vertex in range(w.sizes[VERTICES]):
        if w.numbers[vertex] == 0:
            w.numbers[vertex] = w.sizes[COUNT]
            w.sizes[COUNT] += 1
    for corner in range(3 * w.sizes[TRIANGLE_COUNT]):
        w.triangles[corner] = w.numbers[w.triangles[corner]]
