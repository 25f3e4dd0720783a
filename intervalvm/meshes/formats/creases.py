"""Normals at the corners of triangles, which differ at a vertex where a crease runs through it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from intervalvm.meshes.formats.blocks import blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

CREASE = math.cos(math.radians(30))
"""Triangles whose normals differ by less look like one smooth surface."""


class CornerNormals(NamedTuple):
    """Normals, and which of them each corner has.

    Attributes
    ----------
    normals : float32[k, 3]
        At a crease there is one for each side.
    owners : int[k]
        The vertex that each belongs to.
    of_corners : int32[m, 3]
        Of each corner of each triangle the row of ``normals``.
    """

    normals: NDArray[np.float32]
    owners: NDArray[np.intp]
    of_corners: NDArray[np.int32]


def corner_normals(
    vertices: NDArray[Any], triangles: NDArray[np.int32], normals: NDArray[np.float32]
) -> CornerNormals:
    """The vertices' own normals, but where a triangle is turned from its vertex's by 30 degrees.

    There each corner has the mean normal, by area, of the triangles at the vertex that are turned
    by less against its own.
    """
    vertices = np.ldexp(vertices, -np.frexp(abs(vertices).max(initial=0))[1])  # no area overflows
    everywhere = np.arange(len(vertices))
    corners = np.flatnonzero(_turned(vertices, triangles, normals)[triangles.ravel()])
    if not len(corners):
        return CornerNormals(normals, everywhere, triangles)
    corners = corners[np.argsort(triangles.ravel()[corners], kind="stable")]
    at = triangles.ravel()[corners]
    means = _means(at, *face_normals(vertices, triangles[corners // 3]))
    rows, place = np.unique(np.column_stack([at, means]), axis=0, return_inverse=True)
    of_corners = triangles.ravel().copy()
    of_corners[corners] = len(vertices) + place.reshape(-1)
    is_used = np.zeros(len(vertices) + len(rows), bool)
    is_used[of_corners] = True
    owners = np.concatenate([everywhere, rows[:, 0].astype(np.intp)])[is_used]
    found = np.concatenate([normals, rows[:, 1:].astype(np.float32)])[is_used]
    of_corners = (np.cumsum(is_used, dtype=np.int32) - 1)[of_corners]
    return CornerNormals(found, owners, of_corners.reshape(-1, 3))


def face_normals(
    vertices: NDArray[Any], triangles: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The unit normals of triangles, 0 where there is none, and twice their areas."""
    a, b, c = (vertices[triangles[:, i]].astype(np.float64) for i in range(3))
    b -= a
    c -= a
    largest = np.maximum(abs(b), abs(c)).max(axis=1, keepdims=True)
    scale = np.where(largest > 0, largest, 1)  # no product vanishes
    normals = np.cross(b / scale, c / scale)
    lengths = np.linalg.norm(normals, axis=1)
    np.divide(normals, lengths[:, None], out=normals, where=lengths[:, None] > 0)
    return normals, lengths * scale[:, 0] ** 2


def _turned(
    vertices: NDArray[Any], triangles: NDArray[np.int32], normals: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Whether each vertex has a triangle that is turned from its normal."""
    turned = np.zeros(len(vertices), bool)
    for block in blocks(len(triangles)):
        part = triangles[block]
        faces, areas = face_normals(vertices, part)
        away = np.einsum("mij,mj->mi", normals[part], faces) < CREASE
        turned[part[away & (areas > 0)[:, None]]] = True
    return turned


def _means(
    at: NDArray[np.int32], faces: NDArray[np.float64], areas: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Of corners in the order of their vertices the means of those that are turned by little."""
    first = np.searchsorted(at, at)
    valence = np.searchsorted(at, at, "right") - first
    rank = np.arange(len(at)) - first
    weighted = faces * areas[:, None]
    sums = weighted.copy()
    mine = np.arange(len(at))
    for shift in range(1, int(valence.max())):
        mine = mine[valence[mine] > shift]
        other = first[mine] + (rank[mine] + shift) % valence[mine]
        near = np.einsum("ij,ij->i", faces[mine], faces[other]) > CREASE
        sums[mine[near]] += weighted[other[near]]
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means: NDArray[np.float64] = np.divide(sums, lengths, out=faces.copy(), where=lengths > 0)
    return means.astype(np.float32)
