"""``Octree``: the cells of a solid, which of their corners are inside, and the surface's edges.

Passes over it are those of ``jit.meshes``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.subdivision import INSIDE, OUTSIDE, SPLIT, Tree, offsets
from intervalvm.jit.meshes import layout as c
from intervalvm.jit.meshes.corners import LATTICE
from intervalvm.jit.meshes.running import run_task
from intervalvm.jit.meshes.walk import MOST_STEPS, STEP
from intervalvm.meshes.crossings import Crossings, crossings
from intervalvm.meshes.sampler import Blocks, Sampler

CHILDREN = offsets(3)
SCRATCH = 64
"""Numbers that passes use."""
BLOCK = 2
"""Levels of a block's cells: blocks are nodes so far above the finest level."""


class Edges(NamedTuple):
    """Minimal edges that cross the surface: ``records`` int32[n, EDGE], and the values at their
    ``ends`` float64[n, 2]."""

    records: NDArray[np.int32]
    ends: NDArray[np.float64]


class Octree:
    """Nodes, which may be added: see ``cells.subdivision.Tree``.

    Attributes
    ----------
    masks : uint8[n]
        A bit of each corner of a cell: whether it is inside.
    corners : float64[blocks, 27]
        The values at corners of the children of a node, NaN where they were not asked for.
    before : int32[n]
        The first children of a cell that was joined of them; -1 for others.
    samples : Blocks
        What evaluates points.
    blocks : int32[n]
        The block of ``samples`` that a node is in.
    """

    def __init__(self, tree: Tree, samples: Sampler) -> None:
        self.frame, self.depth = tree.frame, tree.depth
        self.level, self.at = tree.level, tree.at
        self.children, self.verdict = tree.first_child.copy(), tree.verdict
        self.masks = np.where(self.verdict == INSIDE, 255, 0).astype(np.uint8)
        self.corners = np.empty((max(len(tree) // 8, 1), LATTICE))
        self.before = np.full(len(tree), -1, np.int32)
        self.samples, self.blocks = in_blocks(tree, samples)
        self._box = np.array([*self.frame.low, *self.frame.sides])
        self._sample(np.flatnonzero(self.children >= 0))

    def __len__(self) -> int:
        return len(self.level)

    def trust_samples(self) -> None:
        """Let samples decide on which side corners are, also where bounds have proven a side.

        Bounds are those of the real function: where it is nearly 0, a rounded value may differ.
        No cells are joined then.
        """
        joined = np.flatnonzero(self.before >= 0)
        self.children[joined], self.before[joined] = self.before[joined], -1
        self.verdict = np.where(self.verdict < SPLIT, np.uint8(SPLIT - 1), self.verdict)
        self._sample(np.flatnonzero(self.children >= 0))

    def split(self, cells: NDArray[np.int64]) -> None:
        """Split leaves."""
        first = len(self) + 8 * np.arange(len(cells), dtype=np.int32)
        self.children[cells] = first
        at = (2 * self.at[cells, None, :] + CHILDREN).reshape(-1, 3)
        self.level = np.concatenate([self.level, np.repeat(self.level[cells] + np.int8(1), 8)])
        self.at = np.concatenate([self.at, at])
        self.children = np.concatenate([self.children, np.full(len(at), -1, np.int32)])
        self.verdict = np.concatenate([self.verdict, np.repeat(self.verdict[cells], 8)])
        self.masks = np.concatenate([self.masks, np.zeros(len(at), np.uint8)])
        self.before = np.concatenate([self.before, np.full(len(at), -1, np.int32)])
        self.blocks = np.concatenate([self.blocks, np.repeat(self.blocks[cells], 8)])
        self.corners = np.concatenate([self.corners, np.empty((len(cells), LATTICE))])
        self._sample(cells)

    def _sample(self, parents: NDArray[np.int64]) -> None:
        """Find the masks of children, of which those with a proven side keep theirs."""
        is_open = (self.verdict != OUTSIDE) & (self.verdict != INSIDE) & (self.children < 0)
        sizes = {c.PARENTS: len(parents)}
        arrays: dict[str, NDArray[Any]] = {
            **self.arrays(),
            "is_open": is_open.view(np.uint8),
            "cells": parents.astype(np.int32),
            "scratch": np.empty(SCRATCH),
        }
        room = int(run_task(c.WRITE_CORNERS, sizes, arrays)[c.COUNT])
        points, owners = np.empty((3, room)), np.empty(room, np.int32)
        arrays |= {"points": points, "owners": owners, "blocks": self.blocks}
        run_task(c.WRITE_CORNERS, {**sizes, c.CAPACITY: room}, arrays)
        values = self.samples.values(list(points), owners)
        run_task(c.READ_CORNERS, sizes, {**arrays, "values": values})

    def edges(self) -> Edges:
        """The minimal edges that cross the surface."""
        capacity = 1024 + 4 * int(np.count_nonzero((self.masks > 0) & (self.masks < 255)))
        while True:
            found = Edges(np.empty((capacity, c.EDGE), np.int32), np.empty((capacity, 2)))
            sizes = run_task(
                c.WALK,
                {c.NODES: len(self), c.DEPTH: self.depth, c.CAPACITY: capacity},
                {
                    **self.arrays(),
                    "active": np.empty(len(self), np.uint8),
                    "stack": np.empty(STEP * MOST_STEPS * (self.depth + 2), np.int32),
                    "edges": found.records,
                    "ends": found.ends,
                },
            )
            count = int(sizes[c.COUNT])
            if count <= capacity:
                return Edges(found.records[:count], found.ends[:count])
            capacity = count

    def reduced(self, edges: Edges) -> Edges:
        """The edges after cells were joined, which change those given."""
        sizes = run_task(
            c.REDUCE,
            {c.NODES: len(self), c.DEPTH: self.depth, c.EDGES: len(edges.records)},
            {
                **self.arrays(),
                "roots_of": np.empty(len(self), np.int32),
                "edges": edges.records,
                "ends": edges.ends,
            },
        )
        count = int(sizes[c.COUNT])
        return Edges(edges.records[:count], edges.ends[:count])

    def crossings(
        self, edges: Edges, some: NDArray[np.int64], near: float, away: float
    ) -> Crossings:
        """The crossings of some edges: see ``crossings``."""
        found = np.empty((len(some), c.SEGMENT))
        run_task(
            c.SEGMENTS,
            {c.COUNT: len(some), c.DEPTH: self.depth},
            {
                "frame": self._box,
                "edges": edges.records,
                "ends": edges.ends,
                "cells": some.astype(np.int32),
                "segments": found,
            },
        )
        owners = self.blocks[edges.records[some, c.SMALLEST]]
        return crossings(self.samples, found, owners, near, away)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What passes read of the nodes."""
        return {
            "frame": self._box,
            "levels": self.level,
            "at": np.ascontiguousarray(self.at),
            "children": self.children,
            "masks": self.masks,
            "before": self.before,
            "corners": self.corners,
        }

    def cells(self, nodes: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """float64[n, 3], the lows and the highs of nodes."""
        level = self.level[nodes]
        return tuple(  # type: ignore[return-value]
            np.stack(
                [
                    self.frame.coordinates(axis, self.at[nodes, axis] + by, level)
                    for axis in range(3)
                ],
                axis=-1,
            )
            for by in (0, 1)
        )


class Rings:
    """The faces around the edges of an octree, and its cells with their loops.

    Attributes
    ----------
    faces : int32[n, FACE]
    edge_faces : int32[edges, 4]
    loops : int32[nodes]
    """

    def __init__(self, octree: Octree, edges: Edges) -> None:
        n, count = len(octree), len(edges.records)
        self.octree, self.edges = octree, edges
        # an edge has four at most; each has two edges, but for those of torn cells
        faces = np.empty((4 * count, c.FACE), np.int32)
        self.edge_faces = np.empty((count, 4), np.int32)
        self.loops = np.zeros(n, np.int32)
        sizes = run_task(
            c.RINGS,
            {c.EDGES: count},
            {
                "levels": octree.level,
                "edges": edges.records,
                "faces": faces,
                "face_of": np.zeros(6 * n, np.int32),
                "edge_faces": self.edge_faces,
                "loops": self.loops,
                "parents": np.empty(4 * count, np.int32),
            },
        )
        self.faces = faces[: sizes[c.FACES]]

    @property
    def is_torn(self) -> bool:
        """Whether cells disagree about the side of a corner."""
        return bool((self.faces[:, c.STATE] == c.TORN).any())

    def tangled(self) -> NDArray[np.int64]:
        """The cells above the finest level that are to be split."""
        some = self.faces[self.faces[:, c.STATE] == c.TANGLED]
        cells = np.concatenate([some[:, c.LOWER], some[:, c.UPPER], np.flatnonzero(self.loops > 1)])
        return np.unique(cells[self.octree.level[cells] < self.octree.depth])


def in_blocks(tree: Tree, samples: Sampler) -> tuple[Blocks, NDArray[np.int32]]:
    """Samples with a shorter program for each block of a tree, and the block of each node.

    See ``jit.meshes.cells.find_blocks``.
    """
    finest, n = max(tree.depth - BLOCK, 0), len(tree)
    owners, chosen, keys = np.zeros(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int64)
    sizes = run_task(
        c.FIND_BLOCKS,
        {c.NODES: n, c.LEVEL: finest},
        {
            "levels": tree.level,
            "at": tree.at,
            "children": tree.first_child,
            "verdicts": tree.verdict,
            "stack": np.empty(8 * (finest + 1), np.int32),
            "blocks": np.empty(n, np.int32),
            "cells": chosen,
            "keys": keys,
            "owners": owners,
        },
    )
    chosen, keys = chosen[: sizes[c.COUNT]], keys[: sizes[c.COUNT]]
    boxes = tree.frame.boxes(tree.at[chosen], tree.level[chosen])
    codes = keys.view(np.uint64)
    return samples.divided(boxes, codes, 3 * finest + 1, samples.inputs), owners
