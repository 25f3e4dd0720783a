"""The geometry of lines and arcs, as arrays: lengths, areas, extents, pieces.

A segment runs from ``start`` to ``stop`` and has a *bulge* b, as in DXF: tan(a / 4) of the angle a
of its arc, positive counter-clockwise, 0 for a line. The chord is d, of length c; the height of an
arc above its chord is b c / 2, and its radius c (1 + b b) / (4 |b|). A point of it has a parameter
u in [-b, b]: there the tangent has the angle 2 atan u to the chord. Formulas are in terms of b and
u, without the centre, so that flat arcs lose no digits.
"""

from __future__ import annotations

import sys
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from intervalvm.memory import require

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
TINY = np.finfo(np.float64).tiny
LINE_BYTES = 400
"""The bytes that a line takes while arcs are divided."""
FLAT = 2.0**-6
"""Bulges up to which an area is a series: the closed form loses digits to cancellation."""


class Segments(NamedTuple):
    """Lines and arcs: start and stop float64[n, 2], bulge float64[n]."""

    start: Floats
    stop: Floats
    bulge: Floats

    @property
    def chord(self) -> Floats:
        """float64[n, 2]: from start to stop."""
        return self.stop - self.start

    def taken(self, which: NDArray[np.bool_] | Indices) -> Self:
        """Some of them."""
        return type(self)(*(part[which] for part in self))

    def lengths(self) -> Floats:
        """float64[n]."""
        b = np.abs(self.bulge)
        arc = np.divide(np.arctan(b) * (1 + b * b), b, out=np.ones_like(b), where=b > 0)
        lengths: Floats = np.hypot(*self.chord.T) * arc
        return lengths

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
        chord = np.hypot(*self.chord.T)
        infinite = np.full_like(b, np.inf)
        radii: Floats = np.divide(chord * (1 + b * b), 4 * b, out=infinite, where=b > 0)
        return radii

    def centres(self) -> Floats:
        """float64[n, 2]: of arcs, of which there may be no lines."""
        d, b = self.chord, self.bulge[:, None]
        left = np.stack([-d[:, 1], d[:, 0]], 1)
        centres: Floats = self.start + d / 2 + left * (1 - b * b) / (4 * b)
        return centres

    def points(self, u: Floats) -> Floats:
        """float64[n, 2]: the points of arcs at parameters u; the ends at -b and b are exact."""
        d, b = self.chord, self.bulge
        v, below = u / b, 1 + u * u
        along, left = (1 + b * b) * v / below, (v * v - 1) * b / below
        between = self.start + (d + along[:, None] * d) / 2
        between += left[:, None] * np.stack([-d[:, 1], d[:, 0]], 1) / 2
        ends = np.where((u == b)[:, None], self.stop, between)
        found: Floats = np.where((u == -b)[:, None], self.start, ends)
        return found

    def between(self, u: Floats, w: Floats) -> Self:
        """The parts of arcs from parameters u to w."""
        bulge = np.tan((np.arctan(w) - np.arctan(u)) / 2)
        return type(self)(self.points(u), self.points(w), bulge)

    def divided(self, counts: Indices) -> Self:
        """Arcs in ``counts`` parts of equal angles, one after another; of a line the count is 1."""
        whole = self.taken(np.repeat(np.arange(len(counts)), counts))
        n = np.repeat(counts, counts)
        k = np.arange(len(n)) - np.repeat(np.cumsum(counts) - counts, counts)
        cut = np.flatnonzero(n > 1)
        arcs, n, k = whole.taken(cut), n[cut], k[cut]
        half = np.arctan(arcs.bulge)
        u = np.where(k == 0, -arcs.bulge, np.tan(half * (2 * k / n - 1)))
        w = np.where(k == n - 1, arcs.bulge, np.tan(half * (2 * (k + 1) / n - 1)))
        for part, new in zip(whole, arcs.between(u, w), strict=True):
            part[cut] = new
        return whole

    def extents(self) -> tuple[Floats, Floats]:
        """float64[n, 2] twice: the lower and the upper corners of the segments' boxes."""
        low, high = np.minimum(self.start, self.stop), np.maximum(self.start, self.stop)
        i = np.flatnonzero(self.bulge)
        arcs = self.taken(i)
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
        right = np.stack([d[:, 1], -d[:, 0]], 1)  # from the chord to the apex if b > 0
        sine, cosine = d[:, axis] / c, way * np.sign(self.bulge) * right[:, axis] / c
        reached = cosine * (1 + b * b) > 1 - b * b
        up = np.where(reached, 1 + cosine, 1.0)
        beyond = c / (4 * b) * (sine * sine / up + b * b * up)
        return reached, (self.start[:, axis] + self.stop[:, axis]) / 2 + way * beyond


def joined(curves: tuple[Floats, ...], bulges: tuple[Floats, ...] | None) -> Segments:
    """The segments of all curves, one after another."""
    if not curves:
        return Segments(np.empty((0, 2)), np.empty((0, 2)), np.empty(0))
    start = np.concatenate([curve[:-1] for curve in curves])
    stop = np.concatenate([curve[1:] for curve in curves])
    return Segments(start, stop, np.zeros(len(start)) if bulges is None else np.concatenate(bulges))


def counts_within(segments: Segments, tolerance: float) -> Indices:
    """The numbers of equal lines that stay within a distance of the segments: 1 for a line, from 2
    for an arc.

    An arc of angle a is 2 r sin(a / 4)^2 high. Raises DoesNotFit.
    """
    is_arc = segments.bulge != 0
    arcs = segments.taken(is_arc)
    height = np.minimum(tolerance / (2 * arcs.radii()), 1.0)
    many = np.ceil(np.arctan(np.abs(arcs.bulge)) / np.arcsin(np.sqrt(np.maximum(height, TINY))))
    needed = int(min(LINE_BYTES * many.sum(), sys.float_info.max))
    require(needed, "the lines that stand for arcs", "give a larger tolerance")
    counts = np.ones(len(is_arc), np.intp)
    counts[is_arc] = np.maximum(many, 2)
    return counts
