"""Proofs that lines and arcs lie along the edge of a shape, by bounds of its field.

The edge is the border of the set where the real field is below 0. A piece is *proven* if each of
its points has a point of the edge within the tolerance. It is proven part by part, in either way:

``band``
    On each normal of the part the field rises from end to end, over ``reach`` to either side: it is
    below 0 to the left and above 0 to the right. So there is exactly one zero on each normal, and
    within the band the edge is a graph over the part: nothing else of it lies there.
``disc``
    The part is within some distance of a point, its middle or an end of its piece, and within the
    rest of the tolerance of that point is one where the field is below 0, and one where it is
    above. The edge meets the segment between the two, even if the field jumps. This is the way at
    corners, and where slopes are not bounded.

How a band is proven is told in ``bands``. Parts that are not proven are halved, until they are
shorter than ``FLOOR`` of the tolerance. So that no time is lost where there is no proof, a part as
short as that in the middle of each open piece's first part is tried first.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.ops.row import Interval
from intervalvm.outlines.bands import EPSILON, ROUNDING, Band, Parts, cut
from intervalvm.outlines.field import Field
from intervalvm.outlines.segments import Floats, Indices, Segments, to_left

Mask = NDArray[np.bool_]
FLOOR = 1 / 8
"""Parts this short, in tolerances, are not halved any more."""
SHORTEST = 1 / 2
"""Half the length of parts, in tolerances, from which discs are tried."""
MOST_TIMES, LEAST_PARTS = 64, 1024
"""A piece is not proven from so many times the open parts that it began with, or so many."""
TILES, CROWD, SHORT = 8, 1024, 32
"""Groups of more than ``CROWD`` parts, with tapes longer than ``SHORT`` clauses, are split into
up to ``TILES`` by ``TILES``."""
SMOOTH = 0.99
"""The cosine of the least angle between pieces at a corner."""
DISCS = 1, 1 / 4, 1 / 16, 1 / 64
"""Where signs are sought, in radii of a disc."""


def prove(pieces: Segments, after: Indices, asked: Mask, field: Field, tolerance: float) -> Proof:
    """Which of the ``asked`` pieces lie within the tolerance of the edge, as is told above.

    ``after`` is the next piece of each, or -1 at the end of an open curve. On which side of a
    corner the shape is sought follows from both tangents there.
    """
    size = max(np.abs(pieces.start).max(initial=0.0), np.abs(pieces.stop).max(initial=0.0))
    tolerance -= ROUNDING * tolerance + 4 * EPSILON * float(size)
    if not tolerance > 0:
        return Proof(np.zeros(len(pieces), bool), 0)
    before = np.full(len(pieces), -1)
    before[after[after >= 0]] = np.flatnonzero(after >= 0)
    neighbours = before, after
    fails: Mask = ~asked
    disc = np.full((2, len(pieces)), -1)
    sharp = _sharp(pieces, neighbours)
    parts, count = cut(pieces, sharp, np.flatnonzero(asked), tolerance), 0
    groups, at = _grouped(field, Band.about(pieces, parts, tolerance), tolerance)
    parts = replace(parts, group=at)
    most = np.maximum(MOST_TIMES * np.bincount(parts.piece, minlength=len(pieces)), LEAST_PARTS)
    shortest = parts.only(np.zeros(len(parts), bool))
    while len(parts):
        tried = parts.and_others(shortest)
        count += len(tried)
        found, refuted = _judged(groups, Band.about(pieces, tried, tolerance), tried.group)
        fails[tried.piece[refuted]] = True
        found[~found] = _meets_discs(pieces, tried.only(~found), groups, tolerance)
        fails[shortest.piece[~found[len(parts) :]]] = True
        parts = parts.only(~found[: len(parts)])
        own = pieces[parts.piece]
        far = np.stack([own.lengths(w=parts.high), own.lengths(v=parts.low)])
        near = far <= tolerance * (0.5 - ROUNDING)
        for end in (0, 1):
            disc[end, parts.piece[near[end]]] = parts.group[near[end]]
        parts = parts.only(~(near[0] | near[1]))
        tiny = pieces[parts.piece].lengths(parts.low, parts.high) < FLOOR * tolerance
        fails[parts.piece[tiny]] = True
        # where nothing can be proven there would be more and more
        fails |= 2 * np.bincount(parts.piece, minlength=len(pieces)) > most
        parts = parts.only(~fails[parts.piece])
        shortest = parts.firsts().within(pieces, FLOOR * tolerance)
        parts = parts.halved()
    for end, group in enumerate(disc):
        some = np.flatnonzero((group >= 0) & ~fails)
        inward = _inward(pieces, (some, neighbours[end][some]), end)
        corner = (pieces.stop if end else pieces.start)[some]
        radius = np.full(len(some), tolerance / 2)
        fails[some] |= ~_has_edge(groups, group[some], corner, inward, radius)
        count += len(some)
    return Proof(~fails, count)


class Proof(NamedTuple):
    """Of each piece whether it is proven, and how many parts were asked about."""

    proven: Mask
    parts: int


class Group(NamedTuple):
    """Neighbouring parts, and the field by a tape that is right in a box alone."""

    field: Field
    low: Floats
    high: Floats


def _grouped(field: Field, band: Band, tolerance: float) -> tuple[list[Group], Indices]:
    """Groups of near parts, and the group of each.

    Their boxes have room for parts of the parts, whose bands lean out, and for discs at ends.
    """
    room = (2 * tolerance + 2 * band.height)[:, None]
    low, high = band.low - room, band.high + room
    groups: list[Group] = []
    at = np.zeros(len(low), np.int64)
    waiting = [(field, np.arange(len(low)))] if len(low) else []
    while waiting:
        field, some = waiting.pop()
        least, most = low[some].min(axis=0), high[some].max(axis=0)
        if len(some) <= CROWD or len(field.real.tape) <= SHORT:
            at[some] = len(groups)
            groups.append(Group(field, least, most))
            continue
        tiles = min(TILES, math.ceil(math.sqrt(2 * len(some) / CROWD)))
        tile = (band.middle[some] - least) / (most - least) * tiles
        key = np.minimum(tile.astype(np.int64), tiles - 1) @ np.array([1, tiles])
        order = np.argsort(key, kind="stable")
        first = np.flatnonzero(np.diff(key[order], prepend=-1))
        parted = np.split(some[order], first[1:])
        lows = np.minimum.reduceat(low[some[order]], first)
        highs = np.maximum.reduceat(high[some[order]], first)
        shorter = field.shortened(*_sides(lows, highs))
        if len(parted) == 1:
            at[some] = len(groups)
            groups.append(Group(shorter[0], lows[0], highs[0]))
        else:
            waiting += zip(shorter, parted, strict=True)
    return groups, at


def _by_group(group: Indices) -> list[tuple[int, Indices]]:
    """The groups that there are, each with its members."""
    order = np.argsort(group, kind="stable")
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    names = group[order[first]].tolist()
    return list(zip(names, np.split(order, first[1:]), strict=True)) if names else []


def _judged(groups: list[Group], band: Band, group: Indices) -> tuple[Mask, Mask]:
    """Which parts are proven, and which refuted."""
    n = len(group)
    value = Interval(np.empty(n), np.empty(n), np.ones(n, bool))
    lower, upper = np.empty((2, 2, n))
    for name, some in _by_group(group):
        field = groups[name].field
        x, y = _sides(band.middle[some], band.middle[some])
        for whole, part in zip(value, field.bounds(x, y), strict=True):
            whole[some] = part
        _, lower[:, some], upper[:, some] = field.slopes(*_sides(band.low[some], band.high[some]))
    low, high = (np.array([side[k] for side in groups])[group] for k in (1, 2))
    within = ((band.low >= low) & (band.high <= high)).all(axis=1)
    proven, refuted = band.judged(value, lower, upper)
    return proven & within, refuted & within


def _sides(low: Floats, high: Floats) -> tuple[Interval, Interval]:
    """Boxes by their corners [n, 2]."""
    never = np.zeros(len(low), bool)
    x, y = (Interval(low[:, k].copy(), high[:, k].copy(), never) for k in (0, 1))
    return x, y


def _meets_discs(pieces: Segments, parts: Parts, groups: list[Group], tolerance: float) -> Mask:
    """Which parts are short, and have the edge near their middle."""
    found = np.zeros(len(parts), bool)
    half = pieces[parts.piece].lengths(parts.low, parts.high) * (0.5 + ROUNDING)
    short = half <= SHORTEST * tolerance
    own, v = pieces[parts.piece[short]], (parts.low[short] + parts.high[short]) / 2
    inward, radius = to_left(own.tangents(v)), tolerance - half[short]
    found[short] = _has_edge(groups, parts.group[short], own.points(v), inward, radius)
    return found


def _has_edge(
    groups: list[Group], group: Indices, centre: Floats, inward: Floats, radius: Floats
) -> Mask:
    """Where the edge is proven to meet discs: on diameters across it."""
    shares = (np.array(DISCS)[:, None] * (1 - ROUNDING) * radius)[..., None]
    points = np.stack([centre + shares * inward, centre - shares * inward])
    lower, upper = np.empty((2, *points.shape[:-1]))
    low, high = np.empty((2, *points.shape))
    for name, some in _by_group(group):
        field, low[:, :, some], high[:, :, some] = groups[name]
        at = points[:, :, some].reshape(-1, 2)
        value = field.bounds(*_sides(at, at))
        shape = lower[:, :, some].shape
        lower[:, :, some] = np.where(value.maybe_nan, -np.inf, value.lower).reshape(shape)
        upper[:, :, some] = np.where(value.maybe_nan, np.inf, value.upper).reshape(shape)
    within = ((points >= low) & (points <= high)).all(axis=-1)
    found: Mask = ((upper[0] < 0) & within[0]).any(axis=0)
    found &= ((lower[1] > 0) & within[1]).any(axis=0)
    return found


def _sharp(pieces: Segments, neighbours: tuple[Indices, Indices]) -> Mask:
    """Which ends of pieces, [2, n], are at corners."""
    found = np.zeros((2, len(pieces)), bool)
    for end, neighbour in enumerate(neighbours):
        here = np.full(len(pieces), 1.0 if end else -1.0)
        own, beyond = pieces.tangents(here), pieces[neighbour].tangents(-here)
        found[end] = ((own * beyond).sum(axis=1) < SMOOTH) | (neighbour < 0)
    return found


def _inward(pieces: Segments, joints: tuple[Indices, Indices], end: int) -> Floats:
    """Unit vectors into the shape at an end of pieces: halfway between the normals to the left.

    ``joints`` are the pieces and their neighbours there.
    """
    here = np.full(len(joints[0]), 1.0 if end else -1.0)
    own, beyond = pieces[joints[0]].tangents(here), pieces[joints[1]].tangents(-here)
    beyond = np.where((joints[1] >= 0)[:, None], beyond, own)
    first, second = (own, beyond) if end else (beyond, own)
    # two formulas for one direction: either is inexact where the other is not
    turn = np.sign(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    smooth, sharp = to_left(first + second), turn[:, None] * (second - first)
    is_smooth = (smooth**2).sum(axis=1) >= 1.0
    inward = np.where(is_smooth[:, None], smooth, sharp)
    found: Floats = inward / np.maximum(np.hypot(*inward.T), ROUNDING)[:, None]
    return found
