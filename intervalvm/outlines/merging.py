"""Merges pieces of curves into longer ones: flat parts need few points.

A chord may take the place of pieces of one curve if it crosses the same sides in the same order,
and is alone in the leaves between them. Then it is made as the pieces were: it has one crossing on
each of these sides and one piece in each leaf, so curves stay simple (see ``chains``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intervalvm.cells.frame import Frame
from intervalvm.outlines.chains import Flags, Loops
from intervalvm.outlines.field import Array
from intervalvm.outlines.lattice import Numbers
from intervalvm.outlines.roots import AWAY


class Lines(NamedTuple):
    """Vertices of curves of which the ends are fixed, one after the other: a closed one ends where
    it starts, at its sharpest corner.

    Of each vertex: ``low`` and ``high`` are the box in which a chord may pass it, and ``is_alone``
    says so of the piece that begins with it. ``starts`` has an end as well.
    """

    points: Array
    low: Array
    high: Array
    is_alone: Flags
    starts: Numbers


def merged(found: Loops, frame: Frame, finest: int, tolerance: float, may_be: float) -> list[Array]:
    """The curves, float64[n, 2] each, moved by at most ``may_be`` more."""
    lines = _lines(found, frame, finest, tolerance)
    kept = _kept(lines, may_be) if may_be else np.ones(lines.points.shape[1], bool)
    points = np.ascontiguousarray(lines.points.T)
    curves = []
    for k, start in enumerate(lines.starts[:-1].tolist()):
        end = int(lines.starts[k + 1])
        some = start + np.flatnonzero(kept[start:end])
        least = 4 if found.is_closed[k] else 2
        curves.append(points[some] if len(some) >= least else points[start:end])
    return curves


def _lines(found: Loops, frame: Frame, finest: int, tolerance: float) -> Lines:
    """The vertices in order from the sharpest corner of each closed curve."""
    points, sides, side = found.points, found.sides, found.side
    low, high = points.copy(), points.copy()
    crossing = np.flatnonzero(side >= 0)
    axis, i, j, length = (part[side[crossing]] for part in sides)
    for k, at in enumerate((i, j)):
        some = axis == k
        a = frame.coordinates(k, at[some], finest)
        b = frame.coordinates(k, at[some] + length[some], finest)
        away = np.minimum(tolerance * AWAY[0], (b - a) * AWAY[1])
        low[k, crossing[some]], high[k, crossing[some]] = a + away, b - away
    # points within leaves may be passed anywhere near
    inner = side < 0
    low[:, inner], high[:, inner] = -np.inf, np.inf
    order, starts = _rotated(points, found)
    return Lines(points[:, order], low[:, order], high[:, order], found.is_alone[order], starts)


def _rotated(points: Array, found: Loops) -> tuple[Numbers, Numbers]:
    """The order of vertices, and where each curve starts."""
    many = points.shape[1]
    starts = np.append(found.starts, many)
    curve = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    first, count = starts[curve], np.diff(starts)[curve]
    place = np.arange(many) - first
    ahead = points[:, first + (place + 1) % count] - points
    behind = points - points[:, first + (place - 1) % count]
    with np.errstate(all="ignore"):
        size = np.sqrt((ahead * ahead).sum(axis=0) * (behind * behind).sum(axis=0))
        bend = np.nan_to_num((ahead * behind).sum(axis=0) / size, nan=-2.0)
    # the least cosine of each curve comes first
    sharpest = np.lexsort((bend, curve))[found.starts] - found.starts
    sharpest[~found.is_closed] = 0
    lengths = np.diff(starts) + found.is_closed
    ends = np.append(0, np.cumsum(lengths))
    curve = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(ends[-1]) - ends[curve]
    count = np.diff(starts)[curve]
    return starts[curve] + (place + sharpest[curve]) % count, ends


def _kept(lines: Lines, may_be: float) -> Flags:
    """Of each vertex whether it stays. Every second one is tried, until none can go."""
    many = lines.points.shape[1]
    kept = np.ones(many, bool)
    fixed = np.zeros(many, bool)
    fixed[lines.starts[:-1]] = fixed[lines.starts[1:] - 1] = True
    crowded = np.append(0, np.cumsum(~lines.is_alone))
    idle, parity = 0, 1
    failed = np.full((2, many), -1)
    while idle < 2:
        at = np.flatnonzero(kept)
        tried = np.arange(parity, len(at) - 1, 2)
        tried = tried[~fixed[at[tried]]]
        a, k, b = at[tried - 1], at[tried], at[tried + 1]
        new = (failed[0, k] != a) | (failed[1, k] != b)
        a, k, b = a[new], k[new], b[new]
        good = crowded[b] == crowded[a]
        good[good] = _pass(lines, a[good], b[good], may_be)
        kept[k[good]] = False
        failed[:, k[~good]] = a[~good], b[~good]
        idle = 0 if good.any() else idle + 1
        parity = 3 - parity
    return kept


def _pass(lines: Lines, a: Numbers, b: Numbers, may_be: float) -> Flags:
    """Whether the chords from vertices ``a`` to ``b`` may take the place of the pieces between."""
    if not len(a):
        return np.zeros(0, bool)
    counts = b - a - 1
    starts = np.cumsum(counts) - counts
    chord = np.repeat(np.arange(len(a)), counts)
    k = a[chord] + 1 + np.arange(len(chord)) - starts[chord]
    start, low, high = lines.points[:, a][:, chord], lines.low[:, k], lines.high[:, k]
    along = lines.points[:, b][:, chord] - start
    apart = lines.points[:, k] - start
    with np.errstate(all="ignore"):
        size = along[0] * along[0] + along[1] * along[1]
        away = np.abs(along[0] * apart[1] - along[1] * apart[0])
        near = away * away <= may_be * may_be * size
        # where it meets the line of the side; else where it is nearest
        flat = low == high
        share = np.where(
            flat[0], apart[0] / along[0],
            np.where(flat[1], apart[1] / along[1], (along * apart).sum(axis=0) / size),
        )  # fmt: skip
        met = start + along * share
        within = np.where(flat, True, (met >= low) & (met <= high)).all(axis=0)
    good = near & within & (share > 0.0) & (share < 1.0)
    following = np.append(share[1:] > share[:-1], True)
    following[np.append(starts[1:], len(k)) - 1] = True
    found: Flags = np.logical_and.reduceat(good & following, starts)
    return found
