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
"""Of the error of a determinant, times the sum of its terms' sizes. Source: J. R. Shewchuk,
Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates, 1997."""
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
    a, b, c = (whole(points)[triangles[:, i]] for i in range(3))
    return np.array([not any(normal) for normal in crossed(b - a, c - a)], bool)


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
    for k in np.flatnonzero(flat):
        corners = [tuple(row) for row in whole(points[np.append(segments[k], triangles[k])])]
        found[k] = meet_in_plane(corners[:2], corners[2:])
    return found


# --- in a plane, one at a time --------------------------------------------------------------------


def meet_in_plane(segment: list[Any], triangle: list[Any]) -> bool:
    """Whether a segment and a triangle in one plane have a point in common."""
    for drop in range(3):  # as seen along an axis that does not lie in the plane
        p, q, *corners = (tuple(np.delete(np.array(each, object), drop)) for each in
                          [*segment, *triangle])  # fmt: skip
        if turn(*corners) != 0:
            turns = [turn(corners[i], corners[NEXT[i]], p) for i in range(3)]
            inside = min(turns) >= 0 or max(turns) <= 0
            return inside or any(
                segments_meet(p, q, corners[i], corners[NEXT[i]]) for i in range(3)
            )
    raise AssertionError("the triangle has no area")


def segments_meet(p: Any, q: Any, a: Any, b: Any) -> bool:
    """Whether two closed segments of the plane have a point in common."""
    on = [turn(a, b, p), turn(a, b, q), turn(p, q, a), turn(p, q, b)]
    if not any(on):
        return all(
            max(min(p[i], q[i]), min(a[i], b[i])) <= min(max(p[i], q[i]), max(a[i], b[i]))
            for i in range(2)
        )
    return on[0] * on[1] <= 0 and on[2] * on[3] <= 0


def turn(a: Any, b: Any, c: Any) -> int:
    """Positive where a, b, c turn to the left, 0 on a line: -1, 0 or 1."""
    value = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return int(value > 0) - int(value < 0)


# --- signs of determinants ------------------------------------------------------------------------


def sides(points: Points, tetrahedra: Any) -> NDArray[np.int8]:
    """The exact signs of the volumes of tetrahedra a, b, c, d [n, 4]: -1, 0 or 1."""
    a, b, c, d = (points[tetrahedra[:, i]] for i in range(4))
    with np.errstate(all="ignore"):
        value, size = determinant(a - d, b - d, c - d)
    signs = np.sign(value).astype(np.int8)
    unsure = np.flatnonzero(~(abs(value) > BOUND * size) | (size < 2.0**-900))
    if len(unsure):
        used, place = np.unique(tetrahedra[unsure], return_inverse=True)
        exact = whole(points[used])[place.reshape(-1, 4)]
        a, b, c, d = (exact[:, i] for i in range(4))
        value = dotted(a - d, crossed(b - d, c - d))
        signs[unsure] = [int(each > 0) - int(each < 0) for each in value]
    return signs


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
