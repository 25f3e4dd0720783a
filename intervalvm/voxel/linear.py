"""Vectors and matrices of views, in float64, with the same bits on every machine.

NumPy's own products and inverses have other last bits where another library computes them.
"""

from __future__ import annotations

import math
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.shapes.values import cos_sin

Matrix = NDArray[np.float64]


def normalised(vectors: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Float64[3, ...]: vectors of length 1; 0 for those that are 0 or not finite."""
    x, y, z = wide = _without_extremes(vectors)
    with np.errstate(all="ignore"):
        squares = (x * x + y * y) + z * z
        return np.where((squares > 0) & (squares < np.inf), wide / np.sqrt(squares), 0.0)


def _without_extremes(vectors: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Float64[3, ...], of the same directions: sums of squares neither overflow nor underflow.

    Those of float32 never do. Others are multiplied by powers of 2, after which the largest
    component is about 1, so what underflows is below what counts.
    """
    if vectors.dtype == np.float32:
        return vectors.astype(np.float64)
    exponents = np.frexp(np.abs(vectors).max(axis=0))[1]
    # normal numbers: 2^1022 makes 2^-52 of the least number, which is large enough
    scaled: NDArray[np.float64] = vectors * np.ldexp(1.0, np.clip(-exponents, -1022, 1022))
    return scaled


def times(a: Matrix, b: Matrix) -> Matrix:
    """The product."""
    product: Matrix = (a[:, :, None] * b[None, :, :]).sum(axis=1)
    return product


def inverse(matrix: Matrix) -> Matrix:
    """The inverse of a 3x3 matrix, by Cramer's rule."""
    exponent = np.frexp(np.abs(matrix).max())[1]
    a, b, c = np.ldexp(matrix, -exponent).T
    rows = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)])
    inverse: Matrix = np.ldexp(rows / (a * rows[0]).sum(), -exponent)
    return inverse


def turn(degrees: float, axis: int) -> Matrix:
    """The turn of a camera about an axis of view space, 0 to 2; that about x raises it."""
    cosine, sine = (float(part) for part in cos_sin(degrees))
    a, b = ((2, 1), (2, 0), (0, 1))[axis]
    matrix = np.eye(3)
    matrix[a, a] = matrix[b, b] = cosine
    matrix[b, a], matrix[a, b] = sine, -sine
    return matrix


def joined(slopes: Matrix, center: Matrix, tilt: Matrix) -> Matrix:
    """The 4x4 matrix that maps v to ``center + slopes v / (1 + tilt v)``."""
    matrix = np.empty((4, 4))
    matrix[:3, :3], matrix[:3, 3] = slopes + np.outer(center, tilt), center
    matrix[3, :3], matrix[3, 3] = tilt, 1.0
    return matrix


def tangents(matrix: Matrix, height: float = 0.0) -> Matrix:
    """Float64[3, 3], columns: how far what a view shows on its middle line of sight, at a
    ``height`` in view space, moves in the shape's space with each coordinate of view space.
    """
    with np.errstate(all="ignore"):
        point = matrix[:, 2] * height + matrix[:, 3]
        moved = matrix[:3, :3] - np.outer(point[:3] / point[3], matrix[3, :3])
        slopes: Matrix = moved / point[3]
        return slopes


def is_singular(matrix: Matrix) -> bool:
    """Whether the determinant is 0 but for what rounding of the entries makes of it."""
    largest = np.abs(matrix).max(axis=0)
    if not largest.all():
        return True
    scaled = np.ldexp(matrix, -np.frexp(largest)[1])
    terms = []
    for rows in permutations(range(4)):
        swaps = sum(a > b for i, a in enumerate(rows) for b in rows[i + 1 :])
        term = math.prod(float(scaled[row, column]) for column, row in enumerate(rows))
        terms.append(-term if swaps % 2 else term)
    rounding = 4 * np.finfo(np.float64).eps * math.fsum(map(abs, terms))
    return bool(abs(math.fsum(terms)) <= rounding)
