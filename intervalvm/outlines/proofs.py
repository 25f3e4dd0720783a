"""Proofs that lines and arcs lie along the edge of a shape, by bounds of its field.

The edge is the border of the set where the real field is below 0. A piece is *proven* if each of
its points has a point of the edge within the tolerance. It is proven part by part, in either way:

``band``
    On each normal of the part the field rises from end to end, over ``reach`` to either side: it is
    below 0 to the left and above 0 to the right. So there is exactly one zero on each normal, and
    within the band the edge is a graph over the part: nothing else of it lies there.
``sides``
    The field is below 0 all over a box to the left of the part, and above 0 all over one to its
    right, which hold points of each normal within ``reach``: for sides along an axis, where slopes
    may be 0 by their bounds.
``disc``
    The part is within some distance of a point, its middle or an end of its piece, and within the
    rest of the tolerance of that point is one where the field is below 0, and one where it is
    above. The edge meets the segment between the two, even if the field jumps. This is the way at
    corners, and where slopes are not bounded.

How a band is proven is told in ``bands``. Parts that are not proven are halved, until they are
shorter than ``FLOOR`` of the tolerance. So that no time is lost where there is no proof, a part as
short as that in the longest open part of each piece is tried first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.outlines.bands import EPSILON, ROUNDING, Band, Parts, cut
from intervalvm.outlines.blocks import Blocks
from intervalvm.outlines.field import Field
from intervalvm.outlines.segments import Floats, Indices, Segments, to_left

Mask = NDArray[np.bool_]
FLOOR = 1 / 8
"""Parts this short, in tolerances, are not halved any more."""
SHORTEST = 1 / 2
"""Half the length of parts, in tolerances, from which discs are tried."""
MOST_TIMES, LEAST_PARTS = 64, 16384
"""A piece is not proven from so many times the open parts that it began with, or so many."""
MOST_ROUGH = 1024
"""A piece is not proven by discs alone along so many tolerances: where a short part of it has no
band, longer ones have none."""
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
        none = np.zeros(len(pieces), bool)
        return Proof(none, none, 0)
    before = np.full(len(pieces), -1)
    before[after[after >= 0]] = np.flatnonzero(after >= 0)
    neighbours = before, after
    fails: Mask = ~asked
    is_rough, hopeless = np.zeros((2, len(pieces)), bool)
    disc = np.full((2, len(pieces)), -1)
    sharp = _sharp(pieces, neighbours)
    parts, count = cut(pieces, sharp, np.flatnonzero(asked), tolerance), 0
    blocks, at = Blocks.about(field, Band.about(pieces, parts, tolerance), tolerance)
    parts = replace(parts, block=at).only(np.argsort(at, kind="stable"))
    most = np.maximum(MOST_TIMES * np.bincount(parts.piece, minlength=len(pieces)), LEAST_PARTS)
    shortest = parts.only(np.zeros(len(parts), bool))
    while len(parts):
        tried = parts.and_others(shortest)
        count += len(tried)
        band = Band.about(pieces, tried, tolerance, len(shortest))
        banded, refuted, found = _judged(blocks, band, tried.block)
        fails[tried.piece[refuted]] = True
        found[~found] = _meets_discs(pieces, tried.only(~found), blocks, tolerance)
        fails[shortest.piece[~found[len(parts) :]]] = True
        is_rough[shortest.piece] = ~banded[len(parts) :]
        parts = parts.only(~found[: len(parts)])
        own = pieces[parts.piece]
        far = np.stack([own.lengths(w=parts.high), own.lengths(v=parts.low)])
        near = far <= tolerance * (0.5 - ROUNDING)
        for end in (0, 1):
            disc[end, parts.piece[near[end]]] = parts.block[near[end]]
        parts = parts.only(~(near[0] | near[1]))
        length = pieces[parts.piece].lengths(parts.low, parts.high) / tolerance
        fails[parts.piece[length < FLOOR]] = True
        hopeless |= is_rough & (np.bincount(parts.piece, length, len(pieces)) > MOST_ROUGH)
        fails |= hopeless
        # where nothing can be proven there would be more and more
        fails |= 2 * np.bincount(parts.piece, minlength=len(pieces)) > most
        left = ~fails[parts.piece]
        parts, length = parts.only(left), length[left]
        shortest = parts.longest(length).within(pieces, FLOOR * tolerance)
        parts = parts.halved()
    for end, block in enumerate(disc):
        some = np.flatnonzero((block >= 0) & ~fails)
        joints = some, neighbours[end][some]
        fails[some] = ~_meets_ends(pieces, joints, end, blocks, block[some], tolerance)
        count += len(some)
    return Proof(~fails, hopeless, count)


class Proof(NamedTuple):
    """Of each piece whether it is proven, and whether there is no hope for parts of it either, as
    slopes are much too wide; and how many parts were asked about."""

    proven: Mask
    hopeless: Mask
    parts: int


def _judged(blocks: Blocks, band: Band, block: Indices) -> tuple[Mask, Mask, Mask]:
    """Which parts are proven by bands, which refuted, and which proven by either way of bands."""
    value = blocks.bounds(band.middle, band.middle, block)
    slopes, within = blocks.slopes(band.low, band.high, block)
    proven, refuted, may_fall = band.judged(value, slopes.lower, slopes.upper)
    proven &= within
    crossed = proven.copy()
    some = np.flatnonzero(may_fall & ~proven)
    if len(some):
        (left, left_high), (right, right_high) = band.sides(1), band.sides(-1)
        inside = blocks.bounds(left[some], left_high[some], block[some])[1] < 0
        outside = blocks.bounds(right[some], right_high[some], block[some])[0] > 0
        crossed[some] = inside & outside
    return proven, refuted & within, crossed


def _meets_discs(pieces: Segments, parts: Parts, blocks: Blocks, tolerance: float) -> Mask:
    """Which parts are short, and have the edge near their middle."""
    found = np.zeros(len(parts), bool)
    half = pieces[parts.piece].lengths(parts.low, parts.high) * (0.5 + ROUNDING)
    short = half <= SHORTEST * tolerance
    own, v = pieces[parts.piece[short]], (parts.low[short] + parts.high[short]) / 2
    inward, radius = to_left(own.tangents(v)), tolerance - half[short]
    found[short] = _has_edge(blocks, parts.block[short], own.points(v), inward, radius)
    return found


def _meets_ends(
    pieces: Segments,
    joints: tuple[Indices, Indices],
    end: int,
    blocks: Blocks,
    block: Indices,
    tolerance: float,
) -> Mask:
    """Which pieces have the edge near an end: see ``_inward``."""
    corner = (pieces.stop if end else pieces.start)[joints[0]]
    radius = np.full(len(block), tolerance / 2)
    return _has_edge(blocks, block, corner, _inward(pieces, joints, end), radius)


def _has_edge(
    blocks: Blocks, block: Indices, centre: Floats, inward: Floats, radius: Floats
) -> Mask:
    """Where the edge is proven to meet discs: on diameters across it."""
    shares = (np.array(DISCS)[:, None] * (1 - ROUNDING) * radius)[..., None]
    points = np.stack([centre + shares * inward, centre - shares * inward])
    blocks_of = np.broadcast_to(block, points.shape[:-1])
    at = points.reshape(-1, 2)
    lower, upper = blocks.bounds(at, at, blocks_of.ravel())
    inside, outside = (upper < 0).reshape(points.shape[:-1]), (lower > 0).reshape(points.shape[:-1])
    found: Mask = inside[0].any(axis=0) & outside[1].any(axis=0)
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
