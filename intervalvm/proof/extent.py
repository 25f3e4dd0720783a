"""Extents: a box that is proven to hold every point inside, found without a region to look in.

1. Bounds over half spaces, as of all points with x >= 4, tell how far a shape reaches along most
   axes.
2. Along the others, whose coordinates are mixed as by a rotation, bounds over the rays from the
   origin (``far``) tell that it ends, and bounds over cells where.
3. The box is halved, again and again, where it may reach too far: bounds drop what is outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.ops.row import Interval
from intervalvm.proof.far import Far, Monomial, Span, far_bounds
from intervalvm.tape import Tape

Bounds = Callable[[Sequence[Interval]], Interval]
"""Of the real function, over boxes given by the sides along the axes."""
FARTHEST, NEAREST = 64, -32
"""The radii of the largest and the smallest cube, as powers of 2."""
PARTS = {1: 1, 2: 8, 3: 4}
"""Into how many parts a side of a cube is divided at first, along each axis, by its dimensions."""
PIECES = 8
"""Into how many a side is divided that is known."""
HALVINGS, MOST_RAYS = 6, 4096
"""How often rays are halved, and how many there may be."""
FEWEST, MOST, WORK = 64, 1 << 14, 1 << 23
"""Fewer cells are divided further before they are looked at; more are not divided at all, nor if
cells times clauses exceed ``WORK``: the box is then less tight."""
ROUNDS = 500
"""How often cells are divided at most."""
FLOOR = 0.25
"""The sides of the smallest cells, in tolerances."""
ALONG = 2.0
"""A cell is halved along an axis on which it reaches too far, unless another side is this many
times as long."""
Flags = NDArray[np.bool_]


class Endless(Exception):
    """Bounds do not prove that there is a box."""


@dataclass(frozen=True)
class Boxes:
    """Closed boxes, as arrays of their ends: float64[number, dimensions]."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.low)

    def __getitem__(self, some: Any) -> Boxes:
        return Boxes(self.low[some], self.high[some])

    def joined(self, *others: Boxes) -> Boxes:
        """These and others."""
        parts = self, *others
        lows, highs = [each.low for each in parts], [each.high for each in parts]
        return Boxes(np.concatenate(lows), np.concatenate(highs))

    def hull(self) -> Boxes:
        """The box about all, as one row; from inf to -inf if there are none."""
        least = self.low.min(axis=0, keepdims=True, initial=np.inf)
        return Boxes(least, self.high.max(axis=0, keepdims=True, initial=-np.inf))

    @property
    def middle(self) -> NDArray[np.float64]:
        return self.low * 0.5 + self.high * 0.5

    def halved(self, axis: NDArray[np.int64]) -> Boxes:
        """The halves of each along its own axis."""
        rows, middle = np.arange(len(self)), self.middle
        high, low = self.high.copy(), self.low.copy()
        high[rows, axis] = low[rows, axis] = middle[rows, axis]
        return Boxes(np.concatenate((self.low, low)), np.concatenate((high, self.high)))

    def sides(self) -> list[Interval]:
        """As arguments of an evaluator."""
        never = np.zeros(len(self), bool)
        lows, highs = (np.ascontiguousarray(ends.T) for ends in (self.low, self.high))
        return [Interval(low, high, never) for low, high in zip(lows, highs, strict=True)]


def extent(
    tape: Tape, axes: Sequence[str], fixed: Mapping[str, float], bounds: Bounds, tolerance: float
) -> list[tuple[float, float]] | None:
    """The sides, along ``axes``, of a box that holds every point inside; None if there is none.

    They reach at most ``tolerance`` times the longest one too far, where bounds allow.
    ``fixed`` are the values of the other inputs, and ``bounds`` those of the real function at
    these. Raises Endless.
    """
    box = _by_half_spaces(bounds, len(axes))
    if (endless := np.isinf(box.high - box.low)[0]).any():
        _prove_end(tape, axes, fixed, box, endless)
        radius = _radius(bounds, box, endless)
        box = Boxes(np.where(endless, -radius, box.low), np.where(endless, radius, box.high))
    most = max(FEWEST, min(MOST, WORK // len(tape)))
    box = _tightened(box, bounds, tolerance, most)
    if (box.low > box.high).any():
        return None
    return list(zip((box.low[0] + 0.0).tolist(), (box.high[0] + 0.0).tolist(), strict=True))


def _by_half_spaces(bounds: Bounds, dimensions: int) -> Boxes:
    """The box beyond whose sides nothing is inside; sides are endless where bounds do not tell."""
    ends = np.append(np.exp2(np.arange(NEAREST, FARTHEST + 1.0)), np.inf)
    whole = np.full((dimensions, 2, len(ends), dimensions), np.inf)
    low, high = -whole, whole
    for axis in range(dimensions):
        high[axis, 0, :, axis], low[axis, 1, :, axis] = -ends, ends
    half_spaces = Boxes(*(part.reshape(-1, dimensions) for part in (low, high)))
    outside = (bounds(half_spaces.sides()).lower >= 0.0).reshape(whole.shape[:3])
    outside[:, :, -1] = True
    found = ends[np.argmax(outside, axis=2)]
    return Boxes(-found[None, :, 0], found[None, :, 1])


def _prove_end(
    tape: Tape, axes: Sequence[str], fixed: Mapping[str, float], box: Boxes, endless: Flags
) -> None:
    """Prove that the box has no points inside beyond the farthest cube. Raises Endless.

    ``endless`` are its axes without an end.
    """
    count, far = int(endless.sum()), Far(FARTHEST)
    rays = _with_pieces(_faces(_grid(count - 1, PARTS[count])), box, endless)
    weights = 1.0 / np.where(endless, 1.0, box.high - box.low)
    powers = np.where(endless, 1.0, 0.0)[:, None]
    for halving in range(HALVINGS + 1):
        if halving:
            rays = rays.halved(np.argmax((rays.high - rays.low) * weights, axis=1))
        ends = zip(rays.low.T, rays.high.T, powers, strict=True)
        spans = (Span(Monomial(low, power), Monomial(high, power)) for low, high, power in ends)
        found = far_bounds(tape, far, dict(zip(axes, spans, strict=True)), fixed)
        lower, upper = (np.broadcast_to(end.m, len(rays)) for end in found)
        rays = rays[~(lower >= 0.0)]
        if not len(rays):
            return
        if (upper < 0.0).any() or len(rays) > MOST_RAYS:
            break
    raise Endless


def _radius(bounds: Bounds, box: Boxes, endless: Flags) -> float:
    """The least power of 2 from which on nothing of the box is inside up to the farthest cube."""
    shell = _grid(int(endless.sum()), 4)
    shell = shell[((shell.low < -0.5) | (shell.high > 0.5)).any(axis=1)]
    shell = _with_pieces(shell, box, endless)
    radii = np.exp2(np.arange(FARTHEST, NEAREST, -1.0))[:, None, None]
    scales = np.where(endless, radii, 1.0)
    ends = ((ends * scales).reshape(-1, len(endless)) for ends in (shell.low, shell.high))
    outside = (bounds(Boxes(*ends).sides()).lower >= 0.0).reshape(len(radii), -1).all(axis=1)
    proven = len(radii) if outside.all() else int(np.argmin(outside))
    return float(np.exp2(FARTHEST - proven))


def _grid(dimensions: int, parts: int) -> Boxes:
    """The cells of the cube from -1 to 1."""
    places = np.array([*product(range(parts), repeat=dimensions)], np.float64)
    return Boxes(places * (2.0 / parts) - 1.0, (places + 1.0) * (2.0 / parts) - 1.0)


def _faces(grid: Boxes) -> Boxes:
    """All sides of a cube in one dimension more, each divided like ``grid``."""
    found = [
        Boxes(*(np.insert(ends, axis, side, axis=1) for ends in (grid.low, grid.high)))
        for axis in range(grid.low.shape[1] + 1)
        for side in (-1.0, 1.0)
    ]
    return found[0].joined(*found[1:])


def _with_pieces(boxes: Boxes, box: Boxes, endless: Flags) -> Boxes:
    """Boxes along the endless axes, by pieces of the other sides of ``box``."""
    pieces = _grid(int((~endless).sum()), PIECES)
    shape = len(boxes), len(pieces), len(endless)
    low, high = box.low[:, ~endless], box.high[:, ~endless]
    middle, half = (high + low) * 0.5, (high - low) * 0.5
    found = []
    for own, piece in ((boxes.low, pieces.low), (boxes.high, pieces.high)):
        ends = np.empty(shape)
        part = np.where(piece == -1.0, low, np.where(piece == 1.0, high, middle + half * piece))
        ends[:, :, endless], ends[:, :, ~endless] = own[:, None], part
        found.append(ends.reshape(-1, len(endless)))
    return Boxes(*found)


def _tightened(cells: Boxes, bounds: Bounds, tolerance: float, most: int) -> Boxes:
    """The hull of what bounds do not drop of the cells; they are divided where that could shrink.

    ``inner`` is the hull of what is inside, so a cell within it, or beyond by less than the
    tolerance, need not be looked at again.
    """
    held = inner = cells[:0]
    for _ in range(ROUNDS):
        n, points = len(cells), Boxes(cells.middle, cells.middle)
        found = bounds(cells.joined(points).sides())
        kept, inside = ~(found.lower >= 0.0), (found.upper < 0.0) & ~found.maybe_nan
        inner = inner.joined(cells[inside[:n]], points[inside[n:]]).hull()
        cells = cells[kept[:n]]
        outer = cells.joined(held).hull()
        slack = tolerance * float((outer.high - outer.low).max())
        beyond = (cells.low < inner.low - slack) | (cells.high > inner.high + slack)
        sizes = cells.high - cells.low
        is_open = beyond.any(axis=1) & (sizes > FLOOR * slack).any(axis=1)
        held = held.joined(cells[~is_open]).hull()
        cells, weights = cells[is_open], np.where(beyond, ALONG, 1.0)[is_open]
        if not 0 < len(cells) <= most:
            break
        while True:
            cells = cells.halved(np.argmax((cells.high - cells.low) * weights, axis=1))
            weights = np.concatenate((weights, weights))
            if len(cells) >= FEWEST:
                break
    return held.joined(cells).hull()
