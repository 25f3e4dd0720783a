"""Sides in the order of curves."""

from __future__ import annotations

from typing import Any

from intervalvm.jit.outlines.layout import CURVES, SIDES, VERTICES


def chain(w: Any) -> None:
    """Write ``order``, and of each curve its start there and whether it is closed.

    Open curves come first, from their starts: sides that follow none. Crossed sides are those that
    are ``met``. It is changed: to 0 for those that were written.
    """
    w.sizes[CURVES] = w.sizes[VERTICES] = 0
    for side in range(w.sizes[SIDES]):
        if w.met[side]:
            w.met[side] = 1
    for side in range(w.sizes[SIDES]):
        if w.met[side] and w.follower[side] >= 0:
            w.met[w.follower[side]] = 2
    for side in range(w.sizes[SIDES]):
        if w.met[side] == 1:
            write_curve(w, side)
    for side in range(w.sizes[SIDES]):
        if w.met[side]:
            write_curve(w, side)


def write_curve(w: Any, first: int) -> None:
    curve = w.sizes[CURVES]
    w.starts[curve] = w.sizes[VERTICES]
    side = first
    while side >= 0 and w.met[side]:
        w.met[side] = 0
        w.order[w.sizes[VERTICES]] = side
        w.sizes[VERTICES] += 1
        side = w.follower[side]
    w.is_closed[curve] = 1 if side == first else 0
    w.sizes[CURVES] = curve + 1
