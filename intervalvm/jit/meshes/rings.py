"""The minimal faces around edges, and the loops in which the surface meets the borders of cells.

On the border of a face the crossings are joined by chords: two by one. Four of a face of the finest
level are joined around its corners that are inside, so that both cells see the same curve. In a
cell each crossing lies on two of its faces: so chords form closed loops on its border.
"""

from __future__ import annotations

from typing import Any

from intervalvm.jit.meshes.layout import (
    ACROSS,
    AROUND,
    AT,
    AXIS,
    CROSSINGS,
    EDGE,
    EDGES,
    FACE,
    FACES,
    FIRST,
    LENGTH,
    LOWER,
    LOWER_IS_INSIDE,
    OWNER,
    PLAIN,
    STATE,
    TANGLED,
    TORN,
    UPPER,
)


def find_rings(w: Any) -> None:
    """Write the faces and what state they are in, and count the loops of cells.

    ``face_of`` and ``loops`` are 0 before.
    """
    w.sizes[FACES] = 0
    for edge in range(w.sizes[EDGES]):
        for quadrant in range(4):
            meet(w, edge, quadrant)
            w.parents[4 * edge + quadrant] = 4 * edge + quadrant
    for face in range(w.sizes[FACES]):
        judge(w, face)
        at = FACE * face
        if w.faces[at + STATE] == PLAIN:
            for pair in range(0, w.faces[at + CROSSINGS], 2):
                first, second = w.faces[at + FIRST + pair], w.faces[at + FIRST + pair + 1]
                join(w, first, second, w.faces[at + LOWER])
                join(w, first, second, w.faces[at + UPPER])
    for edge in range(w.sizes[EDGES]):
        for quadrant in range(4):
            cell, own = w.edges[EDGE * edge + AROUND + quadrant], 4 * edge + quadrant
            if incidence(w, edge, cell) == own and w.parents[own] == own:
                w.loops[cell] += 1


def meet(w: Any, edge: int, quadrant: int) -> None:
    """Add an edge to the face between a quadrant's cell and the next one's."""
    at, turned = EDGE * edge, (quadrant + 1) & 3
    here, there = w.edges[at + AROUND + quadrant], w.edges[at + AROUND + turned]
    if here == there:
        w.edge_faces[4 * edge + quadrant] = -1
        return
    # from quadrants 0 and 1 the next one lies in the direction of b and c, then back
    across = (w.edges[at + AXIS] + 1 + (quadrant & 1)) % 3
    lower, upper = (here, there) if quadrant < 2 else (there, here)
    is_upper = w.levels[upper] > w.levels[lower]
    owner = upper if is_upper else lower
    key = 6 * owner + 2 * across + (0 if is_upper else 1)
    face = w.face_of[key] - 1
    if face < 0:
        face = w.sizes[FACES]
        w.sizes[FACES] = face + 1
        w.face_of[key] = face + 1
        start = FACE * face
        w.faces[start + LOWER], w.faces[start + UPPER] = lower, upper
        w.faces[start + ACROSS], w.faces[start + OWNER] = across, owner
        w.faces[start + CROSSINGS], w.faces[start + STATE] = 0, PLAIN
    start = FACE * face
    count = w.faces[start + CROSSINGS]
    if count < 4:
        w.faces[start + FIRST + count] = edge
    w.faces[start + CROSSINGS] = count + 1
    w.edge_faces[4 * edge + quadrant] = face


def judge(w: Any, face: int) -> None:
    """Find how a face's crossings are joined, and order them so."""
    at = FACE * face
    count, first = w.faces[at + CROSSINGS], w.faces[at + FIRST]
    if count & 1:
        w.faces[at + STATE] = TORN
    elif count == 2:
        if are_in_line(w, first, w.faces[at + FIRST + 1]):
            w.faces[at + STATE] = TANGLED
    elif count == 4:
        for other in range(1, 4):
            second = w.faces[at + FIRST + other]
            if share_inside(w, first, second):
                w.faces[at + FIRST + other] = w.faces[at + FIRST + 1]
                w.faces[at + FIRST + 1] = second
                break
        a, b = w.faces[at + FIRST + 1], w.faces[at + FIRST + 2]
        if not (share_inside(w, first, a) and share_inside(w, b, w.faces[at + FIRST + 3])):
            w.faces[at + STATE] = TANGLED
    else:
        w.faces[at + STATE] = TANGLED


def are_in_line(w: Any, a: int, b: int) -> bool:
    """Whether two edges lie on one line: a chord between them would lie on the face's border."""
    axis = w.edges[EDGE * a + AXIS]
    if axis != w.edges[EDGE * b + AXIS]:
        return False
    u, v = (axis + 1) % 3, (axis + 2) % 3
    at, to = EDGE * a + AT, EDGE * b + AT
    found: bool = w.edges[at + u] == w.edges[to + u] and w.edges[at + v] == w.edges[to + v]
    return found


def inside_end(w: Any, edge: int, axis: int) -> int:
    """A coordinate of the end that is inside."""
    at = EDGE * edge
    found: int = w.edges[at + AT + axis]
    if axis == w.edges[at + AXIS] and not w.edges[at + LOWER_IS_INSIDE]:
        found += w.edges[at + LENGTH]
    return found


def share_inside(w: Any, a: int, b: int) -> bool:
    """Whether two edges meet in their ends that are inside."""
    found = True
    for axis in range(3):
        found = found and inside_end(w, a, axis) == inside_end(w, b, axis)
    return found


def incidence(w: Any, edge: int, cell: int) -> int:
    """The number of an edge at a cell."""
    quadrant = 0
    while w.edges[EDGE * edge + AROUND + quadrant] != cell:
        quadrant += 1
    return 4 * edge + quadrant


def root(w: Any, i: int) -> int:
    """The representative of an incidence."""
    while w.parents[i] != i:
        w.parents[i] = w.parents[w.parents[i]]
        i = w.parents[i]
    return i


def join(w: Any, first: int, second: int, cell: int) -> None:
    """Join two crossings in a cell."""
    a, b = root(w, incidence(w, first, cell)), root(w, incidence(w, second, cell))
    w.parents[max(a, b)] = min(a, b)
