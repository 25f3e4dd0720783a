"""A mesh in float32, as STL, GLB and 3MF are read.

Vertices that are closer than float32 can tell become one, and the triangles between them vanish.
The promises of a mesh must survive that: each edge has two triangles, each vertex one fan of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from intervalvm.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intervalvm.meshes.mesh import Mesh

WAY_OUT = "save .ply or .obj, which hold float64, or move the shape to the origin"


class Singles(NamedTuple):
    """Vertices and triangles in float32.

    Attributes
    ----------
    vertices : float32[n, 3]
        No two of them are equal, and none is -0.
    triangles : int32[m, 3]
    owners : int[n] or None
        The vertex of the mesh that each is; None if all are kept in place.
    kept : int[m] or None
        The triangle of the mesh that each is; None if all are kept.
    """

    vertices: NDArray[np.float32]
    triangles: NDArray[np.int32]
    owners: NDArray[np.intp] | None = None
    kept: NDArray[np.intp] | None = None


def singles(mesh: Mesh, scale: float = 1.0) -> Singles:
    """The mesh times ``scale`` in float32.

    Raises OptionError if float32 cannot hold it, or if equal vertices join what is apart.
    """
    with np.errstate(over="ignore", under="ignore"):
        vertices = (mesh.vertices * scale).astype(np.float32) + np.float32(0)  # -0 becomes 0
    if not np.isfinite(vertices).all():
        raise OptionError(f"a vertex is beyond float32, which this format holds: {WAY_OUT}")
    if _are_distinct(vertices):
        return Singles(vertices, mesh.triangles)
    found, owners, place = np.unique(vertices, axis=0, return_index=True, return_inverse=True)
    triangles = place.astype(np.int32).reshape(-1)[mesh.triangles]
    a, b, c = triangles.T
    kept = np.flatnonzero((a != b) & (b != c) & (c != a))
    triangles = triangles[kept]
    if not _is_manifold(triangles, len(found)):
        raise OptionError(
            f"float32, which this format holds, makes {len(vertices) - len(found)} of "
            f"{len(vertices)} vertices equal to others, and the mesh would no longer be a closed "
            f"surface: {WAY_OUT}"
        )
    return Singles(found, triangles, owners, kept)


def _are_distinct(vertices: NDArray[np.float32]) -> bool:
    """Whether no two rows are equal, as far as a hash tells: False may be wrong."""
    x, y, z = vertices.view(np.uint32).astype(np.uint64).T
    mixed = (x * np.uint64(0x9E3779B97F4A7C15) + y) * np.uint64(0xD6E8FEB86659FD93) + z
    mixed.sort()
    return not (mixed[1:] == mixed[:-1]).any()


def _is_manifold(triangles: NDArray[np.int32], count: int) -> bool:
    """Whether triangles are a closed and oriented 2-manifold of all ``count`` vertices."""
    start, end = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()
    ahead = start.astype(np.int64) * count + end
    back = end.astype(np.int64) * count + start
    order, order_back = np.argsort(ahead), np.argsort(back)
    if (ahead[order] != back[order_back]).any() or (np.diff(ahead[order]) == 0).any():
        return False
    if len(np.unique(np.sort(triangles, axis=1), axis=0)) < len(triangles):
        return False
    # the half-edge after each about its start: the twin of the one before it in its triangle
    twin = np.empty(len(ahead), np.intp)
    twin[order] = order_back
    half_edge = np.arange(len(ahead))
    before = half_edge - half_edge % 3 + (half_edge + 2) % 3
    return _cycles(twin[before]) == count


def _cycles(following: NDArray[np.intp]) -> int:
    """The number of cycles of a permutation, by doubling the steps until no least index spreads."""
    least = np.arange(len(following))
    while True:
        spread = np.minimum(least, least[following])
        if np.array_equal(spread, least):
            return len(np.unique(least))
        least, following = spread, following[following]
