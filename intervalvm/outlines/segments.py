"""The geometry of lines and arcs, as arrays: lengths, areas, extents, parts.

A segment runs from ``start`` to ``stop`` and has a *bulge* b, as in DXF: tan(a / 4) of the angle a
that it turns by, positive counter-clockwise, 0 for a line. The chord is d, of length c; the height
of an arc above its chord is b c / 2, and its radius c (1 + b b) / (4 |b|). A point of it has a
parameter v in [-1, 1]: in the frame of the chord, from its middle along it and to its left, it is

    c / 2 ((1 + b b) v, -b (1 - v v)) / (1 + b b v v),

and the tangent there has the angle 2 atan(b v) to the chord. So lines are no special case, and
arcs that are nearly lines lose no digits to a far centre.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.memory import require

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
TINY = float(np.finfo(np.float64).tiny)
LINE_BYTES = 400
"""The bytes that a line takes while arcs are divided."""
FLAT = 2.0**-6
"""Bulges up to which an area is a series: the closed form loses digits to cancellation."""
NARROW = 2.0**-6
"""Bulges below which the points beside an arc are those beside its chord."""
STRAIGHT = 1e-9
"""Bulges below it have the arc's length by the line's formula, to the last digits."""


@dataclass(frozen=True)
class Segments:
    """Lines and arcs: start and stop float64[n, 2], bulge float64[n]."""

    start: Floats
    stop: Floats
    bulge: Floats

    def __len__(self) -> int:
        return len(self.bulge)

    def __getitem__(self, which: Any) -> Segments:
        """Some of them."""
        return Segments(self.start[which], self.stop[which], self.bulge[which])

    @property
    def extent(self) -> float:
        """The longer side of the box of all ends."""
        ends = np.concatenate([self.start, self.stop])
        return float(np.ptp(ends, axis=0).max()) if len(ends) else 0.0

    @property
    def chord(self) -> Floats:
        """float64[n, 2]: from start to stop."""
        return self.stop - self.start

    @property
    def half(self) -> Floats:
        """float64[n]: half the length of the chord."""
        found: Floats = np.hypot(*self.chord.T) / 2
        return found

    @property
    def curvature(self) -> Floats:
        """float64[n]: the reciprocal of the radius, with the sign of the bulge."""
        return 2 * self.bulge / np.maximum(self.half * (1 + self.bulge**2), TINY)

    def points(self, v: Floats) -> Floats:
        """float64[n, 2]: the points at parameters v; the ends are exact."""
        d, b = self.chord, self.bulge
        below = 1 + (b * v) ** 2
        along, left = (1 + b * b) * v / below, (v * v - 1) * b / below
        between = self.start + (d + along[:, None] * d + left[:, None] * to_left(d)) / 2
        ends = np.where((v == 1)[:, None], self.stop, between)
        found: Floats = np.where((v == -1)[:, None], self.start, ends)
        return found

    def tangents(self, v: Floats) -> Floats:
        """float64[n, 2]: the unit tangents there."""
        turned = self.bulge * v
        below = 1 + turned**2
        cos, sin = (1 - turned**2) / below, 2 * turned / below
        chord = self.chord / np.maximum(2 * self.half, TINY)[:, None]
        return cos[:, None] * chord + sin[:, None] * to_left(chord)

    def lengths(self, v: Floats | float = -1.0, w: Floats | float = 1.0) -> Floats:
        """float64[n]: the lengths from parameters v to w."""
        b = self.bulge
        is_bent = np.abs(b) >= STRAIGHT
        bent = np.where(is_bent, b, 1.0)
        angle = (np.arctan(bent * w) - np.arctan(bent * v)) / bent
        return self.half * (1 + b * b) * np.where(is_bent, angle, np.subtract(w, v))

    def parameters(self, share: Floats) -> Floats:
        """float64[n]: the parameters at shares of the lengths."""
        is_bent = np.abs(self.bulge) >= STRAIGHT
        bent = np.where(is_bent, self.bulge, 1.0)
        along = 2 * share - 1
        return np.where(is_bent, np.tan(along * np.arctan(bent)) / bent, along)

    def areas(self) -> Floats:
        """float64[n]: the signed areas between arcs and their chords, right of the chord positive.

        That of a segment of a circle, r r (a - sin a) / 2, is
        c c ((1 + b b)^2 atan b - b (1 - b b)) / (8 b b).
        """
        b = self.bulge
        square = b * b
        flat = np.abs(b) < FLAT
        near = b * (1 / 3 + square * (1 / 15 + square * (-1 / 105 + square / 315)))
        safe = np.where(flat, 1.0, b)
        exact = ((1 + safe * safe) ** 2 * np.arctan(safe) - safe * (1 - safe * safe)) / (
            8 * safe * safe
        )
        areas: Floats = np.where(flat, near, exact) * (self.chord**2).sum(1)
        return areas

    def radii(self) -> Floats:
        """float64[n]: of arcs; infinite for lines."""
        b = np.abs(self.bulge)
        infinite = np.full_like(b, np.inf)
        radii: Floats = np.divide(self.half * (1 + b * b), 2 * b, out=infinite, where=b > 0)
        return radii

    def centres(self) -> Floats:
        """float64[n, 2]: of arcs, of which there may be no lines."""
        d, b = self.chord, self.bulge[:, None]
        centres: Floats = self.start + d / 2 + to_left(d) * (1 - b * b) / (4 * b)
        return centres

    def distances(self, points: Floats) -> Floats:
        """float64[n]: of a point [n, 2] each from its segment.

        In the frame of the chord, as above, from its middle and with half of it being h, the circle
        is 2 b (x x + y y - h h) = 2 h (1 - b b) y.
        """
        b, h, middle = self.bulge, self.half, (self.start + self.stop) / 2
        way = self.chord / np.maximum(2 * h, TINY)[:, None]
        x, y = ((points - middle) * way).sum(axis=1), ((points - middle) * to_left(way)).sum(axis=1)
        across, up = 2 * b * x, h * (1 - b * b) - 2 * b * y
        off = np.abs(2 * b * (x * x + y * y - h * h) - 2 * h * (1 - b * b) * y)
        off /= np.maximum(np.hypot(across, up) + h * (1 + b * b), TINY)
        beside = np.arctan2(np.abs(across), up) <= 2 * np.arctan(np.abs(b))
        beside = np.where(np.abs(b) < NARROW, np.abs(x) <= h, beside)
        ends = (np.hypot(*(points - end).T) for end in (self.start, self.stop))
        found: Floats = np.where(beside, off, np.minimum(*ends))
        return found

    def between(self, v: Floats, w: Floats) -> Segments:
        """The parts from parameters v to w."""
        bulge = np.tan((np.arctan(self.bulge * w) - np.arctan(self.bulge * v)) / 2)
        return Segments(self.points(v), self.points(w), bulge)

    def divided(self, counts: Indices) -> Segments:
        """Each in ``counts`` parts of equal angles, one after another."""
        which, place = ranges(counts)
        whole, n = self[which], counts[which]
        cut = np.flatnonzero(n > 1)
        arcs, n, k = whole[cut], n[cut], place[cut]
        v = np.where(k == 0, -1.0, arcs.parameters(k / n))
        w = np.where(k == n - 1, 1.0, arcs.parameters((k + 1) / n))
        parts = arcs.between(v, w)
        whole.start[cut], whole.stop[cut], whole.bulge[cut] = parts.start, parts.stop, parts.bulge
        return whole

    def extents(self) -> tuple[Floats, Floats]:
        """float64[n, 2] twice: the lower and the upper corners of the segments' boxes."""
        low, high = np.minimum(self.start, self.stop), np.maximum(self.start, self.stop)
        i = np.flatnonzero(self.bulge)
        arcs = self[i]
        for axis in (0, 1):
            for corner, way in ((low, -1.0), (high, 1.0)):
                reached, far = arcs._reach(axis, way)
                corner[i[reached], axis] = far[reached]
        return low, high

    def _reach(self, axis: int, way: float) -> tuple[NDArray[np.bool_], Floats]:
        """Whether an arc goes farther along an axis between its ends, and how far.

        With the angle p from the direction of the axis to that of the arc's apex, seen from the
        centre, the farthest point lies c / (4 |b|) ((1 - cos p) + b b (1 + cos p)) beyond the
        middle of the chord. It is on the arc if p is at most half the arc's angle.
        """
        d, b = self.chord, np.abs(self.bulge)
        c = np.hypot(*d.T)
        right = -to_left(d)  # from the chord to the apex if b > 0
        sine, cosine = d[:, axis] / c, way * np.sign(self.bulge) * right[:, axis] / c
        reached = cosine * (1 + b * b) > 1 - b * b
        up = np.where(reached, 1 + cosine, 1.0)
        beyond = c / (4 * b) * (sine * sine / up + b * b * up)
        return reached, (self.start[:, axis] + self.stop[:, axis]) / 2 + way * beyond


def to_left(vectors: Floats) -> Floats:
    """Vectors [n, 2] turned by a right angle, counter-clockwise."""
    return np.stack([-vectors[:, 1], vectors[:, 0]], axis=1)


def ranges(counts: Indices) -> tuple[Indices, Indices]:
    """For each of sum(counts) entries, the number of its group and its place in that, from 0."""
    group = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
    return group, place


def joined(curves: Sequence[Floats], bulges: Sequence[Floats] | None) -> Segments:
    """The segments of all curves, one after another."""
    if not curves:
        return Segments(np.empty((0, 2)), np.empty((0, 2)), np.empty(0))
    start = np.concatenate([curve[:-1] for curve in curves])
    stop = np.concatenate([curve[1:] for curve in curves])
    return Segments(start, stop, np.zeros(len(start)) if bulges is None else np.concatenate(bulges))


def concatenated(parts: Sequence[Segments]) -> Segments:
    """The segments of all parts, one after another."""
    arrays = ((part.start, part.stop, part.bulge) for part in parts)
    start, stop, bulge = map(np.concatenate, zip(*arrays, strict=True))
    return Segments(start, stop, bulge)


def counts_within(segments: Segments, tolerance: float) -> Indices:
    """The numbers of equal lines that stay within a distance of the segments: 1 for a line, from 2
    for an arc.

    An arc of angle a is 2 r sin(a / 4)^2 high. Raises DoesNotFit.
    """
    is_arc = segments.bulge != 0
    arcs = segments[is_arc]
    height = np.minimum(tolerance / (2 * arcs.radii()), 1.0)
    many = np.ceil(np.arctan(np.abs(arcs.bulge)) / np.arcsin(np.sqrt(np.maximum(height, TINY))))
    needed = int(min(LINE_BYTES * many.sum(), sys.float_info.max))
    require(needed, "the lines that stand for arcs", "give a larger tolerance")
    counts = np.ones(len(is_arc), np.intp)
    counts[is_arc] = np.maximum(many, 2)
    return counts
