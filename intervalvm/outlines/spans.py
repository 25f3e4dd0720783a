"""Curves of many points, and spans of them that a line or an arc fits.

The bulge of the arc from p to q that also passes s is tan(w / 2), where w is the angle from s - p
to q - s. By a step d across the arc at s it changes by d h (1 + b^2) / (|s - p| |q - s|), h being
half the chord. So each point that is skipped allows an interval of bulges. The best by least
squares within all intervals is chosen, or 0 if that is within.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.late import cached_property
from intervalvm.outlines.segments import Floats, Indices, ranges

Mask = NDArray[np.bool_]
MOST_BULGE = 1.5
"""Arcs are of at most 225 degrees: half circles, with room for points beside them."""
MANY = 1024
"""Spans are sought in parts of so many segments, all at once, and joined afterwards."""
CORNER = 0.25
"""The turn, in radians, below which no point is a corner."""
SHARP = 64.0
"""Where its shorter side times the turn is so many times what pieces may be off, a point is one:
eight times that at which it were the sagitta of a smooth curve."""
SAGITTA = 2.0
"""An arc leaves the lines between points by at most this times what it may be off points."""
ALONE = 3.0
"""It is one also if it turns so many times more than both neighbours."""


@dataclass(frozen=True, eq=False)
class Polylines:
    """Curves as one array of points [n, 2], first points not repeated.

    Of each curve there are the index of its first point, the ``size`` in points, and whether it is
    closed. Pieces along it may be ``off`` points by so much.
    """

    points: Floats
    base: Indices
    size: Indices
    closed: Mask
    off: float

    @classmethod
    def of(cls, curves: Sequence[Floats], off: float) -> Polylines:
        """Curves that end with their first point are closed. Points like those before are dropped.

        A closed curve of two points is one that runs there and back.
        """
        kept, closed = [], []
        for curve in curves:
            new = np.append(True, (curve[1:] != curve[:-1]).any(axis=1))
            curve = curve[new]
            closed.append(len(curve) > 1 and bool((curve[0] == curve[-1]).all()))
            kept.append(curve[:-1] if closed[-1] else curve)
        size = np.array([len(curve) for curve in kept], np.int64)
        points = np.concatenate([np.zeros((0, 2)), *kept])
        return cls(points, np.cumsum(size) - size, size, np.array(closed, bool), off)

    @cached_property
    def step(self) -> Floats:
        """The lengths of the lines from points to the next."""
        curve = self.curve
        behind = self.at(curve, np.arange(len(curve)) - self.base[curve] + 1)
        found: Floats = np.hypot(*(behind - self.points).T)
        return found

    @cached_property
    def curve(self) -> Indices:
        """The curve of each point."""
        return np.repeat(np.arange(len(self.size)), self.size)

    def index(self, curve: Indices, place: Indices) -> Indices:
        """The indices of points of curves, by places that go around."""
        return self.base[curve] + place % self.size[curve]

    def at(self, curve: Indices, place: Indices) -> Floats:
        """The points of curves, by places that go around."""
        return self.points[self.index(curve, place)]

    @cached_property
    def corners(self) -> Mask:
        """Which points are corners: ends of open curves, and where no smooth curve turns so."""
        curve = self.curve
        place = np.arange(len(curve)) - self.base[curve]
        back, on = self.points - self.at(curve, place - 1), self.at(curve, place + 1) - self.points
        turn = np.abs(np.arctan2(cross(back, on), (back * on).sum(axis=1)))
        side = np.minimum(np.hypot(*back.T), np.hypot(*on.T))
        before, behind = turn[self.index(curve, place - 1)], turn[self.index(curve, place + 1)]
        sharp = side * turn > SHARP * self.off
        found: Mask = (turn > CORNER) & (sharp | (turn > ALONE * np.maximum(before, behind)))
        found |= ~self.closed[curve] & ((place == 0) | (place == self.size[curve] - 1))
        return found

    @cached_property
    def circle(self) -> tuple[Floats, Floats]:
        """The centre [c, 2] and the radius of each curve as a circle; clockwise ones are negative.

        Circles are by least squares on x^2 + y^2 = 2 a x + 2 b y + c.
        """
        curve, count = self.curve, len(self.size)

        def mean(values: Floats) -> Floats:
            return np.bincount(curve, values, count) / np.maximum(self.size, 1)

        middle = np.stack([mean(side) for side in self.points.T], axis=1)
        x, y = (self.points - middle[curve]).T
        square = x * x + y * y
        xx, xy, yy = mean(x * x), mean(x * y), mean(y * y)
        xs, ys = mean(x * square) / 2, mean(y * square) / 2
        with np.errstate(all="ignore"):
            over = xx * yy - xy * xy
            a, b = (xs * yy - ys * xy) / over, (ys * xx - xs * xy) / over
            radius = np.sqrt(a * a + b * b + xx + yy)
        place = np.arange(len(curve)) - self.base[curve]
        ahead = self.at(curve, place + 1) - middle[curve]
        turns = mean(cross(self.points - middle[curve], ahead))
        found = np.stack([a, b], axis=1) + middle, np.where(turns < 0, -radius, radius)
        known = np.isfinite(radius)
        return np.where(known[:, None], found[0], 0.0), np.where(known, found[1], 0.0)


class Spans(NamedTuple):
    """Parts of curves: from the place ``first`` on, ``size`` segments, with their piece's bulge.

    ``round`` are halves of curves that are circles.
    """

    curve: Indices
    first: Indices
    size: Indices
    bulge: Floats
    round: Mask

    @classmethod
    def straight(cls, curve: Indices, first: Indices, count: Indices) -> Spans:
        return cls(curve, first, count, np.zeros(len(curve)), np.zeros(len(curve), bool))

    def only(self, which: Any) -> Spans:
        return Spans(*(part[which] for part in self))

    def and_others(self, *others: Spans) -> Spans:
        """All of them in order along the curves."""
        whole = [np.concatenate(parts) for parts in zip(self, *others, strict=True)]
        return Spans(*(part[np.lexsort((whole[1], whole[0]))] for part in whole))

    def after(self, closed: Mask) -> Indices:
        """The next span of each, or -1, if these are all spans of their curves, in order."""
        n = len(self.curve)
        first = np.searchsorted(self.curve, self.curve)
        last = np.append(self.curve[1:] != self.curve[:-1], True)[:n]
        return np.where(last, np.where(closed[self.curve], first, -1), np.arange(n) + 1)

    def segments(self) -> Spans:
        """Each segment of the curves alone: lines."""
        which, place = ranges(self.size)
        return Spans.straight(self.curve[which], self.first[which] + place, np.ones_like(place))

    def halves(self) -> Spans:
        """Both halves of each; they have no bulges yet."""
        half = self.size // 2
        rest = Spans.straight(self.curve, self.first + half, self.size - half)
        return Spans.straight(self.curve, self.first, half).and_others(rest)


NONE = Spans.straight(*np.zeros((3, 0), np.int64))


def fitting(outline: Polylines, spans: Spans) -> tuple[Mask, Floats]:
    """Which spans a piece fits, so that no point is farther off, and the bulges."""
    start = outline.at(spans.curve, spans.first)
    stop = outline.at(spans.curve, spans.first + spans.size)
    half = np.hypot(*(stop - start).T) / 2
    n = len(half)
    which, place = ranges(spans.size)
    step = outline.step[outline.index(spans.curve[which], spans.first[which] + place)]
    side = np.maximum.reduceat(step, np.cumsum(spans.size) - spans.size) if n else half
    # b / (1 + b^2) is at most this share of half the chord, as the curvature is 2 b / h / (1 + b^2)
    share = 4 * SAGITTA * outline.off * half / side**2
    high = np.where(
        share < 0.5, share / (0.5 + np.sqrt(np.maximum(0.25 - share**2, 0))), MOST_BULGE
    )
    low, best = -high, np.zeros(n)
    longer = np.flatnonzero(spans.size > 1)
    if len(longer):
        inner = spans.size[longer] - 1
        which, place = ranges(inner)
        span, begin = longer[which], np.cumsum(inner) - inner
        point = outline.at(spans.curve[span], spans.first[span] + place + 1)
        back, on = point - start[span], stop[span] - point
        far = np.hypot(*back.T), np.hypot(*on.T)
        with np.errstate(all="ignore"):
            bulge = cross(back, on) / (far[0] * far[1] + (back * on).sum(axis=1))
            room = outline.off * half[span] * (1 + bulge**2) / (far[0] * far[1])
            weight = np.where(np.abs(bulge) < 2 * MOST_BULGE, 1 / room**2, 0.0)
            room[np.minimum(*far) <= outline.off] = np.inf
            # not a number: no arc
            floor, ceiling = bulge - room, bulge + room
            floor[np.isnan(bulge) | (np.abs(bulge) > 2 * MOST_BULGE) & (room < np.inf)] = np.inf
            floor[room == np.inf], ceiling[room == np.inf] = -np.inf, np.inf
            total = np.add.reduceat(weight, begin)
            mean = np.add.reduceat(np.where(weight > 0, weight * bulge, 0.0), begin) / total
        low[longer] = np.maximum(low[longer], np.maximum.reduceat(floor, begin))
        high[longer] = np.minimum(high[longer], np.minimum.reduceat(ceiling, begin))
        best[longer] = np.where(np.isfinite(mean), mean, 0.0)
    whole = outline.closed[spans.curve] & (spans.size >= outline.size[spans.curve])
    fits = (low <= high) & ~whole
    bent = np.clip(best, low, np.maximum(low, high))
    return fits, np.where(fits & ~((low <= 0) & (high >= 0)), bent, 0.0)


def circles(outline: Polylines) -> Spans:
    """Both halves of each curve that is one circle."""
    centre, radius = outline.circle
    curve = outline.curve
    away = np.abs(np.hypot(*(outline.points - centre[curve]).T) - np.abs(radius[curve]))
    worst = np.zeros(len(outline.size))
    np.maximum.at(worst, curve, away)
    corner = np.bincount(curve, outline.corners, len(worst)) > 0
    good = np.flatnonzero(outline.closed & (outline.size > 4) & ~corner & (worst <= outline.off))
    both, half = np.repeat(good, 2), np.tile([0, 1], len(good))
    first = outline.size[both] // 2 * half
    count = np.where(half, outline.size[both] - first, outline.size[both] // 2)
    return Spans(both, first, count, np.sign(radius[both]), np.ones(len(both), bool))


def longest(outline: Polylines, curves: Indices) -> Spans:
    """Spans of curves between corners, each in turn as long as it fits."""
    if not len(curves):
        return NONE
    parts, fresh = _between_corners(outline, curves)
    return _met(outline, _in_turn(outline, parts), fresh)


def joined(outline: Polylines, spans: Spans) -> Spans:
    """Spans along the same points, each in turn as long as it fits, that go by no corner."""
    if not len(spans.curve):
        return NONE
    end = spans.first + spans.size
    begins = np.append(True, (spans.curve[1:] != spans.curve[:-1]) | (spans.first[1:] != end[:-1]))
    begins |= outline.corners[outline.index(spans.curve, spans.first)]
    first = np.flatnonzero(begins)
    size = np.add.reduceat(spans.size, first)
    return _in_turn(outline, Spans.straight(spans.curve[first], spans.first[first], size))


def _in_turn(outline: Polylines, parts: Spans) -> Spans:
    """Spans that parts are cut into, each in turn as long as it fits."""
    found: list[Spans] = []
    while len(parts.curve):
        found.append(_first(outline, parts))
        done = found[-1].size
        rest = parts._replace(first=parts.first + done, size=parts.size - done)
        parts = rest.only(rest.size > 0)
    return found[0].and_others(*found[1:])


def _first(outline: Polylines, parts: Spans) -> Spans:
    """The first span of each part, as long as it fits."""
    # fits, and fails: one more than there are if none is known to
    good, bad = np.ones_like(parts.size), parts.size + 1
    bulge = np.zeros(len(good))
    while len(some := np.flatnonzero((good < parts.size) & (bad > good + 1))):
        g, b, all_ = good[some], bad[some], parts.size[some]
        tried = np.where(b > all_, np.minimum(2 * g, all_), (g + b) // 2)
        fits, bent = fitting(outline, parts.only(some)._replace(size=tried))
        good[some], bad[some] = np.where(fits, tried, g), np.where(fits, b, tried)
        bulge[some] = np.where(fits, bent, bulge[some])
    return parts._replace(size=good, bulge=bulge)


def _between_corners(outline: Polylines, curves: Indices) -> tuple[Spans, Mask]:
    """Parts of curves to look for spans in; and of all points those between parts, no corners.

    A closed curve without corners is one part, which begins where a span from its first point ends.
    """
    corner, size, base = outline.corners, outline.size, outline.base
    smooth = curves[np.bincount(outline.curve, corner, len(size))[curves] == 0]
    begin = _first(outline, Spans.straight(smooth, np.zeros_like(smooth), size[smooth])).size
    wanted = np.zeros(len(size), bool)
    wanted[curves] = True
    breaks = corner & wanted[outline.curve]
    breaks[base[smooth] + begin % size[smooth]] = True
    first = np.flatnonzero(breaks)
    curve = outline.curve[first]
    is_last = np.append(curve[1:] != curve[:-1], True)
    # the last part of a closed curve goes on to its first break
    around = first[np.searchsorted(curve, curve)] + size[curve]
    stop = np.where(is_last, np.where(outline.closed[curve], around, first), np.roll(first, -1))
    count = stop - first
    which, part = ranges(-(-count // MANY))
    place = (first - base[curve])[which] + part * MANY
    parts = Spans.straight(curve[which], place, np.minimum(MANY, count[which] - part * MANY))
    fresh = np.zeros(len(corner), bool)
    fresh[outline.index(parts.curve, parts.first)] = True
    return parts, fresh & ~corner


def _met(outline: Polylines, spans: Spans, fresh: Mask) -> Spans:
    """Spans with those joined that meet in ``fresh`` points, where one piece fits them."""
    corner = outline.corners
    while fresh.any():
        # three sets of pairs, so that no span is in two of a set
        for which in range(3):
            after, index = spans.after(outline.closed), np.arange(len(spans.curve))
            kind = np.where(after == index + 1, index % 2, 2)
            meets = outline.index(spans.curve, spans.first + spans.size)
            one = index[(kind == which) & fresh[meets] & (after >= 0) & (after != index)]
            fresh[meets[one]] = False
            both = spans.only(one)
            both = both._replace(size=both.size + spans.size[after[one]])
            fits, bulge = fitting(outline, both)
            one, both = one[fits], both._replace(bulge=bulge).only(fits)
            ends = outline.index(
                np.tile(both.curve, 2), np.append(both.first, both.first + both.size)
            )
            fresh[ends] = ~corner[ends]
            spans = spans.only(np.setdiff1d(index, np.append(one, after[one]))).and_others(both)
        known = np.zeros_like(fresh)
        known[outline.index(spans.curve, spans.first)] = True
        fresh &= known
    return spans


def cross(a: Floats, b: Floats) -> Floats:
    """The cross products of vectors [n, 2]."""
    found: Floats = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return found
