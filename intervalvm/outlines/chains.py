"""From leaves of a quadtree to curves: crossings of sides, paired in each leaf, chained.

Curves are simple and do not cross, by construction:

- A *minimal side* lies between two neighbouring corners on a line of the lattice, of whichever
  leaves. A corner is inside or outside for all leaves: a minimal side has one crossing or none.
- Around a leaf, inside and outside alternate, so crossings are even in number, and are paired so
  that their chords do not cross. A leaf is convex and its chords lie in it: chords of different
  leaves meet in crossings alone. Where a leaf has one pair, the chord may as well go by any point
  within the leaf.
- A crossing ends the piece of one leaf and starts that of its neighbour. So pieces form closed
  curves, or curves that end at the frame's border.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.outlines.field import Array
from intervalvm.outlines.lattice import Corners, Crossings, Numbers, corner_keys, sorted_unique
from intervalvm.outlines.quadtree import DECIDED, SIDES, Leaves

Flags = NDArray[np.bool_]
LOW = 0xFFFFFFFF
DEPTH = 2.0**-6
"""How far a piece between two crossings of one side goes into its leaf, in its lengths."""


class Sides(NamedTuple):
    """The minimal sides that are crossed: along ``axis``, from the corner (i, j), of ``length``."""

    axis: Numbers
    i: Numbers
    j: Numbers
    length: Numbers


class Loops(NamedTuple):
    """Vertices of all curves, one curve after the other; curve k is from ``starts[k]``.

    Of each vertex: the point [2, n], the crossed side (-1 for a point within a leaf), and whether
    the piece that begins with it is the only one in its leaf.
    """

    points: Array
    side: Numbers
    is_alone: Flags
    starts: Numbers
    is_closed: Flags
    sides: Sides


class Rounds(NamedTuple):
    """Crossings around leaves, counter-clockwise, one leaf after the other."""

    leaf: Numbers
    side: Numbers
    """The number of the minimal side."""
    face: Numbers
    """Of the leaf's four sides."""
    leaves_inside: Flags
    """Whether inside ends there."""
    first: Numbers
    many: Numbers
    """The leaf's first crossing here, and its number of them."""


def loops(leaves: Leaves, crossings: Crossings) -> Loops:
    """The curves through leaves. Their start is arbitrary."""
    corners = crossings.corners
    some = leaves.kind != DECIDED
    sides, rounds = _rounds(Leaves(*(part[some] for part in leaves)), corners)
    if _are_loose(sides, rounds, corners):
        # rounding has made a curve on the border of what is decided
        sides, rounds = _rounds(leaves, corners)
    else:
        leaves = Leaves(*(part[some] for part in leaves))
    places = _places(sides, corners.finest, crossings)
    points = crossings.points[:, places]
    follower, is_alone, by = _pairs(leaves, rounds, sides, points, crossings)
    order, starts, is_closed = _chained(follower)
    has = ~np.isnan(by[0, order])
    # each crossing, and the point that follows it if there is one
    at = np.arange(len(order)) + np.cumsum(has) - has
    whole = len(order) + np.count_nonzero(has)
    found, side = np.empty((2, whole)), np.full(whole, -1)
    alone = np.empty(whole, bool)
    found[:, at], side[at], alone[at] = points[:, order], order, is_alone[order]
    found[:, at[has] + 1], alone[at[has] + 1] = by[:, order[has]], is_alone[order[has]]
    at = np.append(at, whole)
    return Loops(found, side, alone, at[starts], is_closed, sides)


def _rounds(leaves: Leaves, corners: Corners) -> tuple[Sides, Rounds]:
    """The crossed minimal sides, and the crossings around each leaf."""
    shift = corners.finest - leaves.level
    i, j, size = leaves.i << shift, leaves.j << shift, 1 << shift
    low: list[Numbers] = []
    high: list[Numbers] = []
    for axis, a, b in SIDES.tolist():
        along, line = (i, j + b * size) if axis == 0 else (j, i + a * size)
        low.append(line << 32 | along)
        high.append(line << 32 | along + size)
    inside, first_side = [], 0
    parts: list[Sides] = []
    ranges = np.empty((4, 2, len(i)), np.int64)
    for axis in (0, 1):
        own = [k for k in range(4) if SIDES[k, 0] == axis]
        at = sorted_unique(np.concatenate([end for k in own for end in (low[k], high[k])]))
        line, along = at >> 32, at & LOW
        keys = corner_keys(along, line) if axis == 0 else at
        corners.add(keys)
        negative = corners.at(keys) < 0
        ends = [[np.searchsorted(at, of[k]) for of in (low, high)] for k in own]
        firsts, lasts = (np.concatenate([pair[end] for pair in ends]) for end in (0, 1))
        many = len(at) + 1
        # between corners of one line there may be no leaf
        is_side = np.cumsum(
            np.bincount(firsts, minlength=many) - np.bincount(lasts, minlength=many)
        )
        changes = np.flatnonzero(
            (negative[1:] != negative[:-1]) & (is_side[: max(many - 2, 0)] > 0)
        )
        before = np.zeros(many, np.int64)
        before[changes + 1] = 1
        before = np.cumsum(before)
        for k, pair in zip(own, ends, strict=True):
            for end in (0, 1):
                ranges[k, end] = first_side + before[pair[end]]
        crossed = changes
        place = (along[crossed], line[crossed]) if axis == 0 else (line[crossed], along[crossed])
        length = along[crossed + 1] - along[crossed]
        parts.append(Sides(np.full(len(crossed), axis), *place, length))
        inside.append(negative[crossed])
        first_side += len(crossed)
    sides = Sides(*(np.concatenate(each) for each in zip(*parts, strict=True)))
    return sides, _around(ranges, np.concatenate(inside))


def _are_loose(sides: Sides, rounds: Rounds, corners: Corners) -> bool:
    """Whether a crossing within the frame is on the border of one leaf alone."""
    met = np.bincount(rounds.side, minlength=len(sides.axis)) == 2
    line = np.where(sides.axis == 0, sides.j, sides.i)
    return not (met | (line == 0) | (line == 1 << corners.finest)).all()


def _around(ranges: Numbers, starts_inside: Flags) -> Rounds:
    """The crossings around leaves, from the ranges of crossed sides [4, 2, leaves]."""
    counts = (ranges[:, 1] - ranges[:, 0]).T  # [leaves, 4]
    flat = counts.reshape(-1)
    owner = np.repeat(np.arange(len(flat)), flat)
    leaf, face = owner // 4, owner % 4
    place = np.arange(len(owner)) - np.repeat(np.cumsum(flat) - flat, flat)
    forward = face < 2
    side = np.where(forward, ranges[face, 0, leaf] + place, ranges[face, 1, leaf] - 1 - place)
    count = counts.sum(axis=1)
    first = np.cumsum(count) - count
    return Rounds(leaf, side, face, starts_inside[side] == forward, first[leaf], count[leaf])


def _places(sides: Sides, finest: int, crossings: Crossings) -> Numbers:
    """The places of the crossings of all sides."""
    level = finest - np.rint(np.log2(sides.length)).astype(np.int64)
    places = np.empty(len(level), np.int64)
    for each in np.unique(level).tolist():
        some = np.flatnonzero(level == each)
        shift = finest - each
        places[some] = crossings.find(
            each, sides.axis[some], sides.i[some] >> shift, sides.j[some] >> shift
        )
    return places


def _pairs(
    leaves: Leaves, rounds: Rounds, sides: Sides, points: Array, crossings: Crossings
) -> tuple[Numbers, Flags, Array]:
    """Of each side the one that follows, whether that piece is alone in its leaf, and its point.

    The inside is on the left: a piece goes from where inside ends, counter-clockwise around the
    leaf, to where it begins. Of more than two crossings those are paired between which is no
    inside if the middle of the leaf is inside, else those between which all is inside.
    """
    many = len(sides.axis)
    follower, alone = np.full(many, -1), np.zeros(many, bool)
    by = np.full((2, many), np.nan)
    here = np.flatnonzero(rounds.leaves_inside)
    step = np.ones(len(here), np.int64)
    leaf, count = rounds.leaf[here], rounds.many[here]
    crowded = np.flatnonzero(count > 2)
    if len(crowded):
        step[crowded] = np.where(_middle_inside(leaves, leaf[crowded], crossings.corners), 1, -1)
    local = here - rounds.first[here]
    there = rounds.first[here] + (local + step) % count
    start, end = rounds.side[here], rounds.side[there]
    follower[start], alone[start] = end, count == 2
    single = np.flatnonzero(count == 2)
    own = leaf[single]
    by[:, start[single]] = crossings.bends.find(leaves.level[own], leaves.i[own], leaves.j[own])
    for k in np.flatnonzero(rounds.face[here] == rounds.face[there]).tolist():
        rivals = np.flatnonzero((leaf == leaf[k]) & (np.arange(len(here)) != k))
        chords = points[:, start[rivals]], points[:, end[rivals]]
        by[:, start[k]] = _dent(
            int(rounds.face[here[k]]),
            points[:, start[k]],
            points[:, end[k]],
            _box(leaves, int(leaf[k]), crossings.corners),
            chords,
        )
        alone[start[k]] = False
    return follower, alone, by


def _middle_inside(leaves: Leaves, leaf: Numbers, corners: Corners) -> Flags:
    frame, level = corners.frame, leaves.level[leaf] + 1
    x, y = (
        frame.coordinates(axis, 2 * part[leaf] + 1, level)
        for axis, part in enumerate((leaves.i, leaves.j))
    )
    found: Flags = corners.field.values(x, y) < 0
    return found


def _box(leaves: Leaves, leaf: int, corners: Corners) -> tuple[Array, Array]:
    frame, level = corners.frame, leaves.level[leaf]
    at = [(0, leaves.i[leaf]), (1, leaves.j[leaf])]
    low, high = ([frame.coordinates(axis, k + end, level) for axis, k in at] for end in (0, 1))
    return np.array(low), np.array(high)


def _dent(
    face: int, start: Array, end: Array, box: tuple[Array, Array], chords: tuple[Array, Array]
) -> Array:
    """A point by which a piece between two crossings of one side goes into the leaf.

    It is nearer to the middle of the crossings than any other chord, which has both on one side,
    and nearer than a quarter of their distance from the leaf's corners: so pieces do not meet.
    """
    axis = int(SIDES[face, 0])
    middle, low, high = (start + end) * 0.5, box[0][axis], box[1][axis]
    nearest = min(
        *(np.array([start[axis], end[axis]]) - low), *(high - np.array([start[axis], end[axis]]))
    )
    reach = min(abs(end[axis] - start[axis]) * DEPTH, nearest * 0.25)
    a, b = chords
    if a.size:
        along = b - a
        with np.errstate(all="ignore"):
            share = ((middle[:, None] - a) * along).sum(axis=0) / (along * along).sum(axis=0)
        foot = a + np.clip(np.nan_to_num(share), 0.0, 1.0) * along
        away = np.sqrt(((foot - middle[:, None]) ** 2).sum(axis=0)).min()
        reach = min(reach, float(away) * 0.5)
    found = middle.copy()
    found[1 - axis] += reach if face in (0, 3) else -reach
    return found


def _chained(follower: Numbers) -> tuple[Numbers, Numbers, Flags]:
    """The sides in the order of curves, where each curve starts, and which are closed.

    Open curves come first, from their starts.
    """
    after = follower.tolist()
    is_followed = np.zeros(len(after), bool)
    is_followed[follower[follower >= 0]] = True
    todo = [*np.flatnonzero(~is_followed).tolist(), *range(len(after))]
    seen = [False] * len(after)
    order: list[int] = []
    starts: list[int] = []
    closed: list[bool] = []
    for first in todo:
        if seen[first]:
            continue
        starts.append(len(order))
        k = first
        while k >= 0 and not seen[k]:
            seen[k] = True
            order.append(k)
            k = after[k]
        closed.append(k == first)
    return np.array(order, np.int64), np.array(starts, np.int64), np.array(closed, bool)
