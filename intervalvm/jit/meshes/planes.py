"""The point of each cell: where the tangent planes of its crossings meet, in the least squares.

The quadratic error function of Ju and others (2002) is minimized over the cell, shrunk by a margin.
Directions in which it hardly changes are left at the mean of the crossings.
"""

from __future__ import annotations

import math
from typing import Any

from intervalvm.jit.meshes.layout import (
    AROUND,
    BB,
    BX,
    COUNT,
    EDGE,
    EDGES,
    MX,
    QEF,
    WEIGHT,
    XX,
    XY,
    XZ,
    YY,
    YZ,
    ZZ,
)
from intervalvm.jit.meshes.rings import incidence

LEAST_SHARE = 0.0078125
"""Curvatures of the error below this share of the greatest are taken for none: 2^-7."""
MARGIN = 0.0009765625
"""How far inside a cell its point is, and crossings on edges and faces: 2^-10 of their size."""
NEAR = 9.5367431640625e-07
"""The share of a cell's size that is taken for a rounding error: 2^-20."""
SWEEPS, ROUNDS = 8, 24
"""Of Jacobi's method; of relaxation in a cell. Both have long converged by then."""
VECTORS, GRADIENT, POINT, MEAN = 9, 18, 21, 24
"""Places in ``scratch``: of the matrix at 0, of its eigenvectors, and of three vectors."""


def sum_planes(w: Any) -> None:
    """Add the planes of all edges to the sums of the cells around them."""
    for edge in range(w.sizes[EDGES]):
        for quadrant in range(4):
            cell = w.edges[EDGE * edge + AROUND + quadrant]
            slot = w.slots[cell]
            if slot >= 0 and incidence(w, edge, cell) == 4 * edge + quadrant:
                add_plane(w, QEF * slot, 3 * edge)


def add_to_sums(w: Any, to: int, x: float, y: float, z: float, away: float) -> None:
    """Add the plane with the unit normal (x, y, z), so far from the origin."""
    w.sums[to + XX] += x * x
    w.sums[to + XY] += x * y
    w.sums[to + XZ] += x * z
    w.sums[to + YY] += y * y
    w.sums[to + YZ] += y * z
    w.sums[to + ZZ] += z * z
    w.sums[to + BX] += away * x
    w.sums[to + BX + 1] += away * y
    w.sums[to + BX + 2] += away * z
    w.sums[to + BB] += away * away


def add_plane(w: Any, to: int, at: int) -> None:
    """Add the plane of a crossing."""
    x, y, z = w.normals[at], w.normals[at + 1], w.normals[at + 2]
    px, py, pz = w.points[at], w.points[at + 1], w.points[at + 2]
    away = x * px + y * py + z * pz
    add_to_sums(w, to, x, y, z, away)
    w.sums[to + MX] += px
    w.sums[to + MX + 1] += py
    w.sums[to + MX + 2] += pz
    w.sums[to + WEIGHT] += 1.0


def solve_all(w: Any) -> None:
    """Find the points of all ``cells``, whose sums are those of their slots."""
    for k in range(w.sizes[COUNT]):
        node = w.cells[k]
        if w.sums[QEF * w.slots[node] + WEIGHT] > 0.0:
            set_box(w, node)
            solve(w, QEF * w.slots[node], 4 * k)


def set_box(w: Any, node: int) -> None:
    """Make ``box`` that of a cell, shrunk by a margin."""
    share = 1.0 / (1 << w.levels[node])
    for axis in range(3):
        size = w.frame[3 + axis] * share
        low = w.frame[axis] + size * w.at[3 * node + axis]
        w.box[axis], w.box[3 + axis] = low + MARGIN * size, low + (1.0 - MARGIN) * size


def entry(w: Any, at: int, i: int, j: int) -> float:
    """An entry of the symmetric matrix of a cell's sums."""
    if i > j:
        i, j = j, i
    place = XX + j if i == 0 else YY + j - 1
    found: float = w.sums[at + (ZZ if i == 2 else place)]
    return found


def solve(w: Any, at: int, out: int) -> None:
    """Write the point of the cell whose ``box`` is set, and its error."""
    s = w.scratch
    for i in range(3):
        s[MEAN + i] = w.sums[at + MX + i] / w.sums[at + WEIGHT]
    for i in range(3):
        s[GRADIENT + i] = w.sums[at + BX + i]
        for j in range(3):
            s[3 * i + j] = entry(w, at, i, j)
            s[VECTORS + 3 * i + j] = 1.0 if i == j else 0.0
            s[GRADIENT + i] -= entry(w, at, i, j) * s[MEAN + j]
    if is_flat(w):
        finish(w, at, out, LEAST_SHARE * (s[0] + s[4] + s[8]))
        return
    diagonalize(w)
    most = max(s[0], max(s[4], s[8]))
    for i in range(3):
        s[POINT + i] = s[MEAN + i]
    flat = 0  # the directions left, and the last of them
    flat_direction = 0
    for k in range(3):
        curvature = s[4 * k]
        if curvature > LEAST_SHARE * most and most > 0.0:
            along = 0.0
            for i in range(3):
                along += s[VECTORS + 3 * i + k] * s[GRADIENT + i]
            for i in range(3):
                s[POINT + i] += s[VECTORS + 3 * i + k] * (along / curvature)
        else:
            flat, flat_direction = flat + 1, k
    if flat == 1 and not is_within(w):
        slide(w, flat_direction)
    finish(w, at, out, LEAST_SHARE * most)


def finish(w: Any, at: int, out: int, stiffness: float) -> None:
    """Write the point, in the box, and its error."""
    if not is_within(w):
        relax(w, at, stiffness)
    for i in range(3):
        w.found[out + i] = w.scratch[POINT + i]
    w.found[out + 3] = error(w, at)


def is_flat(w: Any) -> bool:
    """Whether the error changes in one direction alone; then that is found, and the point.

    By powers of the matrix, which is nearly of rank one: so the error of the direction is less than
    the share squared.
    """
    s = w.scratch
    column = 0 if s[0] >= s[4] and s[0] >= s[8] else (1 if s[4] >= s[8] else 2)
    x, y, z = s[column], s[3 + column], s[6 + column]
    for _ in range(2):
        length = math.sqrt(x * x + y * y + z * z)
        if not length > 0.0:
            return False
        x, y, z = x / length, y / length, z / length
        u, v, t = (
            s[0] * x + s[1] * y + s[2] * z,
            s[3] * x + s[4] * y + s[5] * z,
            s[6] * x + s[7] * y + s[8] * z,
        )
        curvature = x * u + y * v + z * t
        if not s[0] + s[4] + s[8] - curvature <= LEAST_SHARE * curvature:
            return False
        x, y, z = u, v, t
    length = math.sqrt(x * x + y * y + z * z)
    x, y, z = x / length, y / length, z / length
    along = (x * s[GRADIENT] + y * s[GRADIENT + 1] + z * s[GRADIENT + 2]) / curvature
    s[POINT], s[POINT + 1] = s[MEAN] + along * x, s[MEAN + 1] + along * y
    s[POINT + 2] = s[MEAN + 2] + along * z
    return True


def is_within(w: Any) -> bool:
    """Whether the point is in the box."""
    found = True
    for i in range(3):
        found = found and w.box[i] <= w.scratch[POINT + i] <= w.box[3 + i]
    return found


def slide(w: Any, k: int) -> None:
    """Move the point along an eigenvector to the nearest place in the box, if the line meets it.

    So it stays on an edge of the solid.
    """
    s = w.scratch
    low, high = -1e300, 1e300
    for i in range(3):
        along = s[VECTORS + 3 * i + k]
        if along != 0.0:
            a, b = (w.box[i] - s[POINT + i]) / along, (w.box[3 + i] - s[POINT + i]) / along
            low, high = max(low, min(a, b)), min(high, max(a, b))
    if low <= high:
        by = max(low, min(0.0, high))
        for i in range(3):
            x = s[POINT + i] + by * s[VECTORS + 3 * i + k]
            # a rounding error may have left it just outside
            size = w.box[3 + i] - w.box[i]
            if w.box[i] - NEAR * size <= x <= w.box[3 + i] + NEAR * size:
                x = max(w.box[i], min(x, w.box[3 + i]))
            s[POINT + i] = x


def diagonalize(w: Any) -> None:
    """Turn the matrix in ``scratch`` to its eigenvalues on the diagonal, by Jacobi's rotations."""
    s = w.scratch
    for _ in range(SWEEPS):
        off = s[1] * s[1] + s[2] * s[2] + s[5] * s[5]
        if off <= 1e-32 * (s[0] * s[0] + s[4] * s[4] + s[8] * s[8]):
            return
        rotate(w, 0, 1)
        rotate(w, 0, 2)
        rotate(w, 1, 2)


def rotate(w: Any, p: int, q: int) -> None:
    """Make an entry beside the diagonal 0."""
    s = w.scratch
    value = s[3 * p + q]
    if value == 0.0:
        return
    theta = (s[4 * q] - s[4 * p]) / (2.0 * value)
    t = 1.0 / (abs(theta) + math.sqrt(theta * theta + 1.0))
    if theta < 0.0:
        t = -t
    c = 1.0 / math.sqrt(t * t + 1.0)
    sine = t * c
    for k in range(3):
        a, b = s[3 * k + p], s[3 * k + q]
        s[3 * k + p], s[3 * k + q] = c * a - sine * b, sine * a + c * b
    for k in range(3):
        a, b = s[3 * p + k], s[3 * q + k]
        s[3 * p + k], s[3 * q + k] = c * a - sine * b, sine * a + c * b
    for k in range(3):
        a, b = s[VECTORS + 3 * k + p], s[VECTORS + 3 * k + q]
        s[VECTORS + 3 * k + p], s[VECTORS + 3 * k + q] = c * a - sine * b, sine * a + c * b


def relax(w: Any, at: int, stiffness: float) -> None:
    """Minimize within the box, coordinate by coordinate, drawn to the mean by ``stiffness``."""
    s = w.scratch
    for i in range(3):
        s[POINT + i] = max(w.box[i], min(s[POINT + i], w.box[3 + i]))
    for _ in range(ROUNDS):
        for i in range(3):
            pull = w.sums[at + BX + i] + stiffness * s[MEAN + i]
            for j in range(3):
                if j != i:
                    pull -= entry(w, at, i, j) * s[POINT + j]
            weight = entry(w, at, i, i) + stiffness
            x = pull / weight if weight > 0.0 else s[MEAN + i]
            s[POINT + i] = max(w.box[i], min(x, w.box[3 + i]))


def error(w: Any, at: int) -> float:
    """The sum of squared distances of the point from the planes."""
    s = w.scratch
    found: float = w.sums[at + BB]
    for i in range(3):
        found -= 2.0 * w.sums[at + BX + i] * s[POINT + i]
        for j in range(3):
            found += entry(w, at, i, j) * s[POINT + i] * s[POINT + j]
    return max(found, 0.0)
