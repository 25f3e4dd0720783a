"""Small meshes, and random closed ones for Hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from intervalvm.meshes.mesh import Mesh

QUADS = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
"""The sides of a cube whose corner i is at the bits of i, x the highest; from outside."""


def mesh_of(vertices: ArrayLike, triangles: ArrayLike, **more: Any) -> Mesh:
    """A mesh whose normals are those of its triangles, by area."""
    points, faces = np.asarray(vertices, np.float64), np.asarray(triangles, np.int32)
    scaled = points / max(1.0, abs(points).max(initial=0.0))
    a, b, c = (scaled[faces[:, i]] for i in range(3))
    normals = np.zeros((len(points), 3))
    for i in range(3):
        np.add.at(normals, faces[:, i], np.cross(b - a, c - a))
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    unit = np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)
    return Mesh(points, faces, unit.astype(np.float32), **more)


def cube(side: float, at: ArrayLike = (0, 0, 0), *, colours: bool = False, **more: Any) -> Mesh:
    """A cube about ``at``; with ``colours`` its sides have three."""
    bits = np.array([[i >> 2, i >> 1 & 1, i & 1] for i in range(8)])
    vertices = np.asarray(at, np.float64) + (bits - 0.5) * side
    triangles = [corners for a, b, c, d in QUADS for corners in ((a, b, c), (a, c, d))]
    if colours:
        rgb = np.array([(200, 30, 30), (20, 120, 250), (255, 255, 0)], np.uint8)
        more["colours"] = np.repeat(rgb, 4, axis=0)
    return mesh_of(vertices, triangles, **more)


def tetrahedron(**more: Any) -> Mesh:
    """Half a unit's corner of space."""
    vertices = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    return mesh_of(vertices, [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)], **more)


def joined(*meshes: Mesh) -> Mesh:
    """Meshes beside each other as one."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([m.triangles + np.int32(at) for m, at in zip(meshes, starts, strict=False)]),
        np.concatenate([mesh.normals for mesh in meshes]),
    )


def ball(steps: int, at: ArrayLike = (0, 0, 0), **more: Any) -> Mesh:
    """A unit ball about ``at``: an octahedron whose triangles are cut in four ``steps`` times."""
    axes = np.eye(3)
    vertices = np.concatenate([axes, -axes])
    signs = [(i, j, k) for i in (0, 3) for j in (1, 4) for k in (2, 5)]
    faces = [c if sum(n > 2 for n in c) % 2 == 0 else (c[0], c[2], c[1]) for c in signs]
    triangles = np.array(faces)
    for _ in range(steps):
        vertices, triangles = refined(vertices, triangles)
    return mesh_of(vertices + np.asarray(at), triangles, **more)


def refined(vertices: Any, triangles: Any) -> tuple[Any, Any]:
    """The triangles of a unit ball, each cut in four."""
    edges = np.sort(np.concatenate([triangles[:, [i, (i + 1) % 3]] for i in range(3)]), axis=1)
    kept, place = np.unique(edges, axis=0, return_inverse=True)
    middle = vertices[kept].sum(axis=1)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    ab, bc, ca = place.reshape(3, -1) + len(vertices)
    a, b, c = triangles.T
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    found = np.concatenate([np.stack(part, axis=1) for part in parts])
    return np.concatenate([vertices, middle]), found


@st.composite
def closed_meshes(draw: st.DrawFn) -> Mesh:
    """One to three bodies beside each other, of any size, of some colours or none."""
    random = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    bodies = []
    for i in range(draw(st.integers(1, 3))):
        body = draw(st.sampled_from([tetrahedron(), cube(1.0), ball(1), ball(2)]))
        jitter = random.uniform(-0.05, 0.05, body.vertices.shape)
        bodies.append(mesh_of(body.vertices + jitter + (3 * i, 0, 0), body.triangles))
    whole = joined(*bodies)
    place = np.array(draw(st.tuples(*[st.floats(-4, 4)] * 3)))
    vertices = (whole.vertices + place) * draw(st.floats(1e-6, 1e6))
    count = draw(st.integers(0, 4))
    rgb = random.integers(0, 256, (count, 3)).astype(np.uint8)
    colours = rgb[random.integers(0, count, len(whole.triangles))] if count else None
    return mesh_of(vertices, whole.triangles, colours=colours)


def soup(vertices: ArrayLike, triangles: ArrayLike, *labels: ArrayLike) -> NDArray[np.float64]:
    """The corners of all triangles [m, 9], and what else is known of each, in an order that
    neither the numbers of vertices nor the order of triangles change."""
    corners = np.asarray(vertices, np.float64)[np.asarray(triangles)]
    keys = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)[1].reshape(-1, 3)
    turns = (keys.argmin(axis=1)[:, None] + np.arange(3)) % 3
    corners = np.take_along_axis(corners, turns[:, :, None], axis=1).reshape(-1, 9)
    rows = np.column_stack([corners, *(np.asarray(label, np.float64) for label in labels)])
    return rows[np.lexsort(rows.T[::-1])]
