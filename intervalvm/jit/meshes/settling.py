"""The points of cells are moved to the surface, a step of all of them at a time.

A point that lies in all planes of its cell but off the surface shows a plane that no edge of the
cell crosses: it is added, so that edges of the solid stay straight. Then Newton's method goes along
the gradient. A point that would leave its cell stops at its border. It is near the surface already,
unless edges of the solid pass by its cell.
"""

from __future__ import annotations

import math
from typing import Any

from intervalvm.jit.meshes.layout import COUNT, QEF, ROOM
from intervalvm.jit.meshes.planes import add_to_sums, entry, set_box, solve
from intervalvm.jit.meshes.roots import write_normal

HIDDEN, NEWTON, LAST = 3, 4, 10
"""Stages of a point: so many planes were added to its cell; from ``NEWTON`` on so many steps were
taken; that of the last one."""
NEAR, SMOOTH = 2.0**-12, 2.0**-5
"""Shares of a cell that are near enough: a step that is shorter is the last one. The second is that
of a cell whose planes have one direction: an error of the step is its square, of the cell over the
radius of the surface."""
ASIDE = 2.0**-5
"""How far directions of planes differ then: the sum of squared sines, by their number."""


def settle(w: Any) -> None:
    """Take a step by ``duals``; ask for the points that go on. All start at stage 0."""
    count, going = w.sizes[COUNT], 0
    for k in range(count):
        slot = w.left[k]
        set_box(w, w.cells[slot])
        if is_changed(w, k, slot):
            w.left[going], w.owners[going] = slot, w.blocks[w.cells[slot]]
            for i in range(3):
                w.asked[w.sizes[ROOM] * i + going] = w.points[3 * slot + i]
            going += 1
    w.sizes[COUNT] = going


def is_changed(w: Any, k: int, slot: int) -> bool:
    """Whether a point has a new place to look at, in ``points``."""
    value, stage, squares = w.duals[k], w.stages[slot], 0.0
    for i in range(3):
        slope = w.duals[w.sizes[ROOM] * (1 + i) + k]
        squares += slope * slope
    if stage < NEWTON:
        if stage < HIDDEN and is_hidden(w, slot, value, squares):
            add_hidden(w, k, slot, value, squares)
            return True
    elif not abs(value) < abs(w.values[slot]):
        return False
    w.values[slot], w.stages[slot] = value, max(stage + 1, NEWTON)
    for i in range(3):
        w.found[4 * slot + i] = w.points[3 * slot + i]
    write_normal(w, k, slot)
    return stage < LAST and 0.0 < squares < math.inf and moves(w, k, slot, value / squares)


def smallest(w: Any) -> float:
    """The least side of ``box``."""
    found: float = min(w.box[3] - w.box[0], min(w.box[4] - w.box[1], w.box[5] - w.box[2]))
    return found


def is_hidden(w: Any, slot: int, value: float, squares: float) -> bool:
    """Whether a point shows a plane."""
    if not 0.0 < squares < math.inf:
        return False
    away, size = abs(value) / math.sqrt(squares), smallest(w)
    return 2.0 * math.sqrt(w.found[4 * slot + 3]) + NEAR * size < away < size


def add_hidden(w: Any, k: int, slot: int, value: float, squares: float) -> None:
    """Add the plane at a point to those of its cell, and find its new point."""
    room, length, at = w.sizes[ROOM], math.sqrt(squares), QEF * w.slots[w.cells[slot]]
    x, y, z = w.duals[room + k], w.duals[2 * room + k], w.duals[3 * room + k]
    x, y, z = x / length, y / length, z / length
    p = 3 * slot
    away = x * w.points[p] + y * w.points[p + 1] + z * w.points[p + 2] - value / length
    add_to_sums(w, at, x, y, z, away)
    solve(w, at, 4 * slot)
    w.stages[slot] += 1
    for i in range(3):
        w.points[p + i] = w.found[4 * slot + i]


def moves(w: Any, k: int, slot: int, share: float) -> bool:
    """Move a point by a share of its gradient; whether so far that it is to be looked at."""
    most = 0.0
    for i in range(3):
        step = share * w.duals[w.sizes[ROOM] * (1 + i) + k]
        most = max(most, abs(step))
        to = w.found[4 * slot + i] - step
        w.points[3 * slot + i] = max(w.box[i], min(to, w.box[3 + i]))
    if most > (SMOOTH if is_smooth(w, k, slot) else NEAR) * smallest(w):
        return True
    for i in range(3):
        w.found[4 * slot + i] = w.points[3 * slot + i]
    return False


def is_smooth(w: Any, k: int, slot: int) -> bool:
    """Whether the planes of a cell lie across the gradient."""
    room, at, squares, along, total = w.sizes[ROOM], QEF * w.slots[w.cells[slot]], 0.0, 0.0, 0.0
    for i in range(3):
        for j in range(3):
            a, b = w.duals[room * (1 + i) + k], w.duals[room * (1 + j) + k]
            along += a * b * entry(w, at, i, j)
            squares += a * b if i == j else 0.0
            total += entry(w, at, i, j) if i == j else 0.0
    return along >= (1.0 - ASIDE) * squares * total
