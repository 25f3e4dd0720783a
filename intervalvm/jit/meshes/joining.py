"""Cells are joined where the point of their parent describes the surface as well.

That is where all crossings of its children lie within a tolerance of the tangent planes through the
point, and no side changes twice between neighbouring corners: so edges of the surface stay, and
flat parts are told by few cells. The topological rule is that of Ju and others (2002).
"""

from __future__ import annotations

from typing import Any

from intervalvm.jit.meshes.corners import corner_of
from intervalvm.jit.meshes.layout import COUNT, NODES, QEF, SLOTS, TOLERANCE, WEIGHT
from intervalvm.jit.meshes.planes import set_box, solve

SIDES = 32
"""The place in ``scratch`` of the sides of the 27 corners of children."""


def join_cells(w: Any) -> None:
    """Make parents of leaves leaves, as far as that goes; ``COUNT`` is their number.

    ``before`` has the first children that they had. Their sums are those of their children.
    """
    w.sizes[COUNT] = 0
    # children come after their parents
    for node in range(w.sizes[NODES] - 1, -1, -1):
        first = w.children[node]
        if first >= 0 and can_join(w, first) and are_steady(w, first) and fits(w, node, first):
            w.before[node], w.children[node] = first, -1
            w.slots[node], w.masks[node] = w.sizes[SLOTS], mask_of(w)
            w.sizes[SLOTS] += 1
            w.sizes[COUNT] += 1


def can_join(w: Any, first: int) -> bool:
    """Whether children are leaves, with at most one loop each."""
    found, some = True, False
    for child in range(first, first + 8):
        found = found and w.children[child] < 0 and w.loops[child] <= 1
        some = some or w.slots[child] >= 0
    return found and some


def are_steady(w: Any, first: int) -> bool:
    """Whether each corner of children has the side of one of the parent's corners around it."""
    for child in range(8):
        for corner in range(8):
            side = w.masks[first + child] >> corner & 1
            w.scratch[SIDES + corner_of(child, corner)] = side
    found = True
    for i in range(3):
        for j in range(3):
            for k in range(3):
                found = found and is_steady(w, i, j, k)
    return found


def is_steady(w: Any, i: int, j: int, k: int) -> bool:
    """Whether a corner of children has the side of a parent's corner around it."""
    side, found = w.scratch[SIDES + 9 * i + 3 * j + k], False
    for corner in range(8):
        a, b, c = corner >> 2, corner >> 1 & 1, corner & 1
        is_around = (i == 1 or i == 2 * a) and (j == 1 or j == 2 * b) and (k == 1 or k == 2 * c)
        found = found or (is_around and w.scratch[SIDES + corner_of(corner, corner)] == side)
    return found


def mask_of(w: Any) -> int:
    """The parent's mask."""
    found = 0
    for corner in range(8):
        if w.scratch[SIDES + corner_of(corner, corner)] != 0.0:
            found |= 1 << corner
    return found


def fits(w: Any, node: int, first: int) -> bool:
    """Whether the crossings of children lie near the planes through one point in their parent."""
    at = QEF * w.sizes[SLOTS]
    for k in range(QEF):
        w.sums[at + k] = 0.0
    for child in range(first, first + 8):
        if w.slots[child] >= 0:
            for k in range(QEF):
                w.sums[at + k] += w.sums[QEF * w.slots[child] + k]
    if not w.sums[at + WEIGHT] > 0.0:
        return False
    set_box(w, node)
    solve(w, at, 0)
    found: bool = w.found[3] <= w.frame[TOLERANCE] * w.frame[TOLERANCE]
    return found
