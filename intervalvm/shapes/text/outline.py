"""Outlines of glyphs, cut into parts between two functions of y.

In: closed contours of straight segments and quadratic Bezier curves, filled by the nonzero winding
rule. Out: an ``Outline`` of horizontal *slabs* and of *chains*. A chain is a continuous function
x = F(y), made of pieces of contours; in a slab, the inside is a row of spans, each right of one
chain and left of another. A chain extends over as many slabs as possible.

It is a plane sweep: contours are cut at extrema of y and at crossings, and the bands between these
heights are visited upwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.errors import OptionError

Point = tuple[float, float]
Segment = tuple[Point, Point] | tuple[Point, Point, Point]
"""A straight segment, or a quadratic Bezier curve with its control point in the middle."""

CLOSE = 1e-7
"""Coordinates closer than this, in ems, count as equal."""
STRAIGHT = 1e-9
"""A curve that bulges less than this part of its length counts as straight."""
NEGLIGIBLE = 2.0**-50
"""A leading coefficient below this part of the largest one is rounding error."""
MOST_PIECES, MOST_MEETINGS, MOST_PARTS = 10_000, 100_000, 1_000_000
"""The limits of an outline; a glyph of text has some hundreds."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A monotone part of a contour, upwards from (x0, y0) to (x2, y2).

    ``winding`` is 1 if the contour runs upwards, else -1. The control point of a straight piece is
    its midpoint.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    x2: float
    y2: float
    winding: int
    is_straight: bool

    @property
    def bend(self) -> Point:
        """The second difference of the three points; (0, 0) if the piece is straight."""
        if self.is_straight:
            return 0.0, 0.0
        return self.x0 - 2 * self.x1 + self.x2, self.y0 - 2 * self.y1 + self.y2

    def x_at(self, y: float) -> float:
        """The x of the piece at a height, by the root t = c / (b + sqrt(b*b + a*c)) of y(t) = y,
        which avoids cancellation."""
        (ax, ay), rise = self.bend, self.y1 - self.y0
        up = y - self.y0
        below = rise + math.sqrt(max(rise * rise + ay * up, 0.0))
        t = up / below if below > 0 else 0.0
        return self.x0 + t * (2 * (self.x1 - self.x0) + ax * t)


def pieces(segment: Segment) -> Iterator[Piece]:
    """The parts of a segment monotone in x and y; horizontal ones are dropped."""
    start, stop = segment[0], segment[-1]
    if len(segment) == 2:
        yield from _piece(start, start, stop)
        return
    control = segment[1]
    cuts = {0.0, 1.0}
    for before, at, after in zip(start, control, stop, strict=True):
        if (at - before) * (after - at) < 0:
            cuts.add((before - at) / (before - 2 * at + after))  # where the derivative is 0
    for t, u in pairwise(sorted(cuts)):
        ends = _blend(start, control, stop, t, t), _blend(start, control, stop, u, u)
        yield from _piece(ends[0], _blend(start, control, stop, t, u), ends[1])


def _blend(start: Point, control: Point, stop: Point, t: float, u: float) -> Point:
    """The polar form of a quadratic curve: the control point of its part from t to u."""
    a, b, c = (1 - t) * (1 - u), (1 - t) * u + t * (1 - u), t * u
    x, y = (a * p + b * q + c * r for p, q, r in zip(start, control, stop, strict=True))
    return x, y


def _piece(start: Point, control: Point, stop: Point) -> Iterator[Piece]:
    """The piece of a monotone curve, unless it is horizontal."""
    (x0, y0), (x2, y2) = start, stop
    # between the ends, but for rounding
    x1, y1 = (sorted(place)[1] for place in zip(start, control, stop, strict=True))
    width, rise = x2 - x0, y2 - y0
    bulge = abs((x1 - x0) * rise - (y1 - y0) * width)  # the control point's, times the length
    is_straight = bulge <= STRAIGHT * (width * width + rise * rise)
    if is_straight:
        x1, y1 = (x0 + x2) / 2, (y0 + y2) / 2
    if rise > 0:
        yield Piece(x0, y0, x1, y1, x2, y2, 1, is_straight)
    elif rise < 0:
        yield Piece(x2, y2, x1, y1, x0, y0, -1, is_straight)


@dataclass(slots=True)
class Chain:
    """A continuous function of y: pieces from the lowest up, and the heights where they meet."""

    pieces: list[Piece]
    joints: list[float] = field(default_factory=list)


Span = tuple[int, int]
"""The chains to the left and to the right of a part of the inside."""


@dataclass(frozen=True, slots=True)
class Outline:
    """``spans[i]`` holds between the heights ``heights[i]`` and ``heights[i + 1]``."""

    chains: list[Chain]
    heights: list[float]
    spans: list[list[Span]]


def outline(contours: Iterable[Segment], em: float) -> Outline:
    """Cut contours; without an inside there is no slab. Raises OptionError above the limits."""
    close = CLOSE * em
    every = [piece for segment in contours for piece in pieces(segment)]
    found = Outline([], [], [])
    lefts: list[int] = []
    rights: list[int] = []
    levels = _levels(every, close)
    lows, highs = (np.array([getattr(piece, y) for piece in every]) for y in ("y0", "y2"))
    work = 0
    for low, high in pairwise(levels):
        middle = (low + high) / 2
        across = [every[i] for i in np.flatnonzero((lows < middle) & (middle < highs))]
        work += len(across)
        _check_size(work, MOST_PARTS, "parts, counted at each height where one begins or ends")
        row = _spans(across, middle, close)
        lefts = _continued(found.chains, lefts, [left for left, _ in row], low, close)
        rights = _continued(found.chains, rights, [right for _, right in row], low, close)
        spans = list(zip(lefts, rights, strict=True))
        if not found.spans or found.spans[-1] != spans:
            found.heights.append(low)
            found.spans.append(spans)
    if not found.chains:
        return Outline([], [], [])
    found.heights.append(levels[-1])
    return found


def _check_size(count: int, most: int, what: str) -> None:
    if count > most:
        raise OptionError(f"an outline has over {most:,} {what}: it takes too long to cut")


def _levels(every: list[Piece], close: float) -> list[float]:
    """The heights at which pieces begin, end or cross, ascending."""
    _check_size(len(every), MOST_PIECES, "pieces")
    points = np.array([(p.x0, p.y0, p.x1, p.y1, p.x2, p.y2) for p in every]).reshape(-1, 3, 2)
    bends = np.array([p.bend for p in every]).reshape(-1, 2)
    pairs = _meeting(points, close)
    found = [points[:, ::2, 1].ravel(), _crossings(points, bends, *pairs)]
    levels: list[float] = []
    for y in np.sort(np.concatenate(found)).tolist():
        if not levels or y - levels[-1] > close:
            levels.append(y)
    return levels


def _meeting(points: NDArray[Any], close: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """The pairs of pieces whose bounding rectangles overlap in a height above ``close``."""
    (left, low), (right, high) = points.min(axis=1).T, points.max(axis=1).T
    found: list[NDArray[Any]] = []
    count = 0
    for i in range(len(points)):
        meet = (left[:i] <= right[i]) & (left[i] <= right[:i])
        meet &= np.minimum(high[:i], high[i]) - np.maximum(low[:i], low[i]) > close
        found.append(np.flatnonzero(meet))
        count += len(found[-1])
        _check_size(count, MOST_MEETINGS, "pairs of pieces that may cross")
    firsts = np.repeat(np.arange(len(points)), [len(others) for others in found])
    return firsts, np.concatenate([*found, np.zeros(0, int)])


def _crossings(
    points: NDArray[Any], bends: NDArray[Any], first: NDArray[Any], second: NDArray[Any]
) -> NDArray[Any]:
    """A superset of the heights at which pairs of pieces cross.

    The roots t on the first piece of a polynomial of degree 4 at most: its p(t) in the implicit
    equation of the second's parabola, (a x p)^2 = (a x b)(p x b) for p = a t^2 + b t from its first
    point; p x b = 0 where the second is straight.
    """
    slopes = 2 * (points[:, 1] - points[:, 0])
    a, b = bends[second], slopes[second]
    on_first = [bends[first], slopes[first], points[first, 0] - points[second, 0]]
    side = np.column_stack([_cross(part, b) for part in on_first])
    u, v, w = (_cross(a, part) for part in on_first)
    squared = np.column_stack([u * u, 2 * u * v, 2 * u * w + v * v, 2 * v * w, w * w])
    squared[:, 2:] -= _cross(a, b)[:, None] * side
    is_straight = ~a.any(axis=1)
    squared[is_straight, 2:] = side[is_straight]
    heights = [np.zeros(0)]
    sizes = np.abs(squared)
    counts = sizes > NEGLIGIBLE * sizes.max(axis=1, keepdims=True, initial=0.0)
    degree = np.where(counts.any(axis=1), 4 - counts.argmax(axis=1), 0)
    for d in range(1, 5):
        which = np.flatnonzero(degree == d)
        of = squared[which, 4 - d :]
        companions = np.zeros((len(which), d, d))
        companions[:, range(1, d), range(d - 1)] = 1
        companions[:, 0] = -of[:, 1:] / of[:, :1]
        t = np.linalg.eigvals(companions)
        pair, place = np.nonzero((np.abs(t.imag) < 1e-6) & (t.real > 0) & (t.real < 1))
        at, on = t.real[pair, place], first[which[pair]]
        heights.append((bends[on, 1] * at + slopes[on, 1]) * at + points[on, 0, 1])
    return np.concatenate(heights)


def _cross(p: NDArray[Any], q: NDArray[Any]) -> NDArray[Any]:
    return p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]  # type: ignore[no-any-return]


def _spans(pieces: list[Piece], y: float, close: float) -> list[tuple[Piece, Piece]]:
    """The left and right piece of each span at a height that all pieces cross."""
    across = sorted(((piece.x_at(y), piece) for piece in pieces), key=lambda place: place[0])
    spans: list[tuple[float, Piece, float, Piece]] = []
    winding = 0
    for x, piece in across:
        before, winding = winding, winding + piece.winding
        if not before:
            start = x, piece
        elif not winding:
            if spans and start[0] - spans[-1][2] <= close:  # contours side by side
                start = spans.pop()[:2]
            if x - start[0] > close:
                spans.append((*start, x, piece))
    return [(left, right) for _, left, _, right in spans]


def _continued(
    chains: list[Chain], going: list[int], row: list[Piece], y: float, close: float
) -> list[int]:
    """The chains of a row's pieces from the height ``y``: each one of ``going``, or a new one."""
    left_over, found = list(going), []
    for piece in row:
        x = piece.x_at(y)
        for i in left_over:
            if abs(chains[i].pieces[-1].x_at(y) - x) <= close:
                left_over.remove(i)
                if chains[i].pieces[-1] is not piece:
                    chains[i].pieces.append(piece)
                    chains[i].joints.append(y)
                break
        else:
            i = len(chains)
            chains.append(Chain([piece]))
        found.append(i)
    return found
