"""Which curve a hole is in: the nearest curve below the hole's leftmost point decides.

It takes O(n log n) time for n segments. The holes' points are queries, sorted by x. A segment spans
a range of queries, which is cut into nodes of a segment tree: each is a power of two queries, which
the segment passes below or above, so in a node segments, which do not cross, are sorted by height.
All nodes of a level of the tree are sorted and searched at once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.outlines.segments import Floats, Indices, Segments, concatenated


class Chains(NamedTuple):
    """Parts of curves that are functions y(x): float64[n, 2] from left to right, and of which curve
    they are, and whether it runs from left to right there."""

    left: Floats
    right: Floats
    bulge: Floats
    curve: Indices
    is_forward: NDArray[np.bool_]

    def taken(self, which: Indices) -> Chains:
        """Some of them."""
        parts: Any = (part[which] for part in self)
        return Chains(*parts)

    def heights(self, which: Indices, x: Floats) -> Floats:
        """The y of some at x, each between its ends.

        With the chord d and the bulge b, y is the root of 4 b y y - 2 q y + s = 0 that is near
        s / (2 q), relative to the left end: the equation of the circle without its centre.
        """
        dx, dy = (self.right[which] - self.left[which]).T
        b = self.bulge[which]
        t = x - self.left[which, 0]
        p, q = 2 * b * dx - (1 - b * b) * dy, 2 * b * dy + (1 - b * b) * dx
        s = t * (4 * b * t - 2 * p)
        q = np.maximum(q, 0.0)
        below = q + np.sqrt(np.maximum(q * q - 4 * b * s, 0.0))
        up = np.divide(s, below, out=np.zeros_like(s), where=below > 0)
        height: Floats = self.left[which, 1] + up
        return height


def parents(segments: Segments, curve: Indices, areas: Floats) -> Indices:
    """int[len(areas)]: of each curve the one that it is a hole of, or -1.

    ``curve`` is the number of the closed curve of each segment. A hole is a curve with a negative
    area; its parent is the smallest curve with a positive one that it is in, -1 if there is none.
    """
    found = np.full(len(areas), -1)
    if not (areas < 0).any():
        return found
    chains = _chains(segments, curve)
    order = np.lexsort((chains.left[:, 1], chains.left[:, 0], chains.curve))
    first = order[np.flatnonzero(np.diff(chains.curve[order], prepend=-1))]
    first = first[areas[chains.curve[first]] < 0]
    holes = chains.curve[first]
    below = _below(chains, chains.left[first])
    hit = np.where(chains.is_forward[below] & (below >= 0), chains.curve[below], -1)
    # a hole that is next to another one is in the same curve
    link = np.append(np.where(areas < 0, -1, np.arange(len(areas))), -1)
    link[holes] = hit
    while (link != (further := link[link])).any():
        link = further
    found[holes] = link[holes]
    for hole in holes[found[holes] < 0].tolist():
        found[hole] = _around(chains, hole, areas)
    return found


def _chains(segments: Segments, curve: Indices) -> Chains:
    """The segments cut where arcs turn back in x, without vertical lines."""
    i = np.flatnonzero(segments.bulge)
    arcs = segments[i]
    dx, dy = arcs.chord.T
    # where the tangent is vertical: roots of dx u u + 2 dy u - dx, whose product is -1
    with np.errstate(divide="ignore", invalid="ignore"):
        near = dx / (dy + np.copysign(np.hypot(dx, dy), dy))
        first, second = np.sort(np.clip([near / arcs.bulge, -1 / near / arcs.bulge], -1, 1), axis=0)
    end = np.ones(len(arcs))
    stops = [-end, first, second, end]
    whole = np.flatnonzero(segments.bulge == 0)
    parts = [segments[whole], *map(arcs.between, stops[:-1], stops[1:])]
    every = concatenated(parts)
    start, stop, bulge = every.start, every.stop, every.bulge
    owner = np.concatenate([curve[whole], *[curve[i]] * 3])
    forward = (start[:, 0] < stop[:, 0])[:, None]
    chains = Chains(
        np.where(forward, start, stop),
        np.where(forward, stop, start),
        np.where(forward[:, 0], bulge, -bulge),
        owner,
        forward[:, 0],
    )
    return chains.taken(np.flatnonzero(start[:, 0] != stop[:, 0]))


def _below(chains: Chains, points: Floats) -> Indices:
    """int[n]: of each point the nearest chain strictly below it, or -1."""
    order = np.argsort(points[:, 0], kind="stable")
    x, y = points[order].T
    many = len(x)
    best, height = np.full(many, -1), np.full(many, -np.inf)
    size = 1 << max(many - 1, 0).bit_length()
    low = np.searchsorted(x, chains.left[:, 0], "left") + size
    high = np.searchsorted(x, chains.right[:, 0], "left") + size
    which = np.flatnonzero(low < high)
    low, high = low[which], high[which]
    level = 0
    while len(which):
        odd = low & 1 == 1
        last = high & 1 == 1
        nodes = np.concatenate([low[odd], high[last] - 1])
        if len(nodes):
            members = np.concatenate([which[odd], which[last]])
            i, found, at = _in_nodes(chains, nodes, members, level, size, x, y)
            better = at > height[i]
            best[i[better]], height[i[better]] = found[better], at[better]
        low, high, level = (low + 1) >> 1, high >> 1, level + 1
        still = low < high
        which, low, high = which[still], low[still], high[still]
    nearest = np.empty_like(best)
    nearest[order] = best
    return nearest


def _in_nodes(
    chains: Chains, nodes: Indices, members: Indices, level: int, size: int, x: Floats, y: Floats
) -> tuple[Indices, Indices, Floats]:
    """Points, the nearest chains below them in their nodes of a level, and the heights of these."""
    first = (nodes << level) - size
    last = np.minimum(first + (1 << level), len(x)) - 1
    key = chains.heights(members, (x[first] + x[last]) / 2)
    order = np.lexsort((key, nodes))
    nodes, members = nodes[order], members[order]
    mine = (np.arange(len(x)) + size) >> level
    start = np.searchsorted(nodes, mine, "left")
    low, high = start, np.searchsorted(nodes, mine, "right")
    while (searching := low < high).any():
        middle = (low + high) // 2
        is_below = np.zeros(len(x), np.bool_)
        i = np.flatnonzero(searching)
        is_below[i] = chains.heights(members[middle[i]], x[i]) < y[i]
        low = np.where(searching & is_below, middle + 1, low)
        high = np.where(searching & ~is_below, middle, high)
    i = np.flatnonzero(low > start)
    found = members[low[i] - 1]
    return i, found, chains.heights(found, x[i])


def _around(chains: Chains, hole: int, areas: Floats) -> int:
    """The smallest curve around a hole, by counting crossings below a point of it, or -1.

    It is for curves that touch in a hole's leftmost point.
    """
    mine = np.flatnonzero(chains.curve == hole)
    widest = mine[np.argmax(chains.right[mine, 0] - chains.left[mine, 0])]
    x = (chains.left[widest, 0] + chains.right[widest, 0]) / 2
    crossed = np.flatnonzero(
        (chains.left[:, 0] <= x) & (x < chains.right[:, 0]) & (areas[chains.curve] > 0)
    )
    y = chains.heights(np.array([widest]), np.array([x]))
    beneath = crossed[chains.heights(crossed, np.full(len(crossed), x)) < y]
    inside = np.flatnonzero(np.bincount(chains.curve[beneath], minlength=len(areas)) & 1)
    return int(inside[np.argmin(areas[inside])]) if len(inside) else -1
