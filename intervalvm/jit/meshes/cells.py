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

    See ``cells.subdivision``. ``limits`` are the sides of cells and the tolerance.
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
    or the root. Keys are Morton codes, in order; those of blocks above come last, since they would
    make the programs of others longer.
    """
    w.sizes[COUNT] = 0
    for node in range(w.sizes[NODES]):
        w.blocks[node] = 1 if is_block(w, node) else 0
        if w.blocks[node] and w.levels[node] == w.sizes[LEVEL]:
            write_block(w, node, 0)
    number_above(w)
    for node in range(w.sizes[NODES]):
        first = w.children[node]
        if first >= 0:
            for child in range(first, first + 8):
                if not w.blocks[child]:
                    w.owners[child] = w.owners[node]


def write_block(w: Any, node: int, is_above: int) -> None:
    """Number a block, and write its key."""
    finest, block = w.sizes[LEVEL], w.sizes[COUNT]
    w.sizes[COUNT] = block + 1
    code = morton(w, node) << 3 * (finest - w.levels[node])
    w.owners[node], w.cells[block], w.keys[block] = block, node, code + (is_above << 3 * finest)


def number_above(w: Any) -> None:
    """Number the blocks above the others, depth first: so their codes are in order."""
    top, w.stack[0] = 1, 0
    while top > 0:
        top -= 1
        node = w.stack[top]
        if w.levels[node] < w.sizes[LEVEL]:
            if w.blocks[node]:
                write_block(w, node, 1)
            for place in range(8 if w.children[node] >= 0 else 0):
                w.stack[top + place] = w.children[node] + 7 - place
            top += 8 if w.children[node] >= 0 else 0


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
