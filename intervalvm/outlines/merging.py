"""Merges pieces of curves into longer ones: flat parts need few points.

A chord may take the place of pieces of one curve if it crosses the same sides in the same order,
and is alone in the leaves between them. Then it is made as the pieces were: it has one crossing on
each of these sides and one piece in each leaf, so curves stay simple (see ``chains``). Where a leaf
has more than two chords all of them go along with the direction from its entry to its exit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit.outlines import layout as c
from intervalvm.outlines.chains import Loops
from intervalvm.outlines.field import Array
from intervalvm.outlines.lattice import Lattice, Numbers
from intervalvm.outlines.passes import run_task
from intervalvm.outlines.roots import AWAY

Flags = NDArray[np.bool_]


class Lines(NamedTuple):
    """Vertices of curves of which the ends are fixed, one after the other: a closed one ends where
    it starts, at its sharpest corner.

    Of each vertex: ``points`` [n, 2], ``low`` and ``high`` [n, 2], the box in which a chord may
    pass it, and ``along`` and ``is_alone`` as of ``Loops``. ``starts`` has an end as well.
    """

    points: Array
    low: Array
    high: Array
    along: Array
    is_alone: Flags
    starts: Numbers


def merged(found: Loops, lattice: Lattice, may_be: float) -> list[Array]:
    """The curves, float64[n, 2] each, moved by at most ``may_be`` more."""
    lines = _lines(found, lattice)
    kept = _kept(lines, may_be) if may_be else np.ones(len(lines.points), bool)
    points = lines.points
    curves = []
    for k, start in enumerate(lines.starts[:-1].tolist()):
        end = int(lines.starts[k + 1])
        some = start + np.flatnonzero(kept[start:end])
        least = 4 if found.is_closed[k] else 2
        curves.append(points[some] if len(some) >= least else points[start:end])
    return curves


def _lines(found: Loops, lattice: Lattice) -> Lines:
    """The vertices in order from the sharpest corner of each closed curve."""
    points = found.points
    low, high = points.copy(), points.copy()
    crossing = np.flatnonzero(found.side >= 0)
    side = found.side[crossing]
    lower, upper = lattice.ends(side)
    axis = lattice.sides[side, c.AXIS]
    for k in (0, 1):
        some = axis == k
        a, b = lower[k, some], upper[k, some]
        away = np.minimum(lattice.tolerance * AWAY[0], (b - a) * AWAY[1])
        low[k, crossing[some]], high[k, crossing[some]] = a + away, b - away
    # points within leaves may be passed anywhere near
    inner = found.side < 0
    low[:, inner], high[:, inner] = -np.inf, np.inf
    order, starts = _rotated(points, found)
    places = (np.ascontiguousarray(part[:, order].T) for part in (points, low, high, found.along))
    return Lines(*places, found.is_alone[order], starts)


def _rotated(points: Array, found: Loops) -> tuple[Numbers, Numbers]:
    """The order of vertices, and where each curve starts."""
    many = points.shape[1]
    starts = np.append(found.starts, many)
    counts = np.diff(starts)
    ahead_of = np.arange(1, many + 1)
    ahead_of[starts[1:] - 1] = found.starts
    ahead = points[:, ahead_of] - points
    behind = np.empty_like(ahead)
    behind[:, ahead_of] = ahead
    with np.errstate(all="ignore"):
        size = np.sqrt((ahead * ahead).sum(axis=0) * (behind * behind).sum(axis=0))
        bend = np.nan_to_num((ahead * behind).sum(axis=0) / size, nan=-2.0)
    # the least cosine of each curve comes first
    least = np.minimum.reduceat(bend, found.starts) if many else bend
    sharp = np.flatnonzero(bend == np.repeat(least, counts))
    sharpest = sharp[np.searchsorted(sharp, found.starts)] if many else starts[:-1]
    sharpest = np.where(found.is_closed, sharpest - found.starts, 0)
    lengths = counts + found.is_closed
    ends = np.append(0, np.cumsum(lengths))
    curve = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(ends[-1]) - ends[curve] + sharpest[curve]
    count = counts[curve]
    # it is less than twice round
    return starts[curve] + np.where(place >= count, place - count, place), ends


def _kept(lines: Lines, may_be: float) -> Flags:
    """Of each vertex whether it stays. Every second one is tried, until none can go."""
    many = len(lines.points)
    kept, fixed = np.ones(many, np.uint8), np.zeros(many, np.uint8)
    fixed[lines.starts[:-1]] = fixed[lines.starts[1:] - 1] = 1
    run_task(
        c.MERGE,
        {c.VERTICES: many},
        {
            "points": lines.points,
            "low": lines.low,
            "high": lines.high,
            "along": lines.along,
            "is_alone": lines.is_alone.view(np.uint8),
            "fixed": fixed,
            "kept": kept,
            "crowded": np.empty(many, np.int32),
            "failed": np.full(2 * many, -1, np.int32),
            "left": np.empty(many, np.int32),
            "may_be": np.array([may_be]),
        },
    )
    return kept != 0
