"""Which pieces may touch others: found by boxes, then by halving pairs of parts.

A part is a piece from one parameter to another. It lies within its *height* of its chord, and as
seen from an end its points are within half its angle of the tangent there. So two parts are apart
if their chords are farther from each other than both heights, and two that begin at a common vertex
meet there alone if their tangents are farther from each other than half of both angles.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.outlines.segments import TINY, Floats, Indices, Segments, ranges

Mask = NDArray[np.bool_]
CELLS = 256
"""Cells of the grid along the longer side."""
TURN = np.pi / 4
"""Parts turn by at most this."""
FLOOR = 1 / 64
"""Parts this short, in tolerances, are not halved any more: they touch."""
MOST_PAIRS = 1 << 12
"""Segments of which more pairs of parts are not apart touch: they are nearly the same."""
ROUNDING = 2.0**-40


class Ends(NamedTuple):
    """One part of each pair: its piece and parameters."""

    piece: Indices
    low: Floats
    high: Floats

    def only(self, which: NDArray[np.generic]) -> Ends:
        return Ends(*(part[which] for part in self))


def touching(pieces: Segments, after: Indices, tolerance: float) -> tuple[Indices, Indices]:
    """The pairs of pieces that are not proven to be apart, but for the ends that they share.

    ``after`` is the next piece of each, or -1.
    """
    parts, low, high = _parts(pieces)
    i, j = _overlapping(parts, low, high)
    first, second = parts.only(i), parts.only(j)
    near: list[NDArray[np.int64]] = [np.zeros((2, 0), np.int64)]
    while len(first.piece):
        together = ~_apart(pieces, after, first, second)
        first, second = first.only(together), second.only(together)
        own, other = pieces[first.piece], pieces[second.piece]
        lengths = own.lengths(first.low, first.high), other.lengths(second.low, second.high)
        stop = np.maximum(*lengths) <= FLOOR * tolerance
        pair = first.piece * len(pieces) + second.piece
        _, which, count = np.unique(pair, return_inverse=True, return_counts=True)
        stop |= count[which] > MOST_PAIRS
        near.append(np.stack([first.piece[stop], second.piece[stop]]))
        left = ~np.isin(pair, pair[stop])
        first, second = _halved(first.only(left), second.only(left))
    found = np.unique(np.concatenate(near, axis=1), axis=1)
    return found[0], found[1]


def _parts(pieces: Segments) -> tuple[Ends, Floats, Floats]:
    """All pieces in parts no longer than a cell of the grid, and their boxes."""
    cell = max(pieces.extent / CELLS, TINY)
    length = pieces.lengths()
    wanted = np.maximum(length / cell, 4 * np.arctan(np.abs(pieces.bulge)) / TURN)
    counts = np.ceil(np.clip(wanted, 1, 8 * CELLS)).astype(np.int64)
    piece, place = ranges(counts)
    share = 2 / counts[piece]
    edges = place * share - 1
    last = place == counts[piece] - 1
    high = np.where(last, 1.0, np.append(edges[1:], 1.0))
    parts = Ends(piece, edges, high)
    chord, height, _ = _chords(pieces, parts)
    low = chord.min(axis=0) - height[:, None]
    return parts, low, chord.max(axis=0) + height[:, None]


def _chords(pieces: Segments, parts: Ends) -> tuple[Floats, Floats, Floats]:
    """The ends [2, n, 2] of chords, the heights of parts and the angles that they turn by."""
    own = pieces[parts.piece]
    ends = np.stack([own.points(parts.low), own.points(parts.high)])
    long = own.lengths(parts.low, parts.high)
    angle = long * np.abs(own.curvature) * (1 + ROUNDING)
    size = np.abs(ends).max(axis=(0, 2), initial=0.0) + own.half
    return ends, long * angle / 8 * (1 + ROUNDING) + size * 2.0**-48, angle


def _overlapping(parts: Ends, low: Floats, high: Floats) -> tuple[Indices, Indices]:
    """Pairs i < j of parts of different pieces whose boxes overlap, found by a grid."""
    if not len(low):
        return (np.zeros(0, np.int64),) * 2
    origin, extent = low.min(axis=0), max(float((high.max(axis=0) - low.min(axis=0)).max()), 1e-300)
    from_cell, to_cell = (
        np.minimum((side - origin) / extent * CELLS, CELLS - 1).astype(np.int64)
        for side in (low, high)
    )
    span = to_cell - from_cell + 1
    part, place = ranges(span[:, 0] * span[:, 1])
    column = from_cell[part, 0] + place % span[part, 0]
    key = column + CELLS * (from_cell[part, 1] + place // span[part, 0])
    order = np.argsort(key, kind="stable")
    key, part = key[order], part[order]
    found = [np.zeros(0, np.int64)]
    step, entries = 1, np.arange(len(key) - 1)
    while len(entries):
        entries = entries[entries + step < len(key)]
        entries = entries[key[entries] == key[entries + step]]
        i, j = part[entries], part[entries + step]
        meet = ((low[i] <= high[j]) & (low[j] <= high[i])).all(axis=1)
        meet &= parts.piece[i] != parts.piece[j]
        found.append(i[meet] * len(low) + j[meet])
        step += 1
    pairs = np.unique(np.concatenate(found))
    return pairs // len(low), pairs % len(low)


def _apart(pieces: Segments, after: Indices, first: Ends, second: Ends) -> Mask:
    """Which pairs of parts have no point in common but an end that they share."""
    (p, q), height, angle = _chords(pieces, first)
    (s, t), other_height, other_angle = _chords(pieces, second)
    apart: Mask = _distance(p, q, s, t) > height + other_height
    for a, b in ((first, second), (second, first)):
        joined = (after[a.piece] == b.piece) & (a.high == 1.0) & (b.low == -1.0)
        back = -pieces[a.piece[joined]].tangents(a.high[joined])
        ahead = pieces[b.piece[joined]].tangents(b.low[joined])
        between = 2 * np.arcsin(np.minimum(np.hypot(*(back - ahead).T) / 2, 1.0))
        bent = (angle[joined] + other_angle[joined]) / 2
        apart[joined] = between > bent * (1 + ROUNDING) + ROUNDING
    return apart


def _halved(first: Ends, second: Ends) -> tuple[Ends, Ends]:
    """All four pairs of halves of each."""

    def halves(ends: Ends) -> tuple[Ends, Ends]:
        middle = (ends.low + ends.high) / 2
        return Ends(ends.piece, ends.low, middle), Ends(ends.piece, middle, ends.high)

    pairs = [(a, b) for a in halves(first) for b in halves(second)]
    return tuple(  # type: ignore[return-value]
        Ends(*(np.concatenate(part) for part in zip(*side, strict=True)))
        for side in zip(*pairs, strict=True)
    )


def _distance(p: Floats, q: Floats, s: Floats, t: Floats) -> Floats:
    """The distances between segments p q and s t; 0 where they may cross."""
    ways = [(p, s, t), (q, s, t), (s, p, q), (t, p, q)]
    apart = np.min([_from_segment(*way) for way in ways], axis=0)
    sides = [_side(s, t, p) * _side(s, t, q), _side(p, q, s) * _side(p, q, t)]
    crosses = (sides[0] <= 0) & (sides[1] <= 0)
    return np.where(crosses, 0.0, apart)


def _side(a: Floats, b: Floats, c: Floats) -> Floats:
    return np.sign(
        (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    )


def _from_segment(point: Floats, a: Floats, b: Floats) -> Floats:
    along = b - a
    square = np.maximum((along**2).sum(axis=1), TINY)
    share = np.clip(((point - a) * along).sum(axis=1) / square, 0.0, 1.0)
    found: Floats = np.hypot(*(point - a - share[:, None] * along).T)
    return found
