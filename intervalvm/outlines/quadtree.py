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
from intervalvm.outlines.lattice import Indices, Lattice, Numbers
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
PLACES = np.array([(0, 0), (1, 0), (0, 1), (1, 1)])
"""The children of a cell."""
Watch = Callable[[int, int], None]


class Leaves(NamedTuple):
    """The leaves, by their numbers ``at`` int64[n, 2] among the cells of their level, in ``parts``
    of the plane, see ``start``.

    ``corners`` int32[n, 4] are those in the lattice, of leaves that are not decided, and ``points``
    float64[2, 3, n] those by which the only piece of the curve goes, see ``bends``.
    """

    at: Numbers
    level: Numbers
    parts: Indices
    kind: NDArray[np.uint8]
    corners: Indices
    points: Array

    def taken(self, some: Any) -> Leaves:
        """Some of them."""
        at, level, parts, kind, corners, points = self
        return Leaves(
            at[some], level[some], parts[some], kind[some], corners[some], points[..., some]
        )


@dataclass
class Tally:
    """What was found on the way: cells bounded, and how many of the finest are proven inside.

    ``few`` is the number of cells of a level that are always split for a proof.
    """

    few: int
    evaluated: int = 0
    inside: int = 0
    doubts: int = 1 << 62
    """Of the level before, those that were split for a proof alone."""


def leaves_of(
    field: Field,
    frame: Frame,
    tolerance: float,
    finest: int,
    start: Start,
    tally: Tally,
    watch: Watch,
) -> tuple[Leaves, Lattice]:
    """The leaves of the quadtree, down to cells of level ``finest``."""
    signs = None if start.signs is None else partial(start.signs, finest)
    lattice = Lattice(field, frame, finest, tolerance, signs, len(start.i))
    tally.inside += start.inside << 2 * (finest - start.level)
    at, parts = np.stack([start.i, start.j], axis=-1), start.parts
    found = [_cells(at[:0], parts[:0], start.level, DECIDED)]
    for level in range(start.level, finest + 1):
        if not len(at):
            break
        watch(level, len(at))
        tally.evaluated += len(at)
        x, y = lattice.frame.boxes(at, level)
        slopes = lattice.field.slopes(x, y, parts)
        inside = (slopes.value.upper < 0) & ~slopes.value.maybe_nan
        tally.inside += int(np.count_nonzero(inside)) << 2 * (finest - level)
        is_decided = inside | (slopes.value.lower >= 0)
        found.append(_cells(at[is_decided], parts[is_decided], level, DECIDED))
        some = np.flatnonzero(~is_decided)
        cells = _cells(at[some], parts[some], level, UNDECIDED)
        splits = _judged(lattice, cells, _taken(slopes, some), level, tally)
        found.append(cells.taken(~splits))
        at = (2 * cells.at[splits, None, :] + PLACES).reshape(-1, 2)
        parts = np.repeat(cells.parts[splits], len(PLACES))
    whole = [np.concatenate(each) for each in zip(*(some[:-1] for some in found), strict=True)]
    points = np.concatenate([some.points for some in found], axis=-1)
    return Leaves(*whole, points), lattice  # type: ignore[call-arg]


def _cells(at: Numbers, parts: Indices, level: int, kind: int) -> Leaves:
    """Cells of which no more is known."""
    many = len(at)
    corners = np.full((many, 4), -1, np.int32)
    points = np.full((2, 3, many), np.nan)
    kinds = np.full(many, kind, np.uint8)
    return Leaves(at, np.full(many, level), parts, kinds, corners, points)


def _judged(
    lattice: Lattice, cells: Leaves, slopes: Slopes, level: int, tally: Tally
) -> NDArray[np.bool_]:
    """Write the kinds, corners and points of cells that are not decided; returns which to split."""
    tolerance, size = lattice.tolerance, np.array(lattice.frame.sizes(level))[:, None]
    is_one, is_flat = _proven(slopes, size, tolerance)
    cells.corners[:] = lattice.corners(cells.at, cells.level, cells.parts)
    count, pairs = lattice.crossed(cells.corners, level, cells.parts)
    cells.kind[(count == 0) & is_one & ~_may_stray(slopes, tolerance)] = BLANK
    near, cornered = np.zeros(len(count), bool), np.zeros(len(count), bool)
    near[(count == 2) & is_flat] = True  # its chord
    once = np.flatnonzero((count == 2) & ~is_flat)
    if len(once):
        low = lattice.place(cells.corners[once, 0])
        found = _pieces(lattice, pairs[once].T, low, size, is_one[once])
        near[once], cornered[once] = found.is_near, found.has_corner
        cells.points[..., once] = found.points
    cells.kind[near & is_one] = PROVEN
    splits = cells.kind == UNDECIDED
    if size.max() <= CORNERED * tolerance:
        splits &= ~cornered
    doubts = splits & (near | (count == 0))
    number = int(np.count_nonzero(doubts))
    if number > max(tally.few, FEWER * tally.doubts):
        splits &= ~doubts
        number = 0
    tally.doubts = number
    if size.max() <= tolerance:
        # where the value may jump there is no proof
        splits &= doubts & np.isfinite(slopes.lower).all(axis=0)
    return splits if level < lattice.finest else np.zeros_like(splits)


def _pieces(
    lattice: Lattice, sides: Indices, low: Array, size: Array, is_one: NDArray[np.bool_]
) -> Bends:
    """The pieces from ``sides[0]`` to ``sides[1]``, which are crossed."""
    ends, slopes = ((of[:, sides[0]], of[:, sides[1]]) for of in (lattice.points, lattice.slopes))
    return bends(lattice.field, ends, slopes, low, size, lattice.tolerance, is_one=is_one)


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
        strict = np.logical_or(*((lower > 0) | (upper < 0)))
        monotone = np.logical_and(*((lower >= 0) | (upper <= 0)))
        one = (monotone | strict) & ~slopes.value.maybe_nan
    return one, one & is_simple(lower, upper, tuple(size), tolerance * SHARE)


def _may_stray(slopes: Slopes, tolerance: float) -> NDArray[np.bool_]:
    """Where a curve may come in and leave by the same side, farther than the tolerance."""
    lower, upper = slopes.lower, slopes.upper
    with np.errstate(all="ignore"):
        rises, falls = lower >= 0, upper <= 0
        steep = np.where(rises | falls, np.minimum(np.abs(lower), np.abs(upper)), 0.0)
        reach = tolerance * SHARE * np.sqrt(np.add(*(steep * steep)))
        value = slopes.value
        strays = (value.lower < -reach) & (value.upper > reach)
    return np.asarray(strays & ~np.logical_and(*(rises | falls)))
