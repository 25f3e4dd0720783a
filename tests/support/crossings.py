"""Which triangles of a mesh cross, exactly: signs of determinants in float64 where its error bound
allows, else in whole numbers. It is slow and plain, and shares no code with the package.

Two triangles cross if they have a point in common that is on no vertex and no edge of both. So
triangles that touch cross, too: a surface free of self-intersection does not touch itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[Any]
Pairs = NDArray[np.intp]
EPSILON = 2.0**-53
BOUND = (7 + 56 * EPSILON) * EPSILON
"""Of the error of a determinant of two or three rows, times the sum of its terms' sizes. Source:
J. R. Shewchuk, Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates,
1997."""
TINY = 2.0**-900
"""Sums whose terms may have been lost below the least float."""
NEXT, AFTER = (1, 2, 0), (2, 0, 1)


def crossing_pairs(vertices: Points, triangles: NDArray[Any]) -> Pairs:
    """The pairs [k, 2] of triangles that cross. Triangles without area are left out."""
    points = vertices.astype(np.float64)
    has_area = np.flatnonzero(~is_flat(points, triangles))
    kept = triangles[has_area]
    pairs = near_pairs(points, kept)
    one, other = kept[pairs[:, 0]], kept[pairs[:, 1]]
    same = one[:, :, None] == other[:, None, :]
    shared = same.sum(axis=(1, 2))
    crosses = shared == 3
    for count, test in ((0, apart_cross), (1, corner_cross), (2, edge_cross)):
        chosen = np.flatnonzero(shared == count)
        crosses[chosen] = test(points, one[chosen], other[chosen], same[chosen])
    return has_area[pairs[crosses]]


def is_flat(points: Points, triangles: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether the corners of each triangle lie on a line, exactly."""
    found = np.ones(len(triangles), bool)
    for axis in range(3):
        rest = np.flatnonzero(found)
        found[rest] = turns(points, np.full(len(rest), axis), triangles[rest]) == 0
    return found


# --- which triangles share a vertex, an edge, nothing ---------------------------------------------


def apart_cross(points: Points, one: Any, other: Any, same: Any) -> NDArray[np.bool_]:
    """Triangles without a common vertex: whether a side of one meets the other."""
    found = np.zeros(len(one), bool)
    for first, second in ((one, other), (other, one)):
        for i in range(3):
            side = first[:, [i, NEXT[i]]]
            rest = np.flatnonzero(~found)
            found[rest] = meet(points, side[rest], second[rest])
    return found


def corner_cross(points: Points, one: Any, other: Any, same: Any) -> NDArray[np.bool_]:
    """Triangles with one vertex in common: a ray from it in both leaves one by the side opposite
    the vertex, within the other."""
    at = np.arange(len(one))
    i, j = same.any(axis=2).argmax(axis=1), same.any(axis=1).argmax(axis=1)
    ways = np.array([NEXT, AFTER]).T
    found = meet(points, one[at[:, None], ways[i]], other)
    return found | meet(points, other[at[:, None], ways[j]], one)


def edge_cross(points: Points, one: Any, other: Any, same: Any) -> NDArray[np.bool_]:
    """Triangles with an edge in common: whether they lie in a plane, on the same side of it."""
    at = np.arange(len(one))
    i, j = (~same.any(axis=2)).argmax(axis=1), (~same.any(axis=1)).argmax(axis=1)
    a, b = one[at, np.array(NEXT)[i]], one[at, np.array(AFTER)[i]]
    c, d = one[at, i], other[at, j]
    flat = np.flatnonzero(sides(points, np.stack([a, b, c, d], axis=1)) == 0)
    a, b, c, d = (whole(points)[corner[flat]] for corner in (a, b, c, d))
    found = np.zeros(len(one), bool)
    found[flat] = dotted(crossed(b - a, c - a), crossed(b - a, d - a)) > 0
    return found


def meet(points: Points, segments: Any, triangles: Any) -> NDArray[np.bool_]:
    """Whether closed segments [n, 2] and closed triangles [n, 3] have a point in common."""
    found = np.zeros(len(segments), bool)
    p, q = segments.T
    below = sides(points, np.column_stack([triangles, p]))
    above = sides(points, np.column_stack([triangles, q]))
    flat = (below == 0) & (above == 0)
    through = np.flatnonzero((below * above <= 0) & ~flat)
    about = np.stack([
        sides(points, np.column_stack([segments, triangles[:, [i, NEXT[i]]]])[through])
        for i in range(3)
    ])  # fmt: skip
    found[through] = (about >= 0).all(axis=0) | (about <= 0).all(axis=0)
    found[flat] = meet_in_plane(points, segments[flat], triangles[flat])
    return found


def meet_in_plane(points: Points, segments: Any, triangles: Any) -> NDArray[np.bool_]:
    """The same where both are in one plane. They are seen along an axis that is not in it."""
    drop, straight = np.zeros(len(segments), np.intp), np.arange(len(segments))
    for axis in range(3):
        drop[straight] = axis
        straight = straight[turns(points, drop[straight], triangles[straight]) == 0]
    assert not len(straight), "a triangle without area"
    p, q = segments.T
    ends = [(triangles[:, i], triangles[:, NEXT[i]]) for i in range(3)]
    of_p = [turns(points, drop, np.stack([a, b, p], axis=1)) for a, b in ends]
    of_q = [turns(points, drop, np.stack([a, b, q], axis=1)) for a, b in ends]
    of_corners = [turns(points, drop, np.stack([p, q, a], axis=1)) for a, _ in ends]
    turned = np.stack(of_p)
    found: NDArray[np.bool_] = np.all(turned >= 0, axis=0) | np.all(turned <= 0, axis=0)
    for i, (a, b) in enumerate(ends):
        at_a, at_b = of_corners[i], of_corners[NEXT[i]]
        on_a_line = (of_p[i] == 0) & (of_q[i] == 0)
        across = (of_p[i] * of_q[i] <= 0) & (at_a * at_b <= 0)
        found |= across & (~on_a_line | boxes_meet(points, p, q, a, b))
    return found


def boxes_meet(points: Points, p: Any, q: Any, a: Any, b: Any) -> NDArray[np.bool_]:
    """Whether the boxes of segments pq and ab have a point in common."""
    low = np.maximum(np.minimum(points[p], points[q]), np.minimum(points[a], points[b]))
    high = np.minimum(np.maximum(points[p], points[q]), np.maximum(points[a], points[b]))
    return (low <= high).all(axis=1)


# --- signs of determinants ------------------------------------------------------------------------


def sides(points: Points, tetrahedra: Any) -> NDArray[np.int8]:
    """The exact signs of the volumes of tetrahedra a, b, c, d [n, 4]: -1, 0 or 1."""
    a, b, c, d = (points[tetrahedra[:, i]] for i in range(4))
    with np.errstate(all="ignore"):
        value, size = determinant(a - d, b - d, c - d)

    def exact(rows: Any) -> Any:
        a, b, c, d = (rows[:, i] for i in range(4))
        return dotted(a - d, crossed(b - d, c - d))

    return signs(value, size, points[tetrahedra], exact)


def turns(points: Points, drop: Any, triangles: Any) -> NDArray[np.int8]:
    """The exact signs of the areas of triangles a, b, c [n, 3] as seen along an axis each."""
    axes = np.stack([(drop + 1) % 3, (drop + 2) % 3], axis=1)
    seen = points[triangles[:, :, None], axes[:, None, :]]
    a, b = seen[:, 0] - seen[:, 2], seen[:, 1] - seen[:, 2]
    with np.errstate(all="ignore"):
        one, other = a[:, 0] * b[:, 1], a[:, 1] * b[:, 0]

    def exact(rows: Any) -> Any:
        a, b = rows[:, 0] - rows[:, 2], rows[:, 1] - rows[:, 2]
        return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]

    return signs(one - other, abs(one) + abs(other), seen, exact)


def signs(value: Points, size: Points, rows: Points, exact: Any) -> NDArray[np.int8]:
    """The signs of determinants, of which ``exact`` finds those in doubt from whole numbers."""
    found = np.sign(np.nan_to_num(value)).astype(np.int8)
    unsure = np.flatnonzero(~(abs(value) > BOUND * size) | ~(size > TINY))
    values = exact(whole(rows[unsure]))
    found[unsure] = np.array([(each > 0) - (each < 0) for each in values], np.int8)
    return found


def determinant(u: Points, v: Points, w: Points) -> tuple[Points, Points]:
    """Determinants of rows of float64, and the sums of the sizes of their terms."""
    value, size = np.zeros(len(u)), np.zeros(len(u))
    for i in range(3):
        one, other = v[:, NEXT[i]] * w[:, AFTER[i]], v[:, AFTER[i]] * w[:, NEXT[i]]
        value += u[:, i] * (one - other)
        size += abs(u[:, i]) * (abs(one) + abs(other))
    return value, size


def whole(points: Points) -> NDArray[Any]:
    """Floats times a power of two, as Python's whole numbers."""
    fractions, powers = np.frexp(points)
    mantissas = np.ldexp(fractions, 53).astype(np.int64)
    shifts = powers - powers[points != 0].min(initial=0)
    found = np.empty(points.size, object)
    parts = zip(mantissas.ravel().tolist(), shifts.ravel().tolist(), strict=True)
    found[:] = [mantissa << shift if mantissa else 0 for mantissa, shift in parts]
    return found.reshape(points.shape)


def crossed(u: Any, v: Any) -> NDArray[Any]:
    """Cross products of rows of whole numbers."""
    parts = [
        u[:, NEXT[i]] * v[:, AFTER[i]] - u[:, AFTER[i]] * v[:, NEXT[i]] for i in range(3)
    ]  # fmt: skip
    return np.stack(parts, axis=1)


def dotted(u: Any, v: Any) -> NDArray[Any]:
    """Dot products of rows of whole numbers."""
    return u[:, 0] * v[:, 0] + u[:, 1] * v[:, 1] + u[:, 2] * v[:, 2]


# --- triangles that are near ----------------------------------------------------------------------

MOST_CELLS = 8
"""Of the grid a triangle, on average."""


def near_pairs(points: Points, triangles: Any) -> Pairs:
    """The pairs [k, 2] of triangles whose boxes meet, each once."""
    corners = points[triangles]
    low, high = corners.min(axis=1), corners.max(axis=1)
    if len(triangles) < 2:
        return np.zeros((0, 2), np.intp)
    cell = max(float(np.median((high - low).max(axis=1))), 1e-300)
    while True:
        first = np.floor((low - low.min(axis=0)) / cell)
        last = np.floor((high - low.min(axis=0)) / cell)
        counts = (last - first + 1).prod(axis=1)
        if counts.sum() <= MOST_CELLS * len(triangles) + 64:
            break
        cell *= 2
    owner = np.repeat(np.arange(len(triangles)), counts.astype(np.intp))
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts.astype(np.intp))
    sizes = (last - first + 1)[owner]
    steps = [rank % sizes[:, 0], rank // sizes[:, 0] % sizes[:, 1],
             rank // (sizes[:, 0] * sizes[:, 1])]  # fmt: skip
    cells = first[owner] + np.stack(steps, axis=1)
    _, key = np.unique(cells, axis=0, return_inverse=True)
    order = np.argsort(key.reshape(-1), kind="stable")
    return _meeting(low, high, key.reshape(-1)[order], owner[order])


def _meeting(low: Points, high: Points, keys: Any, owners: Any) -> Pairs:
    """Of triangles in the order of their cells the pairs in one cell whose boxes meet."""
    ends = np.searchsorted(keys, keys, "right")
    at = np.arange(len(keys))
    found = [np.zeros(0, np.int64)]
    shift = 1
    while len(at):
        at = at[at + shift < ends[at]]
        one, other = owners[at], owners[at + shift]
        near = (low[one] <= high[other]).all(axis=1) & (low[other] <= high[one]).all(axis=1)
        found.append(one[near].astype(np.int64) * len(low) + other[near])
        shift += 1
    pairs = np.unique(np.concatenate(found))
    return np.stack([pairs // len(low), pairs % len(low)], axis=1)
