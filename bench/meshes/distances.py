"""How far a mesh is from the surface that it is of, and the surface from the mesh.

From points of triangles the nearest change of the field's sign is looked for along the gradient
and along 26 fixed directions, and bisected: a point of the surface is that near indeed. Points of
the surface are found on random lines along the axes; PyMeshLab says how near the mesh is.
"""

from __future__ import annotations

from importlib import import_module
from itertools import product

import numpy as np
from numpy.typing import NDArray

import intervalvm as ivm
from bench.models import Solid

Floats = NDArray[np.float64]

STEPS = 14
"""Distances tried along a direction: ``reach``, half of it, a quarter, and so on."""
BISECTIONS = 24
SAMPLES = 512
"""Of a line: pairs of crossings closer to each other than a cube's side / 512 may be missed."""

FIXED = np.array([way for way in product((-1.0, 0.0, 1.0), repeat=3) if any(way)])
FIXED /= np.linalg.norm(FIXED, axis=1, keepdims=True)


class Field:
    """The values and gradients of a solid's tape in float64 at points [..., 3]."""

    def __init__(self, solid: Solid) -> None:
        self._evaluator = ivm.Evaluator(solid.tape, dtype="float64", inputs=("x", "y", "z"))

    def is_inside(self, points: Floats) -> NDArray[np.bool_]:
        values: Floats = self._evaluator.values(*np.moveaxis(points, -1, 0))
        return values < 0

    def directions(self, points: Floats) -> Floats:
        """Unit vectors of the gradients at points [n, 3]; 0 where there is none."""
        slopes: Floats = self._evaluator.gradients(*points.T)[1:].T
        lengths = np.linalg.norm(slopes, axis=1, keepdims=True)
        found: Floats = np.divide(slopes, lengths, out=np.zeros_like(slopes), where=lengths > 0)
        return found


def from_mesh(field: Field, mesh: ivm.Mesh, *, points: int, reach: float) -> Floats:
    """Distances of random points of the triangles to the surface; infinite beyond ``reach``."""
    at = points_of(mesh, points)
    along = field.directions(at)
    fixed = np.broadcast_to(FIXED, (points, *FIXED.shape))
    ways = np.concatenate([np.stack([along, -along], axis=1), fixed], axis=1)
    at = np.broadcast_to(at[:, None], ways.shape)
    inside = field.is_inside(at)
    low, high = np.zeros(ways.shape[:2]), np.full(ways.shape[:2], np.inf)
    for tried in reach * 0.5 ** np.arange(STEPS - 1, -1, -1):
        open_ = np.isinf(high)
        crossed = field.is_inside(at + tried * ways) != inside
        high[open_ & crossed] = tried
        low[open_ & ~crossed] = tried
    found = np.isfinite(high)
    high[found] = _bisected(field, at[found], ways[found], low[found], high[found])
    nearest: Floats = high.min(axis=1)
    return nearest


def points_of(mesh: ivm.Mesh, points: int) -> Floats:
    """Random points of triangles: as many on equal areas."""
    random = np.random.default_rng(1)
    a, b, c = (mesh.vertices[mesh.triangles[:, i]] for i in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    chosen = random.choice(len(areas), points, p=areas / areas.sum())
    u, v = np.sort(random.random((2, points, 1)), axis=0)
    found: Floats = u * a[chosen] + (v - u) * b[chosen] + (1 - v) * c[chosen]
    return found


def points_on(field: Field, solid: Solid, *, lines: int) -> Floats:
    """Points of the surface: where as many lines along each axis cross it."""
    random = np.random.default_rng(2)
    side = 2 * solid.half_side
    places = np.linspace(0, side, SAMPLES)
    found = []
    for axis in range(3):
        start = random.uniform(-side / 2, side / 2, (lines, 3))
        start[:, axis] = -side / 2
        way = np.eye(3)[axis]
        inside = field.is_inside(start[:, None] + places[:, None] * way)
        line, i = np.nonzero(inside[:, 1:] != inside[:, :-1])
        ways = np.broadcast_to(way, (len(line), 3))
        far = _bisected(field, start[line], ways, places[i], places[i + 1])
        found.append(start[line] + far[:, None] * ways)
    return np.concatenate(found)


def to_mesh(points: Floats, mesh: ivm.Mesh) -> Floats:
    """The distance of each point to the nearest of the triangles."""
    pymeshlab = import_module("pymeshlab")  # which has no types
    meshes = pymeshlab.MeshSet()
    meshes.add_mesh(pymeshlab.Mesh(mesh.vertices, mesh.triangles))
    meshes.add_mesh(pymeshlab.Mesh(points))
    meshes.compute_scalar_by_distance_from_another_mesh_per_vertex(
        measuremesh=1, refmesh=0, signeddist=False
    )
    found: Floats = meshes.mesh(1).vertex_scalar_array()
    return found


def _bisected(field: Field, at: Floats, ways: Floats, low: Floats, high: Floats) -> Floats:
    """How far along unit vectors the sign changes, between ``low`` and ``high``."""
    before = field.is_inside(at + low[:, None] * ways)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        same = field.is_inside(at + middle[:, None] * ways) == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return high
