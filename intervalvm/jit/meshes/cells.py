"""The cells of a level of a subdivision, which are the children of cells above."""

from __future__ import annotations

from typing import Any

from intervalvm.jit.meshes.layout import DIMENSIONS, LEVEL, PARENTS


def write_children(w: Any) -> None:
    """Write the children of cells, ``PARENTS`` of them: their numbers, boxes, blocks and keys.

    ``boxes`` are rows of all lower corners by axis, then of all upper ones: see ``cells.frame``.
    """
    n, count = w.sizes[DIMENSIONS], w.sizes[PARENTS]
    room, share = count << n, 1.0 / (1 << w.sizes[LEVEL])
    for k in range(count):
        for child in range(1 << n):
            to = (k << n) + child
            w.owners[to], w.keys[to] = w.blocks[k], (w.parent_keys[k] << n) + child
            for axis in range(n):
                number = 2 * w.parents_at[n * k + axis] + (child >> (n - 1 - axis) & 1)
                low, side = w.frame[axis], w.frame[n + axis]
                w.at[n * to + axis] = number
                w.boxes[room * axis + to] = low + side * (number * share)
                w.boxes[room * (n + axis) + to] = low + side * ((number + 1) * share)
