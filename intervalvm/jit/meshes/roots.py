"""Crossings: where the value changes its sign on segments, found for all of them a step at a time.

By the root finder of ``brackets``. A step of Newton's method ends it, if it is short, or if its
error is small: most of the difference of slopes is taken to lie beyond the step. Else it is taken
if it is half as long as the one before, or the bracket is halved. Where the value jumps the bracket
gets small itself. So a search ends, whatever the values are.

Points are shares of the segment.
"""

from __future__ import annotations

import math
from typing import Any

from intervalvm.jit.brackets import BRACKET, HIGH, LOW, POINT, narrow, start
from intervalvm.jit.meshes import layout
from intervalvm.jit.meshes.layout import (
    AT,
    AXIS,
    BLOCKS,
    COUNT,
    DEPTH,
    EDGE,
    ROOM,
    SEGMENT,
    START,
    STEP,
    V_END,
    V_START,
)

LENGTH, ROOT = BRACKET, BRACKET + 1
"""Fields of a root: those of a bracket, and the length of the step to the next point."""
NEAR, AWAY = 0, 1
"""Places in ``limits``: the error that ends the search, and the least distance from the ends."""
LEAST_SHARE = 0.125
"""The least share of the difference of slopes that a step is taken to meet."""


def write_segments(w: Any) -> None:
    """Write the segments of the edges ``cells``."""
    share = 1.0 / (1 << w.sizes[DEPTH])
    for k in range(w.sizes[COUNT]):
        at, to = EDGE * w.cells[k], SEGMENT * k
        axis = w.edges[at + AXIS]
        for i in range(3):
            number = w.edges[at + AT + i]
            low = w.frame[i] + w.frame[3 + i] * (number * share)
            w.segments[to + START + i], w.segments[to + STEP + i] = low, 0.0
            if i == axis:
                high = w.frame[i] + w.frame[3 + i] * (
                    (number + w.edges[at + layout.LENGTH]) * share
                )
                w.segments[to + STEP + i] = high - low
        w.segments[to + V_START] = w.ends[2 * w.cells[k]]
        w.segments[to + V_END] = w.ends[2 * w.cells[k] + 1]


def start_roots(w: Any) -> None:
    """Ask for values and gradients at the first points on all segments, a block after the other."""
    order_by_block(w)
    for k in range(w.sizes[ROOM]):
        at, to = SEGMENT * w.left[k], ROOT * w.left[k]
        first, second = w.segments[at + V_START], w.segments[at + V_END]
        w.roots[to + LENGTH] = 1.0
        ask(w, k, start(w, to, 0.0, 1.0, first, second))


def order_by_block(w: Any) -> None:
    """Write the segments to ``left`` in the order of their blocks."""
    for block in range(w.sizes[BLOCKS] + 1):
        w.starts[block] = 0
    for k in range(w.sizes[ROOM]):
        w.starts[w.blocks[k] + 1] += 1
    for block in range(w.sizes[BLOCKS]):
        w.starts[block + 1] += w.starts[block]
    for k in range(w.sizes[ROOM]):
        w.left[w.starts[w.blocks[k]]] = k
        w.starts[w.blocks[k]] += 1


def ask(w: Any, k: int, share: float) -> None:
    """Let a point of the segment that comes as number k be evaluated."""
    segment = w.left[k]
    w.roots[ROOT * segment + POINT], w.owners[k] = share, w.blocks[segment]
    for i in range(3):
        at = SEGMENT * segment + i
        w.asked[w.sizes[ROOM] * i + k] = w.segments[at + START] + share * w.segments[at + STEP]


def step_roots(w: Any) -> None:
    """Narrow the brackets by ``duals``; ask for those that are not done."""
    count, room, going = w.sizes[COUNT], w.sizes[ROOM], 0
    for k in range(count):
        segment = w.left[k]
        at, slope = SEGMENT * segment + STEP, 0.0
        for i in range(3):
            if w.segments[at + i] != 0.0:
                slope += w.duals[room * (1 + i) + k] * w.segments[at + i]
        share, is_done = narrowed(w, segment, w.duals[k], slope)
        if is_done > 0.0:
            write_crossing(w, k, segment, share)
        else:
            w.left[going] = segment
            ask(w, going, share)
            going += 1
    w.sizes[COUNT] = going


def narrowed(w: Any, segment: int, found: float, slope: float) -> tuple[float, float]:
    """Narrow a bracket by a value and a slope; returns the next point, and 1 if it is the last."""
    at = ROOT * segment
    point = w.roots[at + POINT]
    newton, beyond, mean = narrow(w, at, found, slope)
    low, high, share = w.roots[at + LOW], w.roots[at + HIGH], 1.0
    if beyond != point:
        share = max(abs((newton - point) / (beyond - point)), LEAST_SHARE)
    is_within = low <= newton <= high
    error = abs(newton - point) * min(abs(mean - slope) * share, min(abs(slope), abs(mean)))
    is_near = is_within and error <= w.limits[NEAR] * min(abs(slope), abs(mean))
    is_small = high - low <= w.limits[NEAR]
    is_out = high <= w.limits[AWAY] or low >= 1.0 - w.limits[AWAY]
    is_done = 1.0 if is_near or is_small or is_out else 0.0
    # shorter steps end the search, unless the value beyond is NaN: then the bracket is halved
    is_long = w.limits[NEAR] < abs(newton - point) <= 0.5 * w.roots[at + LENGTH]
    if is_near or (is_within and is_long):
        w.roots[at + LENGTH] = abs(newton - point)
        return newton, is_done
    w.roots[at + LENGTH] = (high - low) * 0.5
    return low + (high - low) * 0.5, is_done


def write_crossing(w: Any, k: int, segment: int, share: float) -> None:
    """Write a crossing, kept from the ends of its segment, and the direction of the gradient."""
    share = min(max(share, w.limits[AWAY]), 1.0 - w.limits[AWAY])
    for i in range(3):
        at = SEGMENT * segment + i
        w.points[3 * segment + i] = w.segments[at + START] + share * w.segments[at + STEP]
    write_normal(w, k, segment)


def write_normal(w: Any, k: int, to: int) -> None:
    """Write the direction of the gradient that was found as number k; 0 where there is none."""
    room = w.sizes[ROOM]
    x, y, z = w.duals[room + k], w.duals[2 * room + k], w.duals[3 * room + k]
    total, length = abs(x) + abs(y) + abs(z), 0.0
    if 0.0 < total < math.inf:
        x, y, z = x / total, y / total, z / total
        length = math.sqrt(x * x + y * y + z * z)
    w.normals[3 * to] = x / length if length > 0.0 else 0.0
    w.normals[3 * to + 1] = y / length if length > 0.0 else 0.0
    w.normals[3 * to + 2] = z / length if length > 0.0 else 0.0
