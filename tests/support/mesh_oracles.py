"""What is wrong with a mesh, by other people's programs and by plain array code.

``faults(mesh)`` counts it: a mesh that keeps its promises has only zeros. Each of ``ORACLES`` is
one opinion; one whose library is not installed skips its test, and is left out of ``faults``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.crossings import crossing_pairs, is_flat

from intervalvm.meshes.mesh import Mesh

MOST_EXACT = 60_000
"""Triangles that the exact test takes: a second if curved, twenty if most lie in planes."""


def faults(mesh: Mesh) -> dict[str, int]:
    """The number of each fault, by all that is installed; the exact test only of small meshes."""
    found: dict[str, int] = {}
    for name, oracle in ORACLES.items():
        is_small = oracle is not by_exact_crossings or len(mesh.triangles) <= MOST_EXACT
        if is_small and (name not in LIBRARIES or find_spec(name) is not None):
            found |= oracle(mesh)
    return found


def by_arrays(mesh: Mesh) -> dict[str, int]:
    """Edges, vertices and triangles as they are numbered."""
    triangles = mesh.triangles.astype(np.int64)
    start, end = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()
    runs = np.unique(np.stack([start, end], axis=1), axis=0, return_counts=True)[1]
    edges = np.sort(np.stack([start, end], axis=1), axis=1)
    _, edge, faces = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    fans = fans_of(triangles, edge.reshape(-1, 3), len(mesh.vertices))
    return {
        "edges with other than 2 faces": int((faces != 2).sum()),
        "edges that two faces run in the same way": int((runs > 1).sum()),
        "vertices with more than one fan": int((fans > 1).sum()),
        "vertices of no triangle": int((fans == 0).sum()),
        "vertices where others are": len(fans) - len(np.unique(mesh.vertices, axis=0)),
        "triangles without area": int(is_flat(mesh.vertices, triangles).sum()),
        "volume not above 0": int(not mesh.volume > 0),
        "normals that are not unit": int(np.sum(abs(lengths(mesh.normals) - 1) > 1e-5)),
    }


def lengths(vectors: NDArray[Any]) -> NDArray[np.float64]:
    return np.linalg.norm(vectors.astype(np.float64), axis=1)


def fans_of(triangles: NDArray[Any], edges: NDArray[Any], count: int) -> NDArray[np.intp]:
    """The number of fans at each vertex: of sets of its triangles that hang together by edges.

    ``edges[t, i]`` is the edge from corner i of triangle t to the next.
    """
    order = np.argsort(edges.ravel(), kind="stable")
    same = np.flatnonzero(np.diff(edges.ravel()[order]) == 0)
    one, other = order[same], order[same + 1]
    after = np.arange(triangles.size).reshape(-1, 3)[:, [1, 2, 0]].ravel()
    corners = triangles.ravel()
    ends = [(a, c) for a in (one, after[one]) for c in (other, after[other])]
    links = [np.stack([a, c], axis=1)[corners[a] == corners[c]] for a, c in ends]
    joined = components(np.concatenate(links), len(corners))
    pairs = np.unique(np.stack([corners, joined], axis=1), axis=0)
    return np.bincount(pairs[:, 0], minlength=count)


def components(links: NDArray[Any], count: int) -> NDArray[np.intp]:
    """The least number that each of ``count`` things hangs together with."""
    least = np.arange(count)
    while True:
        spread = least.copy()
        for a, b in (links.T, links.T[::-1]):
            np.minimum.at(spread, least[a], least[b])
        spread = spread[spread]
        if np.array_equal(spread, least):
            return least
        least = spread


def by_exact_crossings(mesh: Mesh) -> dict[str, int]:
    """``support.crossings``, which takes triangles that touch for crossing ones."""
    return {"pairs of triangles that cross": len(crossing_pairs(mesh.vertices, mesh.triangles))}


def by_trimesh(mesh: Mesh) -> dict[str, int]:
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed")
    found = trimesh.Trimesh(mesh.vertices, mesh.triangles, process=False)
    with np.errstate(invalid="ignore"):  # it divides by the volume
        return {
            "trimesh: not watertight": int(not found.is_watertight),
            "trimesh: winding": int(not found.is_winding_consistent),
            "trimesh: volume not above 0": int(not found.volume > 0),
            "trimesh: no volume": int(not found.is_volume),
        }


def by_manifold3d(mesh: Mesh) -> dict[str, int]:
    manifold3d = pytest.importorskip("manifold3d", reason="manifold3d is not installed")
    parts = manifold3d.Mesh64(mesh.vertices.copy(), mesh.triangles.astype(np.uint64))
    found = manifold3d.Manifold(parts)
    return {
        "manifold3d: refused": int(found.status() != manifold3d.Error.NoError),
        "manifold3d: empty": int(found.is_empty()),
    }


def by_pymeshlab(mesh: Mesh) -> dict[str, int]:
    """Of the faces that it selects those count that cross by exact arithmetic, of each other: where
    two are coplanar but for rounding errors, its own test in floats cannot tell."""
    pymeshlab = pytest.importorskip("pymeshlab", reason="PyMeshLab is not installed")
    meshes = pymeshlab.MeshSet()
    meshes.add_mesh(pymeshlab.Mesh(mesh.vertices, mesh.triangles))
    counts = meshes.get_topological_measures()
    meshes.compute_selection_by_self_intersections_per_face()
    selected = mesh.triangles[meshes.current_mesh().face_selection_array()]
    return {
        "pymeshlab: self-intersecting faces": len(crossing_pairs(mesh.vertices, selected)),
        "pymeshlab: edges of one face": counts["boundary_edges"],
        "pymeshlab: edges of many faces": counts["non_two_manifold_edges"],
        "pymeshlab: vertices of many fans": counts["non_two_manifold_vertices"],
    }


ORACLES: dict[str, Callable[[Mesh], dict[str, int]]] = {
    "arrays": by_arrays,
    "exact crossings": by_exact_crossings,
    "trimesh": by_trimesh,
    "manifold3d": by_manifold3d,
    "pymeshlab": by_pymeshlab,
}
LIBRARIES = {"trimesh", "manifold3d", "pymeshlab"}
