"""The surface of a solid from its octree: crossings, points of cells, triangles.

Steps: the edges that cross the surface; their crossings and gradients; cells joined where one point
describes them as well; cells split where their border is met in a way that has no template; the
points of cells; flips; triangles. Why no triangle crosses another is told in ``jit.meshes.flips``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.frame import Frame
from intervalvm.jit.meshes import layout as c
from intervalvm.jit.meshes.planes import MARGIN
from intervalvm.jit.meshes.running import run_task
from intervalvm.meshes.crossings import Crossings, crossings
from intervalvm.meshes.octree import CHILDREN, SCRATCH, Edges, Octree, Rings
from intervalvm.meshes.planes import Planes
from intervalvm.meshes.templates import loops_of_masks, templates

ROUGH, EXACT = 2.0**-9, 2.0**-20
"""How near crossings are found: those that planes go through, and those that are vertices."""
SPOKE = 0.0625
"""How far from the ends of a spoke its crossing is, at least."""


class Surface(NamedTuple):
    """``vertices`` float64[n, 3], ``triangles`` int32[m, 3], ``normals`` float64[n, 3] of vertices,
    0 where there is no gradient; ``counts`` of cells by kind."""

    vertices: NDArray[np.float64]
    triangles: NDArray[np.int32]
    normals: NDArray[np.float64]
    counts: dict[str, int]


class Surfacer:
    """What makes a surface of an octree.

    Cells are joined as long as crossings lie within ``tolerance`` of the planes of one point. If
    there is none, points of cells are the means of their crossings.
    """

    def __init__(self, octree: Octree, tolerance: float | None) -> None:
        self.octree, self.is_sharp = octree, tolerance is not None
        self._start(tolerance)
        if self.rings.is_torn:
            octree.trust_samples()
            self._start(tolerance)
            assert not self.rings.is_torn
        self.splits = self._untangle()

    def _start(self, tolerance: float | None) -> None:
        """Join cells, and find the rings."""
        octree = self.octree
        self.planes, edges, self.joined = Planes(octree), octree.edges(), 0
        if tolerance is not None:
            found = np.zeros(len(octree), bool)
            found[edges.records[:, c.AROUND : c.AROUND + 4]] = True
            self._add_planes(np.flatnonzero(found), edges, np.arange(len(edges.records)))
            self.joined = self.planes.join(loops_of_masks()[octree.masks], tolerance)
            if self.joined:
                edges = octree.reduced(edges)
        self.rings = Rings(octree, edges)

    def _untangle(self) -> int:
        """Split cells that are tangled, back into what they were joined of if they were."""
        splits, octree = 0, self.octree
        while len(cells := self.rings.tangled()):
            splits += len(cells)
            joined = cells[octree.before[cells] >= 0]
            octree.children[joined] = octree.before[joined]
            octree.before[joined] = -1
            octree.split(np.setdiff1d(cells, joined))
            self.rings = Rings(octree, octree.edges())
            if self.rings.is_torn:
                octree.trust_samples()
                self.rings = Rings(octree, octree.edges())
                assert not self.rings.is_torn
        return splits

    def _add_planes(self, cells: NDArray[np.int64], edges: Edges, some: NDArray[np.int64]) -> None:
        """Add the sums of cells, from some edges, which are all around them."""
        found = self.octree.crossings(edges, some, ROUGH, 0.0)
        normals = found.normals if self.is_sharp else np.zeros_like(found.normals)
        self.planes.add(cells, edges.records[some], found.points, normals)

    def surface(self) -> Surface:
        """The surface."""
        octree, loops = self.octree, self.rings.loops
        cones, several = np.flatnonzero(loops == 1), np.flatnonzero(loops > 1)
        missing = cones[~self.planes.has(cones)]
        if len(missing):
            edges, asked = self.rings.edges, np.zeros(len(octree), bool)
            asked[missing] = True
            around = asked[edges.records[:, c.AROUND : c.AROUND + 4]]
            self._add_planes(missing, edges, np.flatnonzero(around.any(axis=1)))
        found = self.planes.points(cones)
        if self.is_sharp:
            normals = self.planes.settle(cones, found)
        else:
            normals = self._normals(cones, found[:, :3])
        slots = np.full(len(octree), -1, np.int32)
        slots[cones] = np.arange(len(cones), dtype=np.int32)
        slots[several] = np.arange(len(several), dtype=np.int32)
        spokes, is_inside = self._spokes(several)
        triangles = self._triangles(slots, found, several, is_inside)
        first, last = len(cones), len(cones) + len(self.rings.edges.records)
        used, triangles = numbered(last + len(spokes.points), triangles)
        points, met_edges = used[:first], np.flatnonzero(used[first:last])
        met = octree.crossings(self.rings.edges, met_edges, EXACT, MARGIN)
        ends = Crossings(*(part[used[last:]] for part in spokes))
        parts = Crossings(found[points, :3], normals[points]), met, ends
        vertices, normals = (np.concatenate(part) for part in zip(*parts, strict=True))
        counts = {
            "surface": len(cones) + len(several),
            "joined": self.joined,
            "split": self.splits,
            "templates": len(several),
        }
        return Surface(rounded(vertices, octree.frame), triangles, normals, counts)

    def _normals(
        self, cells: NDArray[np.int64], points: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """float64[n, 3], the directions of the gradients at points in cells."""
        found = np.empty((4, len(points)))
        owners = self.octree.blocks[cells]
        self.octree.samples.slopes(list(np.ascontiguousarray(points.T)), owners, found)
        return unit(found[1:].T)

    def _spokes(self, cells: NDArray[np.int64]) -> tuple[Crossings, NDArray[np.bool_]]:
        """Where the surface is crossed from the corners of cells, eight each, to their centres, and
        which centres are inside.

        Only corners on the other side are used.
        """
        octree = self.octree
        lows, highs = octree.cells(cells)
        centres, owners = 0.5 * (lows + highs), octree.blocks[cells]
        ends = lows[:, None, :] + CHILDREN * (highs - lows)[:, None, :]
        with np.errstate(invalid="ignore"):
            at_centres = octree.samples.values(list(np.ascontiguousarray(centres.T)), owners)
            corners, twice = np.ascontiguousarray(ends.reshape(-1, 3).T), np.repeat(owners, 8)
            at_ends = octree.samples.values(list(corners), twice).reshape(-1, 8)
        is_inside = at_centres < 0.0
        sides = (octree.masks[cells][:, None] >> np.arange(8) & 1).astype(bool)
        asked = sides != is_inside[:, None]
        # bounds may have proven a side on which a rounded value is not
        at_ends = np.where(sides == (at_ends < 0.0), at_ends, np.where(sides, -np.inf, np.inf))
        segments = np.zeros((*ends.shape[:2], c.SEGMENT))
        segments[..., c.START : c.START + 3] = ends
        segments[..., c.STEP : c.STEP + 3] = centres[:, None, :] - ends
        segments[..., c.V_START], segments[..., c.V_END] = at_ends, at_centres[:, None]
        some = np.broadcast_to(owners[:, None], asked.shape)[asked]
        met = crossings(octree.samples, segments[asked], some, EXACT, SPOKE)
        found = Crossings(np.zeros_like(ends), np.zeros_like(ends))
        found.points[asked], found.normals[asked] = met
        return Crossings(*(part.reshape(-1, 3) for part in found)), is_inside

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
        room = 8 * len(rings.edges.records) + int((starts[cases + 1] - starts[cases]).sum())
        triangles = np.empty((room, 3), np.int32)
        sizes = {
            c.EDGES: len(rings.edges.records),
            c.FACES: len(rings.faces),
            c.SLOTS: len(found),
            c.TEMPLATES: len(several),
            c.DEPTH: octree.depth,
        }
        arrays = {
            **octree.arrays(),
            "edges": rings.edges.records,
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
    found: NDArray[np.float64] = vertices / step
    np.rint(found, out=found)
    found *= step
    return found


def numbered(
    count: int, triangles: NDArray[np.int32]
) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Which of so many vertices triangles have; and these, numbered without the others."""
    numbers = np.empty(count, np.int32)
    run_task(
        c.NUMBER,
        {c.VERTICES: count, c.TRIANGLE_COUNT: len(triangles)},
        {"triangles": triangles, "numbers": numbers},
    )
    return numbers >= 0, triangles


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors, [n, 3], scaled to length 1; 0 where that cannot be."""
    with np.errstate(all="ignore"):
        most = abs(vectors).max(axis=1, keepdims=True, initial=0.0)
        found = vectors / np.where(most > 0.0, most, 1.0)
        found = found / np.sqrt((found * found).sum(axis=1, keepdims=True))
    return np.where(np.isfinite(found).all(axis=1, keepdims=True), found, 0.0)
