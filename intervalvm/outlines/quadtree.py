"""Cells of a quadtree in which the curve is simple: split, level by level, until it is.

A cell is decided if the real function has one sign over it. Else it is a leaf if bounds of the
gradient prove that at most one piece of the curve crosses it, and that is near a chord or two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.frame import Frame
from intervalvm.jit.outlines import judging as bits
from intervalvm.outlines.bends import SHARE, bends
from intervalvm.outlines.field import Array, Field
from intervalvm.outlines.lattice import Indices, Lattice
from intervalvm.outlines.start import Numbers, Start

DECIDED, BLANK, PROVEN, UNDECIDED = range(4)
"""Kinds of leaves: of one sign; without a piece of the curve, or with one, proven; neither."""
DEEPER = 2
"""Levels of cells smaller than is asked for, for proofs: sharp tips hide between corners."""
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
    """Leaves, by their numbers ``at`` int64[n, 2] among the cells of their level, in ``parts`` of
    the plane, see ``start``.

    ``corners`` int32[n, 4] are those in the lattice, and ``way`` is the number of the points by
    which the only piece of the curve goes, -1 for none.
    """

    at: Numbers
    level: Numbers
    parts: Indices
    kind: NDArray[np.uint8]
    corners: Indices
    way: Indices

    def taken(self, some: Numbers) -> Leaves:
        """Some of them."""
        parts: Any = (part.take(some, axis=0) for part in self)
        return Leaves(*parts)

    @staticmethod
    def joined(parts: Sequence[Leaves]) -> Leaves:
        """The leaves of all parts, one after another."""
        return Leaves(*map(np.concatenate, zip(*parts, strict=True)))


class Quadtree(NamedTuple):
    """The leaves over which the sign may change, and others, which have no corners; the points of
    pieces float64[k, 3, 2], see ``bends``."""

    leaves: Leaves
    decided: Leaves
    ways: Array
    lattice: Lattice


@dataclass
class Tally:
    """What was found on the way: cells bounded, and how many of each level are proven inside.

    ``few`` is the number of cells of a level that are always split for a proof.
    """

    few: int
    evaluated: int = 0
    inside: list[int] = dataclass_field(default_factory=list)
    doubts: int = 1 << 62
    """Of the level before, those that were split for a proof alone."""


def quadtree(
    field: Field,
    frame: Frame,
    tolerance: float,
    finest: int,
    start: Start,
    tally: Tally,
    watch: Watch,
) -> Quadtree:
    """The quadtree, down to cells of level ``finest``."""
    lattice = Lattice(field, frame, finest, tolerance, start)
    tally.inside = [0] * (finest + 1)
    tally.inside[start.level] = start.inside
    at, parts = np.stack([start.i, start.j], axis=-1), start.parts
    leaves = [_cells(at[:0], parts[:0], start.level, UNDECIDED)]
    decided = [_cells(at[:0], parts[:0], start.level, DECIDED)]
    ways = [np.empty((0, 3, 2))]
    for level in range(start.level, finest + 1):
        if not len(at):
            break
        watch(level, len(at))
        tally.evaluated += len(at)
        slopes = lattice.field.slopes(*lattice.boxes(at, level), parts)
        verdicts, inside = lattice.judged(slopes, level, SHARE * tolerance)
        tally.inside[level] += inside
        is_decided = verdicts == bits.DECIDED
        some, others = np.flatnonzero(~is_decided), np.flatnonzero(is_decided)
        decided.append(_cells(at.take(others, 0), parts.take(others), level, DECIDED))
        cells = _cells(at.take(some, 0), parts.take(some), level, UNDECIDED)
        splits = _judged(lattice, cells, verdicts.take(some), ways, level, tally)
        leaves.append(cells.taken(np.flatnonzero(~splits)))
        cells = cells.taken(np.flatnonzero(splits))
        at = (2 * cells.at[:, None, :] + PLACES).reshape(-1, 2)
        parts = np.repeat(cells.parts, len(PLACES))
    return Quadtree(Leaves.joined(leaves), Leaves.joined(decided), np.concatenate(ways), lattice)


def _cells(at: Numbers, parts: Indices, level: int, kind: int) -> Leaves:
    """Cells of which no more is known."""
    many = len(at)
    corners, none = np.full((many, 4), -1, np.int32), np.full(many, -1, np.int32)
    return Leaves(at, np.full(many, level), parts, np.full(many, kind, np.uint8), corners, none)


def _judged(
    lattice: Lattice,
    cells: Leaves,
    verdicts: NDArray[np.uint8],
    ways: list[Array],
    level: int,
    tally: Tally,
) -> NDArray[np.bool_]:
    """Write the kinds, corners and ways of cells that are not decided; returns which to split."""
    tolerance, size = lattice.tolerance, max(lattice.frame.sizes(level))
    is_one, is_flat = verdicts & bits.ONE != 0, verdicts & bits.FLAT != 0
    cells.corners[:] = lattice.corners(cells.at, cells.level, cells.parts)
    count, pairs = lattice.crossed(cells.corners, level, cells.parts)
    cells.kind[(count == 0) & is_one & (verdicts & bits.STRAYS == 0)] = BLANK
    near, cornered = (count == 2) & is_flat, np.zeros(len(count), bool)  # by its chord
    once = np.flatnonzero((count == 2) & ~is_flat)
    if len(once):
        sides, corners = pairs.take(once, axis=0), cells.corners.take(once, axis=0)
        parts = cells.parts.take(once)
        found = bends(lattice, sides, corners, parts, is_one=is_one[once])
        near[once], cornered[once] = found.is_near, found.has_corner
        some = np.flatnonzero(~np.isnan(found.points[:, 1, 0]))
        cells.way[once[some]] = sum(map(len, ways)) + np.arange(len(some))
        ways.append(found.points.take(some, axis=0))
    cells.kind[near & is_one] = PROVEN
    splits = cells.kind == UNDECIDED
    if size <= CORNERED * tolerance:
        splits &= ~cornered
    doubts = splits & (near | (count == 0))
    number = int(np.count_nonzero(doubts))
    if number > max(tally.few, FEWER * tally.doubts):
        splits &= ~doubts
        number = 0
    tally.doubts = number
    if level >= lattice.finest - DEEPER:
        # where the value may jump there is no proof
        splits &= doubts & (verdicts & bits.SMOOTH != 0)
    return splits if level < lattice.finest else np.zeros_like(splits)
