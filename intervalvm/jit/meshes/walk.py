"""The walk over the dual of an octree: all minimal edges that cross the surface.

It goes down from pairs of neighbouring nodes, and from the four around an edge, as long as one of
them has children: Ju, Losasso, Schaefer and Warren, "Dual contouring of Hermite data" (2002).
"""

from __future__ import annotations

from typing import Any

from intervalvm.jit.meshes.corners import corner_value
from intervalvm.jit.meshes.layout import (
    AROUND,
    AT,
    AXIS,
    CAPACITY,
    COUNT,
    DEPTH,
    EDGE,
    EDGES,
    LENGTH,
    LOWER_IS_INSIDE,
    NODES,
    SMALLEST,
)

CELL_STEP, FACE_STEP, EDGE_STEP = range(3)
STEP = 6
"""Numbers of a step on the stack: kind, axis and up to four nodes."""
MOST_STEPS = 32
"""Steps that one of them puts on the stack, at most."""


def side_b(quadrant: int) -> int:
    return (quadrant + 1) >> 1 & 1


def side_c(quadrant: int) -> int:
    return quadrant >> 1


def weight(axis: int) -> int:
    """That of an axis in the number of a corner."""
    return 4 >> axis


def walk(w: Any) -> None:
    """Write the edges; ``COUNT`` is their number, which may be more than there is room for."""
    mark_active(w)
    w.sizes[COUNT] = 0
    top = pushed(w, 0, CELL_STEP, 0, 0, 0, 0, 0)
    while top > 0:
        top -= 1
        kind, axis, first = w.stack[STEP * top], w.stack[STEP * top + 1], w.stack[STEP * top + 2]
        if kind == CELL_STEP:
            top = from_cell(w, top, first)
        elif kind == FACE_STEP:
            top = from_face(w, top, axis, first, w.stack[STEP * top + 3])
        else:
            top = from_edge(w, top, axis)


def mark_active(w: Any) -> None:
    """Mark cells with corners on both sides, and nodes with such a cell."""
    for node in range(w.sizes[NODES] - 1, -1, -1):
        first = w.children[node]
        if first < 0:
            w.active[node] = 1 if 0 < w.masks[node] < 255 else 0
            continue
        found = 0
        for child in range(first, first + 8):
            found |= w.active[child]
        w.active[node] = found


def pushed(w: Any, top: int, kind: int, axis: int, a: int, b: int, c: int, d: int) -> int:
    """Put a step on the stack if a node of it is active and has children; returns the new top.

    An edge between leaves is written.
    """
    if not (w.active[a] | w.active[b] | w.active[c] | w.active[d]):
        return top
    # the sign is that of leaves
    if w.children[a] & w.children[b] & w.children[c] & w.children[d] < 0:
        if kind == EDGE_STEP:
            write_edge(w, axis, a, b, c, d)
        return top
    at = STEP * top
    w.stack[at], w.stack[at + 1] = kind, axis
    w.stack[at + 2], w.stack[at + 3], w.stack[at + 4], w.stack[at + 5] = a, b, c, d
    return top + 1


def part(w: Any, node: int, place: int) -> int:
    """The child at a place; the node itself if it is a leaf."""
    first = w.children[node]
    return node if first < 0 else first + place


def from_cell(w: Any, top: int, node: int) -> int:
    """The steps within a node: its children, the faces and the edges between them."""
    first = w.children[node]
    for axis in range(3):
        along, b, c = weight(axis), weight((axis + 1) % 3), weight((axis + 2) % 3)
        for half in range(2):
            start = first + half * along
            top = pushed(w, top, EDGE_STEP, axis, start, start + b, start + b + c, start + c)
        for place in range(4):
            low = first + b * (place & 1) + c * (place >> 1)
            top = pushed(w, top, FACE_STEP, axis, low, low + along, low, low)
    for child in range(first, first + 8):
        top = pushed(w, top, CELL_STEP, 0, child, child, child, child)
    return top


def from_face(w: Any, top: int, axis: int, low: int, high: int) -> int:
    """The steps between two nodes that share a face: its parts and the edges between them."""
    across, n0, n1, n2, n3 = weight(axis), 0, 0, 0, 0
    for turn in range(1, 3):
        along = (axis + turn) % 3  # of the edges; the face's other axis is the third
        other = 3 - axis - along
        is_b = (along + 1) % 3 == axis
        for half in range(2):
            for quadrant in range(4):
                b, c = side_b(quadrant), side_c(quadrant)
                over, beside = (b, c) if is_b else (c, b)
                place = weight(along) * half + across * (1 - over) + weight(other) * beside
                n0, n1, n2, n3 = n1, n2, n3, part(w, high if over else low, place)
            top = pushed(w, top, EDGE_STEP, along, n0, n1, n2, n3)
    b, c = weight((axis + 1) % 3), weight((axis + 2) % 3)
    for place in range(4):
        beside = b * (place & 1) + c * (place >> 1)
        below, above = part(w, low, beside + across), part(w, high, beside)
        top = pushed(w, top, FACE_STEP, axis, below, above, below, above)
    return top


def from_edge(w: Any, top: int, axis: int) -> int:
    """The steps along an edge: its halves.

    The nodes of the step are those just above the top of the stack.
    """
    at = STEP * top + 2
    n0, n1, n2, n3 = w.stack[at], w.stack[at + 1], w.stack[at + 2], w.stack[at + 3]
    b, c = weight((axis + 1) % 3), weight((axis + 2) % 3)
    for half in range(2):
        along = weight(axis) * half
        p0, p1 = part(w, n0, along + b + c), part(w, n1, along + c)
        p2, p3 = part(w, n2, along), part(w, n3, along + b)
        top = pushed(w, top, EDGE_STEP, axis, p0, p1, p2, p3)
    return top


def write_edge(w: Any, axis: int, n0: int, n1: int, n2: int, n3: int) -> None:
    """Write a minimal edge, if it crosses the surface, and the values at its ends.

    Signs are those of a smallest cell.
    """
    small, quadrant = n0, 0
    if w.levels[n1] > w.levels[small]:
        small, quadrant = n1, 1
    if w.levels[n2] > w.levels[small]:
        small, quadrant = n2, 2
    if w.levels[n3] > w.levels[small]:
        small, quadrant = n3, 3
    b_axis, c_axis = (axis + 1) % 3, (axis + 2) % 3
    b, c = 1 - side_b(quadrant), 1 - side_c(quadrant)
    corner = weight(b_axis) * b + weight(c_axis) * c
    lower = w.masks[small] >> corner & 1
    if lower == (w.masks[small] >> (corner + weight(axis)) & 1):
        return
    count = w.sizes[COUNT]
    w.sizes[COUNT] = count + 1
    if count >= w.sizes[CAPACITY]:
        return
    at, unit = EDGE * count, 1 << (w.sizes[DEPTH] - w.levels[small])
    w.edges[at + AXIS], w.edges[at + LOWER_IS_INSIDE] = axis, lower
    w.edges[at + AROUND], w.edges[at + AROUND + 1] = n0, n1
    w.edges[at + AROUND + 2], w.edges[at + AROUND + 3] = n2, n3
    w.edges[at + LENGTH] = unit
    w.edges[at + AT + axis] = w.at[3 * small + axis] * unit
    w.edges[at + AT + b_axis] = (w.at[3 * small + b_axis] + b) * unit
    w.edges[at + AT + c_axis] = (w.at[3 * small + c_axis] + c) * unit
    w.edges[at + SMALLEST] = small
    w.ends[2 * count] = corner_value(w, small, corner)
    w.ends[2 * count + 1] = corner_value(w, small, corner + weight(axis))


def reduce_edges(w: Any) -> None:
    """Make edges, ``COUNT`` of them, those of the tree whose cells were joined since.

    A cell's side changes once at most along an edge, so that each of them was one or part of one.
    """
    mark_joined(w)
    count = 0
    for edge in range(w.sizes[EDGES]):
        at, to = EDGE * edge, EDGE * count
        small, quadrant = -1, 0
        for q in range(4):
            node = w.edges[at + AROUND + q]
            node = node if w.roots_of[node] < 0 else w.roots_of[node]
            w.edges[to + AROUND + q] = node
            if small < 0 or w.levels[node] > w.levels[small]:
                small, quadrant = node, q
        axis, unit = w.edges[at + AXIS], 1 << (w.sizes[DEPTH] - w.levels[small])
        b_axis, c_axis = (axis + 1) % 3, (axis + 2) % 3
        x, b, c = w.edges[at + AT + axis], w.edges[at + AT + b_axis], w.edges[at + AT + c_axis]
        if (b | c) & (unit - 1):
            continue  # within a face, or a cell
        first, second = w.ends[2 * edge], w.ends[2 * edge + 1]
        if unit > w.edges[at + LENGTH]:
            x &= -unit
            corner = weight(b_axis) * (1 - side_b(quadrant)) + weight(c_axis) * (
                1 - side_c(quadrant)
            )
            first = corner_value(w, small, corner)
            second = corner_value(w, small, corner + weight(axis))
        w.edges[to + AXIS], w.edges[to + LOWER_IS_INSIDE] = axis, w.edges[at + LOWER_IS_INSIDE]
        w.edges[to + AT + axis], w.edges[to + AT + b_axis] = x, b
        w.edges[to + AT + c_axis], w.edges[to + LENGTH] = c, unit
        w.edges[to + SMALLEST] = small
        w.ends[2 * count], w.ends[2 * count + 1] = first, second
        count += 1
    w.sizes[COUNT] = count


def mark_joined(w: Any) -> None:
    """Find of each node the cell that it is in now, if that was joined."""
    for node in range(w.sizes[NODES]):
        w.roots_of[node] = -1
    for node in range(w.sizes[NODES]):
        first = w.before[node] if w.before[node] >= 0 else w.children[node]
        if first >= 0 and (w.before[node] >= 0 or w.roots_of[node] >= 0):
            cell = node if w.roots_of[node] < 0 else w.roots_of[node]
            for child in range(first, first + 8):
                w.roots_of[child] = cell
