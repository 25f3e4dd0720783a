"""The cells of a level of a subdivision, and the blocks that nodes are in."""

from __future__ import annotations

import math
from typing import Any

from intervalvm.jit.meshes.layout import COUNT, DIMENSIONS, LEVEL, NODES, PARENTS, ROOM

OUTSIDE, INSIDE, SIMPLE, UNDECIDED, SPLIT = range(5)
"""Verdicts: see ``cells.subdivision``."""


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


def judge(w: Any) -> None:
    """Find the verdicts of cells, ``ROOM`` of them, by bounds from ``lower`` to ``upper``.

    Those that may be simple are ``cells``, ``COUNT`` of them; rows of ``found`` are their boxes.
    """
    room, count = w.sizes[ROOM], 0
    for k in range(room):
        verdict = UNDECIDED
        if w.lower[k] >= 0.0:  # a point where the function is undefined is outside
            verdict = OUTSIDE
        elif w.upper[k] < 0.0 and not w.maybe_nan[k]:
            verdict = INSIDE
        w.verdicts[k] = verdict
        if verdict == UNDECIDED and not w.maybe_nan[k]:
            w.cells[count] = k
            count += 1
    w.sizes[COUNT] = count
    for row in range(2 * w.sizes[DIMENSIONS]):
        for k in range(count):
            w.found[room * row + k] = w.boxes[room * row + w.cells[k]]
    for k in range(count):
        w.owners[k] = w.blocks[w.cells[k]]


def mark_simple(w: Any) -> None:
    """Mark those of ``cells`` that are simple, by bounds of gradients in rows of ``COUNT``.

    See ``cells.subdivision.is_simple``. ``limits`` are the sides of cells and the tolerance.
    """
    n, count = w.sizes[DIMENSIONS], w.sizes[COUNT]
    for k in range(count):
        grows, squares, away, is_known = 0.0, 0.0, 0.0, not w.maybe_nan[k]
        for axis in range(n):
            lower, upper = w.lower[count * axis + k], w.upper[count * axis + k]
            middle, half = lower * 0.5 + upper * 0.5, upper * 0.5 - lower * 0.5
            is_known = is_known and -math.inf < lower and upper < math.inf
            grows += min(middle * lower, middle * upper)
            squares += middle * middle
            away += half * w.limits[axis]
        length = math.sqrt(squares) if is_known else 0.0
        if grows > 0.0 and length > 0.0 and away / length <= w.limits[n]:
            w.verdicts[w.cells[k]] = SIMPLE


def find_blocks(w: Any) -> None:
    """Find the block of each node; ``cells`` are the blocks, ``COUNT`` of them, with ``keys``.

    A block is a node above the finest levels, at level ``LEVEL``, or one above with a simple child,
    or the root. Keys are Morton codes after the level: a node above others would make their
    programs longer. In a level nodes are in the order of their codes.
    """
    finest, nodes = w.sizes[LEVEL], w.sizes[NODES]
    for level in range(finest + 2):
        w.starts[level] = 0
    for node in range(nodes):
        w.blocks[node] = 1 if is_block(w, node) else 0
        if w.blocks[node]:
            w.starts[finest - w.levels[node] + 1] += 1
    for up in range(finest + 1):
        w.starts[up + 1] += w.starts[up]
    w.sizes[COUNT] = w.starts[finest + 1]
    for node in range(nodes):
        if w.blocks[node]:
            up = finest - w.levels[node]
            block = w.starts[up]
            w.starts[up] += 1
            w.cells[block] = node
            w.keys[block] = (up << 3 * finest) + (morton(w, node) << 3 * up)
            w.owners[node] = block
        first = w.children[node]
        if first >= 0:
            for child in range(first, first + 8):
                w.owners[child] = w.owners[node]


def is_block(w: Any, node: int) -> bool:
    """Whether a node is a block."""
    first, level = w.children[node], w.levels[node]
    found = node == 0 or (first >= 0 and level == w.sizes[LEVEL])
    if first >= 0 and level < w.sizes[LEVEL]:
        for child in range(first, first + 8):
            found = found or w.verdicts[child] == SIMPLE
    return found


def morton(w: Any, node: int) -> int:
    """The Morton code of a node."""
    found = 0
    for bit in range(w.levels[node]):
        for axis in range(3):
            found |= (w.at[3 * node + axis] >> bit & 1) << (3 * bit + 2 - axis)
    return found
