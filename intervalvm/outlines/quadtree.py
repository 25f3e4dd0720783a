"""Cells of a quadtree in which the curve is simple: split, level by level, until it is.

A cell is decided if the real function has one sign over it. Else it is a leaf if bounds of the
gradient prove that at most one piece of the curve crosses it, and that is near a chord or two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.frame import Frame
from intervalvm.cells.subdivision import is_simple
from intervalvm.ops.row import Interval
from intervalvm.outlines.bends import SHARE, Bends, bends
from intervalvm.outlines.field import Array, Field, Slopes
from intervalvm.outlines.lattice import Corners, Crossings, Numbers
from intervalvm.outlines.start import Start

DECIDED, BLANK, PROVEN, UNDECIDED = range(4)
"""Kinds of leaves: of one sign; without a piece of the curve, or with one, proven; neither."""
FEWER = 0.9
"""Cells are split for a proof alone if they are few, or fewer than that share of those of the level
before. Others are left undecided: along a seam of two parts, where the value is 0 inside, there
would be twice as many on each level."""
CORNERED = 32.0
"""Cells with a corner, this small, in tolerances, are not split for a proof: in a smaller one the
corner may lie where no corner of a cell tells of it."""
SIDES = np.array([(0, 0, 0), (1, 1, 0), (0, 0, 1), (1, 0, 0)])
"""Its sides, from one corner to the next: the axis, and where they start on the lattice."""
Watch = Callable[[int, int], None]


class Leaves(NamedTuple):
    """The leaves, by numbers (i, j) among the cells of their level."""

    i: Numbers
    j: Numbers
    level: Numbers
    kind: NDArray[np.uint8]


@dataclass
class Tally:
    """What was found on the way: cells bounded, and how many of the finest are proven inside.

    ``few`` is the number of cells of a level that are always split for a proof.
    """

    few: int
    evaluated: int = 0
    inside: int = 0
    doubts: int = 1 << 62
    """Of the level before."""


def leaves_of(
    field: Field,
    frame: Frame,
    tolerance: float,
    finest: int,
    start: Start,
    tally: Tally,
    watch: Watch,
) -> tuple[Leaves, Crossings]:
    """The leaves of the quadtree, down to cells of level ``finest``."""
    signs = None if start.signs is None else partial(start.signs, finest)
    corners = Corners(field, frame, finest, signs)
    tally.inside += start.inside << 2 * (finest - start.level)
    crossings = Crossings(corners, tolerance)
    parts: list[Leaves] = []
    i, j = start.i, start.j
    for level in range(start.level, finest + 1):
        if not len(i):
            break
        watch(level, len(i))
        tally.evaluated += len(i)
        kind, splits = _judged(field, crossings, i, j, level, level == finest, tolerance, tally)
        kept = ~splits
        parts.append(Leaves(i[kept], j[kept], np.full(np.count_nonzero(kept), level), kind[kept]))
        i, j = (
            (2 * part[splits, None] + place).reshape(-1)
            for part, place in ((i, [0, 1, 0, 1]), (j, [0, 0, 1, 1]))
        )
    whole = (np.concatenate(each) for each in zip(*parts, strict=True))
    empty = np.zeros(0, np.int64)
    return (Leaves(*whole) if parts else Leaves(empty, empty, empty, empty.astype(np.uint8))), (
        crossings
    )


@dataclass
class _Level:
    """The cells of a level, of the given size, that are judged together."""

    crossings: Crossings
    tolerance: float
    level: int
    i: Numbers
    j: Numbers
    size: Array

    def pieces(
        self, some: Numbers, changes: NDArray[np.bool_], is_flat: NDArray[np.bool_]
    ) -> Bends:
        """The pieces in cells of which two sides are crossed, as ``changes`` [4, m] tells."""
        crossings, i, j = self.crossings, self.i[some], self.j[some]
        frame = crossings.corners.frame
        axis, right, up = SIDES[np.nonzero(changes[:, some].T)[1].reshape(-1, 2).T].T
        sides = axis.T, i + right.T, j + up.T
        places = crossings.find(self.level, *(part.ravel() for part in sides)).reshape(2, -1)
        low = np.stack([frame.coordinates(k, part, self.level) for k, part in enumerate((i, j))])
        p, q = (crossings.points[:, place] for place in places)
        g, h = (crossings.slopes[:, place] for place in places)
        field = crossings.corners.field
        found = bends(field, (p, q), (g, h), low, self.size, self.tolerance, is_flat=is_flat[some])
        crossings.bends.keep(self.level, i, j, found.points)
        return found


def _judged(
    field: Field,
    crossings: Crossings,
    i: Numbers,
    j: Numbers,
    level: int,
    is_last: bool,
    tolerance: float,
    tally: Tally,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The kind of each cell of a level, and which to split."""
    frame = crossings.corners.frame
    at: NDArray[Any] = np.stack([i, j], axis=-1)
    slopes = field.slopes(*frame.boxes(at, level))
    inside = (slopes.value.upper < 0) & ~slopes.value.maybe_nan
    tally.inside += int(np.count_nonzero(inside)) << 2 * (crossings.corners.finest - level)
    kind = np.full(len(i), UNDECIDED, np.uint8)
    kind[inside | (slopes.value.lower >= 0)] = DECIDED
    splits, open_ = np.zeros(len(i), bool), np.flatnonzero(kind)
    if len(open_):
        size = np.array(frame.sizes(level))[:, None]
        cells = _Level(crossings, tolerance, level, i[open_], j[open_], size)
        kind[open_], splits[open_] = _open_judged(cells, _taken(slopes, open_), is_last, tally)
    return kind, splits


def _open_judged(
    cells: _Level, slopes: Slopes, is_last: bool, tally: Tally
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The kind of each cell that is not decided, and which to split."""
    tolerance, corners = cells.tolerance, cells.crossings.corners
    is_one, is_flat = _proven(slopes, cells.size, tolerance)
    negative = corners.of_cells(cells.level, cells.i, cells.j) < 0
    changes = negative != np.roll(negative, -1, axis=0)
    count = changes.sum(axis=0)
    kind = np.full(len(count), UNDECIDED, np.uint8)
    kind[(count == 0) & is_one & ~_may_stray(slopes, tolerance)] = BLANK
    near, cornered = np.zeros(len(count), bool), np.zeros(len(count), bool)
    once = np.flatnonzero(count == 2)
    if len(once):
        found = cells.pieces(once, changes, is_flat)
        near[once], cornered[once] = found.is_near, found.has_corner
    kind[near & is_one] = PROVEN
    splits = kind == UNDECIDED
    if cells.size.max() <= CORNERED * tolerance:
        splits &= ~cornered
    doubts = splits & (near | (count == 0))
    number = int(np.count_nonzero(doubts))
    if number > max(tally.few, FEWER * tally.doubts):
        splits &= ~doubts
    tally.doubts = number
    if cells.size.max() <= tolerance:
        # where the value may jump there is no proof
        splits &= doubts & np.isfinite(slopes.lower).all(axis=0)
    return kind, splits & (not is_last)


def _taken(slopes: Slopes, some: Numbers) -> Slopes:
    value = Interval(*(part[some] for part in slopes.value))
    return Slopes(value, slopes.lower[:, some], slopes.upper[:, some])


def _proven(
    slopes: Slopes, size: Array, tolerance: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where there is at most one piece of the curve, and where that is nearly flat.

    If the function is monotone in x and in y, what is below and left of a point inside is inside:
    so there is one piece at most. If it is strictly monotone in one of them, a curve is a graph
    over the other. It may leave the leaf by a side and come back by the same; but then, if the
    leaf beyond is such a graph too, it is one curve with that leaf's.
    """
    lower, upper = slopes.lower, slopes.upper
    with np.errstate(all="ignore"):
        strict = ((lower > 0) | (upper < 0)).any(axis=0)
        monotone = ((lower >= 0) | (upper <= 0)).all(axis=0)
        one = (monotone | strict) & ~slopes.value.maybe_nan
    return one, one & is_simple(lower, upper, tuple(size), tolerance * SHARE)


def _may_stray(slopes: Slopes, tolerance: float) -> NDArray[np.bool_]:
    """Where a curve may come in and leave by the same side, farther than the tolerance."""
    lower, upper = slopes.lower, slopes.upper
    with np.errstate(all="ignore"):
        rises, falls = lower >= 0, upper <= 0
        steep = np.where(rises | falls, np.minimum(np.abs(lower), np.abs(upper)), 0.0)
        reach = tolerance * SHARE * np.sqrt((steep * steep).sum(axis=0))
        value = slopes.value
        strays = (value.lower < -reach) & (value.upper > reach)
    return np.asarray(strays & ~(rises | falls).all(axis=0))
