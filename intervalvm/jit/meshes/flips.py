"""Flips from the primal surface to the dual, where nothing can be crossed.

In a cell with one loop the *primal* surface is the cone from the cell's point over the loop. The
cell is convex, so a ray from the point meets its border once: the cone does not cross itself.
Interiors of cells are disjoint. So the primal surface is a closed manifold without
self-intersections, whatever the points of cells are, as long as they lie inside.

*A face is flipped* if the segment between the points of its cells passes through the interior of
the face, at q. Then the chord may be replaced by the polyline through q: the two triangles at the
chord become those at the segment.

*An edge is dual* if all faces around it are flipped, and the ring of the cells' points around it
has a triangulation in the union of the tetrahedra of the edge and of two neighbours in the ring.
Those of different edges have disjoint interiors: in a cell they are cones over triangles on its
faces, from an edge to q. For a ring of three the triangle is to cross the edge. For one of four,
its diagonal is to cross the triangle of the edge and a third point, and the other triangle the
edge. Then the crossing is not a vertex: this is dual contouring. The argument is that of Ju and
Udeshi, "Intersection-free contouring on an octree grid" (2006), with flips in place of new points.
"""

from __future__ import annotations

from typing import Any

from intervalvm.jit.meshes.layout import (
    ACROSS,
    AROUND,
    AT,
    AXIS,
    CROSSINGS,
    DEPTH,
    EDGE,
    FACE,
    FACES,
    FLIPPED,
    LENGTH,
    LOWER,
    OWNER,
    PLAIN,
    STATE,
    UPPER,
)
from intervalvm.jit.meshes.planes import MARGIN

CORNERS = 0
"""The place of points in ``scratch``."""
FAN, TRIANGLE, FIRST_DIAGONAL, SECOND_DIAGONAL = range(4)
"""How the ring around an edge is filled: from the crossing; by one triangle; along a diagonal."""


def flip_faces(w: Any) -> None:
    """Mark the faces that are flipped."""
    for face in range(w.sizes[FACES]):
        at = FACE * face
        if w.faces[at + STATE] != PLAIN or w.faces[at + CROSSINGS] != 2:
            continue
        lower, upper = w.faces[at + LOWER], w.faces[at + UPPER]
        if w.loops[lower] == 1 and w.loops[upper] == 1 and passes(w, face, lower, upper):
            w.faces[at + STATE] = FLIPPED


def passes(w: Any, face: int, lower: int, upper: int) -> bool:
    """Whether the segment between the cells' points passes through the face, with a margin."""
    across, owner = w.faces[FACE * face + ACROSS], w.faces[FACE * face + OWNER]
    share = 1.0 / (1 << w.levels[owner])
    number = w.at[3 * owner + across] + (1 if owner == lower else 0)
    plane = w.frame[across] + w.frame[3 + across] * (number * share)
    a, b = 4 * w.slots[lower], 4 * w.slots[upper]
    t = (plane - w.found[a + across]) / (w.found[b + across] - w.found[a + across])
    found = True
    for turn in range(1, 3):
        axis = (across + turn) % 3
        q = w.found[a + axis] + t * (w.found[b + axis] - w.found[a + axis])
        low = w.frame[axis] + w.frame[3 + axis] * (w.at[3 * owner + axis] * share)
        size = w.frame[3 + axis] * share
        found = found and MARGIN * size < q - low < (1.0 - MARGIN) * size
    return found


def filling(w: Any, edge: int) -> int:
    """How the ring around an edge is filled."""
    at, count = EDGE * edge, 0
    for quadrant in range(4):
        face = w.edge_faces[4 * edge + quadrant]
        if face >= 0:
            count += 1
            if w.faces[FACE * face + STATE] != FLIPPED:
                return FAN
            slot = w.slots[w.edges[at + AROUND + quadrant]]
            for axis in range(3):
                w.scratch[CORNERS + 3 * (count - 1) + axis] = w.found[4 * slot + axis]
    axis = w.edges[at + AXIS]
    for end in range(2):
        for i in range(3):
            number = w.edges[at + AT + i] + (end * w.edges[at + LENGTH] if i == axis else 0)
            share = number * (1.0 / (1 << w.sizes[DEPTH]))
            w.scratch[12 + 3 * end + i] = w.frame[i] + w.frame[3 + i] * share
    if count == 3:
        return TRIANGLE if crosses(w, 4, 5, 0, 1, 2) else FAN
    if count != 4:
        return FAN
    is_first, is_second = is_clear(w, 0, 1, 2, 3), is_clear(w, 1, 2, 3, 0)
    if is_first and is_second:
        return FIRST_DIAGONAL if bend(w, 0, 1, 2, 3) >= bend(w, 1, 2, 3, 0) else SECOND_DIAGONAL
    if is_first:
        return FIRST_DIAGONAL
    return SECOND_DIAGONAL if is_second else FAN


def is_clear(w: Any, a: int, b: int, c: int, d: int) -> bool:
    """Whether a ring may be filled along the diagonal from a to c."""
    if crosses(w, a, c, 4, 5, b):
        return crosses(w, 4, 5, a, c, d)
    return crosses(w, a, c, 4, 5, d) and crosses(w, 4, 5, a, b, c)


def volume(w: Any, a: int, b: int, c: int, d: int) -> float:
    """Six times the signed volume of a tetrahedron of points in ``scratch``."""
    s = w.scratch
    a, b, c, d = 3 * a, 3 * b, 3 * c, 3 * d
    ux, uy, uz = s[b] - s[a], s[b + 1] - s[a + 1], s[b + 2] - s[a + 2]
    vx, vy, vz = s[c] - s[a], s[c + 1] - s[a + 1], s[c + 2] - s[a + 2]
    tx, ty, tz = s[d] - s[a], s[d + 1] - s[a + 1], s[d + 2] - s[a + 2]
    found: float = ux * (vy * tz - vz * ty) + uy * (vz * tx - vx * tz) + uz * (vx * ty - vy * tx)
    return found


def crosses(w: Any, p: int, q: int, a: int, b: int, c: int) -> bool:
    """Whether a segment p, q crosses the interior of a triangle, with a margin."""
    ahead, behind = volume(w, p, a, b, c), volume(w, q, a, b, c)
    if not ahead * behind < 0.0:
        return False
    total = abs(ahead) + abs(behind)
    if not min(abs(ahead), abs(behind)) > MARGIN * total:
        return False
    u, v, t = volume(w, p, q, a, b), volume(w, p, q, b, c), volume(w, p, q, c, a)
    least, most = min(u, min(v, t)), max(u, max(v, t))
    whole = MARGIN * abs(u + v + t)
    return least > whole or most < -whole


def bend(w: Any, a: int, b: int, c: int, d: int) -> float:
    """The cosine between the triangles a, b, c and a, c, d."""
    s = w.scratch
    for triangle in range(2):
        second, third = (b, c) if triangle == 0 else (c, d)
        for i in range(3):
            j, k = (i + 1) % 3, (i + 2) % 3
            u_j, u_k = s[3 * second + j] - s[3 * a + j], s[3 * second + k] - s[3 * a + k]
            v_j, v_k = s[3 * third + j] - s[3 * a + j], s[3 * third + k] - s[3 * a + k]
            s[18 + 3 * triangle + i] = u_j * v_k - u_k * v_j
    dot = s[18] * s[21] + s[19] * s[22] + s[20] * s[23]
    first = s[18] * s[18] + s[19] * s[19] + s[20] * s[20]
    second_size = s[21] * s[21] + s[22] * s[22] + s[23] * s[23]
    return cosine(dot, first * second_size)


def cosine(dot: float, squares: float) -> float:
    """Signed square of a cosine."""
    return dot * abs(dot) / squares if squares > 0.0 else -1.0
