"""The surface of a solid from its octree: crossings, points of cells, triangles.

Steps: the edges that cross the surface; their crossings and gradients; cells joined where one point
describes them as well; cells split where their border is met in a way that has no template; the
points of cells; flips; triangles. Why no triangle crosses another is told in ``jit.meshes.flips``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.frame import Frame
from intervalvm.jit.meshes import layout as c
from intervalvm.jit.meshes.planes import MARGIN
from intervalvm.meshes.crossings import crossings
from intervalvm.meshes.octree import CHILDREN, SCRATCH, Octree, Rings, run_task
from intervalvm.meshes.planes import Planes
from intervalvm.meshes.templates import templates

Gradients = Callable[[Sequence[NDArray[np.float64]]], NDArray[np.float64]]
"""float64[3, n], the gradients at points, given by their coordinates."""
HIDDEN = 3
"""The most planes that are added to a cell."""
SETTLINGS, NEAR = 6, 2.0**-20
"""Steps by which points are moved to the surface, and the share of a cell that is near enough."""
SPOKE = 0.0625
"""How far from the ends of a spoke its crossing is, at least."""


class Surface(NamedTuple):
    """``vertices`` float64[n, 3] and ``triangles`` int32[m, 3]; ``counts`` of cells by kind."""

    vertices: NDArray[np.float64]
    triangles: NDArray[np.int32]
    counts: dict[str, int]


class Surfacer:
    """What makes a surface of an octree.

    Without ``gradients`` points of cells are the means of their crossings. With them cells are
    joined as long as crossings lie within ``tolerance`` of the planes of one point.
    """

    def __init__(
        self,
        octree: Octree,
        gradients: Gradients | None = None,
        tolerance: float = 0.0,
    ) -> None:
        self.octree, self.gradients = octree, gradients
        self.planes = Planes(octree)
        self.rings = self._consistent()
        self.before = np.full(len(octree), -1, np.int32)
        if gradients is not None:
            self._add_planes(np.flatnonzero(self.rings.loops > 0))
            self.before = self.planes.join(self.rings.loops, tolerance)
        self.joined = int(np.count_nonzero(self.before >= 0))
        if self.joined:
            self.rings = self._consistent()
        self.splits = self._untangle()

    def _consistent(self) -> Rings:
        rings = Rings(self.octree, self.octree.edges())
        if rings.is_torn:
            self.octree.trust_samples()
            rings = Rings(self.octree, self.octree.edges())
            assert not rings.is_torn
        return rings

    def _untangle(self) -> int:
        """Split cells that are tangled, back into what they were joined of if they were."""
        splits = 0
        while len(cells := self.rings.tangled()):
            splits += len(cells)
            known = cells[cells < len(self.before)]
            joined = known[self.before[known] >= 0]
            self.octree.children[joined] = self.before[joined]
            self.before[joined] = -1
            self.octree.split(np.setdiff1d(cells, joined))
            self.rings = self._consistent()
        return splits

    def _crossings(self, edges: NDArray[np.int32]) -> NDArray[np.float64]:
        """float64[edges, 3], on the surface."""
        a, b = self.octree.ends(edges)
        t = crossings(self.octree.values, a, b)
        found: NDArray[np.float64] = np.ascontiguousarray((a + t * (b - a)).T)
        return found

    def _add_planes(self, cells: NDArray[np.int64]) -> None:
        """Add the sums of cells, from the edges around them."""
        edges = self.rings.edges
        asked = np.zeros(len(self.octree), bool)
        asked[cells] = True
        some = np.flatnonzero(asked[edges[:, c.AROUND : c.AROUND + 4]].any(axis=1))
        points = self._crossings(edges[some])
        normals = np.zeros((len(some), 3))
        if self.gradients is not None:
            normals = np.ascontiguousarray(unit(self.gradients(list(points.T)).T))
        self.planes.add(cells, edges[some], points, normals)

    def surface(self) -> Surface:
        """The surface."""
        octree, rings = self.octree, self.rings
        edges, loops = rings.edges, rings.loops
        cones, several = np.flatnonzero(loops == 1), np.flatnonzero(loops > 1)
        missing = cones[~self.planes.has(cones)]
        if len(missing):
            self._add_planes(missing)
        found = self.planes.points(cones)
        if self.gradients is not None and len(cones):
            self._find_hidden(found, cones, self.gradients)
            self._settle(found, cones, self.gradients)
        slots = np.full(len(octree), -1, np.int32)
        slots[cones] = np.arange(len(cones), dtype=np.int32)
        slots[several] = np.arange(len(several), dtype=np.int32)
        lows, highs = octree.cells(several)
        centres = 0.5 * (lows + highs)
        is_inside = octree.are_inside(list(centres.T))
        a, b = octree.ends(edges)
        t = np.clip(crossings(octree.values, a, b), MARGIN, 1.0 - MARGIN)
        corners = self._spokes(several, centres, is_inside)
        vertices = np.concatenate([found[:, :3], (a + t * (b - a)).T, corners])
        triangles = self._triangles(slots, found, several, is_inside)
        vertices, triangles = compact(vertices, triangles)
        counts = {
            "surface": len(cones) + len(several),
            "joined": self.joined,
            "split": self.splits,
            "templates": len(several),
        }
        return Surface(rounded(vertices, octree.frame), triangles, counts)

    def _spokes(
        self,
        cells: NDArray[np.int64],
        centres: NDArray[np.float64],
        is_inside: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """float64[8 * cells, 3], where the surface is crossed from corners to centres.

        Only corners on the other side are used.
        """
        lows, highs = self.octree.cells(cells)
        ends = lows[:, None, :] + CHILDREN * (highs - lows)[:, None, :]
        bits = self.octree.masks[cells][:, None] >> np.arange(8) & 1
        asked = bits.astype(bool) != is_inside[:, None]
        found = np.zeros_like(ends)
        a, b = ends[asked].T, np.broadcast_to(centres[:, None, :], ends.shape)[asked].T
        t = np.clip(crossings(self.octree.values, a, b), SPOKE, 1.0 - SPOKE)
        found[asked] = (a + t * (b - a)).T
        return found.reshape(-1, 3)

    def _find_hidden(
        self, found: NDArray[np.float64], cells: NDArray[np.int64], gradients: Gradients
    ) -> None:
        """Add planes that no edge of a cell crosses: those at its point, if that is off the surface
        although it lies in all planes. So edges of the solid stay straight."""
        sizes = (np.subtract(*reversed(self.octree.cells(cells)))).min(axis=1)
        left = np.arange(len(cells))
        for _ in range(HIDDEN):
            with np.errstate(all="ignore"):
                points = found[left, :3]
                value = self.octree.values(list(points.T))
                slopes = gradients(list(points.T)).T
                length = np.sqrt((slopes * slopes).sum(axis=1))
                away = value / length
                known = 2.0 * np.sqrt(found[left, 3]) + NEAR * sizes[left]
                off = (abs(away) > known) & (abs(away) < sizes[left])
            left, normals = left[off], slopes[off] / length[off, None]
            if not len(left):
                return
            self.planes.add_to(cells[left], points[off] - away[off, None] * normals, normals)
            found[left] = self.planes.points(cells[left])

    def _settle(
        self, found: NDArray[np.float64], cells: NDArray[np.int64], gradients: Gradients
    ) -> None:
        """Move points of cells to the surface, by Newton's method along the gradient.

        A point that would leave its cell stops at its border. It is near the surface already,
        unless edges of the solid pass by its cell.
        """
        lows, highs = self.octree.cells(cells)
        margin = MARGIN * (highs - lows)
        lows, highs = lows + margin, highs - margin
        left, points = np.arange(len(cells)), found[:, :3].copy()
        with np.errstate(all="ignore"):
            value = self.octree.values(list(points.T))
            for _ in range(SETTLINGS):
                slopes = gradients(list(points.T)).T
                step = (value / (slopes * slopes).sum(axis=1))[:, None] * slopes
                to = np.clip(points - step, lows[left], highs[left])
                there = self.octree.values(list(to.T))
                better = abs(there) < abs(value)
                found[left[better], :3] = to[better]
                far = better & (abs(step).max(axis=1) > NEAR * (highs - lows)[left].min(axis=1))
                left, points, value = left[far], to[far], there[far]
                if not len(left):
                    break

    def _triangles(
        self,
        slots: NDArray[np.int32],
        found: NDArray[np.float64],
        several: NDArray[np.int64],
        is_inside: NDArray[np.bool_],
    ) -> NDArray[np.int32]:
        octree, rings = self.octree, self.rings
        starts, table = templates()
        cases = octree.masks[several] + 256 * is_inside.astype(np.int32)
        room = 8 * len(rings.edges) + int((starts[cases + 1] - starts[cases]).sum())
        triangles = np.empty((room, 3), np.int32)
        sizes = {
            c.EDGES: len(rings.edges),
            c.FACES: len(rings.faces),
            c.SLOTS: len(found),
            c.TEMPLATES: len(several),
            c.DEPTH: octree.depth,
        }
        arrays = {
            **octree.arrays(),
            "edges": rings.edges,
            "faces": rings.faces,
            "edge_faces": rings.edge_faces,
            "loops": rings.loops,
            "slots": slots,
            "found": found,
            "scratch": np.empty(SCRATCH),
            "template_edges": np.full(12 * len(several), -1, np.int32),
            "cases": cases.astype(np.int32),
            "starts": starts,
            "table": table,
            "triangles": triangles,
        }
        run_task(c.FLIP, sizes, arrays)
        count = run_task(c.TRIANGLES, sizes, arrays)[c.COUNT]
        return triangles[:count]


def rounded(vertices: NDArray[np.float64], frame: Frame) -> NDArray[np.float64]:
    """Vertices as whole multiples of 2^-32 of a frame's size, or a little more.

    It is far less than the margins. Vertices of a plane across an axis then lie in it, all of them:
    where rounding errors make nearly coplanar triangles of them, programs find intersections.
    """
    step = 2.0 ** (math.frexp(max(frame.sides))[1] - 32)
    found: NDArray[np.float64] = np.round(vertices / step) * step
    return found


def compact(
    vertices: NDArray[np.float64], triangles: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Without vertices of no triangle."""
    used = np.zeros(len(vertices), bool)
    used[triangles] = True
    number = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return vertices[used], number[triangles]


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors, [n, 3], scaled to length 1; 0 where that cannot be."""
    with np.errstate(all="ignore"):
        most = abs(vectors).max(axis=1, keepdims=True, initial=0.0)
        found = vectors / np.where(most > 0.0, most, 1.0)
        found = found / np.sqrt((found * found).sum(axis=1, keepdims=True))
    return np.where(np.isfinite(found).all(axis=1, keepdims=True), found, 0.0)
