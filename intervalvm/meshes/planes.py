"""``Planes``: the tangent planes of crossings, summed for each cell, and the cells' points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit.meshes import layout as c
from intervalvm.jit.meshes.running import prepared, run_task
from intervalvm.meshes.octree import SCRATCH, Octree


class Planes:
    """The sums of cells: see ``jit.meshes.planes``.

    Attributes
    ----------
    slots : int32[nodes]
        The row of a cell in ``sums``; -1 if it has none.
    count : int
        The rows of ``sums`` that are used.
    sums : float64[rows, QEF]
    """

    def __init__(self, octree: Octree) -> None:
        self.octree = octree
        self.slots = np.full(len(octree), -1, np.int32)
        self.count, self.sums = 0, np.zeros((0, c.QEF))

    def add(
        self,
        cells: NDArray[np.int64],
        edges: NDArray[np.int32],
        points: NDArray[np.float64],
        normals: NDArray[np.float64],
    ) -> None:
        """Add cells with planes through ``points`` float64[edges, 3], of all edges around them."""
        octree, count = self.octree, self.count
        new = np.full(len(octree) - len(self.slots), -1, np.int32)
        self.slots = np.concatenate([self.slots, new])
        slots = np.full(len(octree), -1, np.int32)
        slots[cells] = self.slots[cells] = np.arange(count, count + len(cells), dtype=np.int32)
        # with room for those of joined cells
        before, self.sums = self.sums, np.empty((count + len(cells) + len(octree) // 8, c.QEF))
        self.sums[:count], self.sums[count : count + len(cells)] = before[:count], 0.0
        self.count = count + len(cells)
        run_task(
            c.SUM,
            {c.EDGES: len(edges)},
            {
                "edges": edges,
                "slots": slots,
                "points": points,
                "normals": normals,
                "sums": self.sums,
            },
        )

    def has(self, cells: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether cells have sums."""
        return (cells < len(self.slots)) & (self.slots[np.minimum(cells, len(self.slots) - 1)] >= 0)

    def join(self, loops: NDArray[np.int32], tolerance: float) -> int:
        """Join cells; returns their number."""
        octree = self.octree
        sizes = run_task(
            c.JOIN,
            {c.NODES: len(octree), c.SLOTS: self.count},
            {
                **self._arrays(),
                "frame": np.array([*octree.frame.low, *octree.frame.sides, tolerance]),
                "loops": loops,
                "found": np.empty(4),
            },
        )
        self.count = int(sizes[c.SLOTS])
        return int(sizes[c.COUNT])

    def points(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """float64[cells, 4], the points of cells, and the sum of squared distances from planes."""
        found = np.zeros((len(cells), 4))
        run_task(
            c.SOLVE,
            {c.COUNT: len(cells)},
            {**self._arrays(), "cells": cells.astype(np.int32), "found": found},
        )
        return found

    def settle(self, cells: NDArray[np.int64], found: NDArray[np.float64]) -> NDArray[np.float64]:
        """Move the points ``found`` of cells to the surface; returns its normals there.

        See ``jit.meshes.settling``.
        """
        n = len(cells)
        arrays = {
            **self._arrays(),
            "cells": cells.astype(np.int32),
            "found": found,
            "points": found[:, :3].copy(),
            "asked": np.ascontiguousarray(found[:, :3].T),
            "duals": np.empty((4, n)),
            "left": np.arange(n, dtype=np.int32),
            "blocks": self.octree.blocks,
            "owners": self.octree.blocks[cells],
            "stages": np.zeros(n, np.uint8),
            "values": np.empty(n),
            "normals": np.zeros((n, 3)),
        }
        run = prepared(arrays)
        while n:
            points, owners = list(arrays["asked"][:, :n]), arrays["owners"][:n]
            self.octree.samples.slopes(points, owners, arrays["duals"][:, :n])
            n = run(c.SETTLE, {c.ROOM: len(cells), c.COUNT: n})
        return arrays["normals"]

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {
            **self.octree.arrays(),
            "slots": self.slots,
            "sums": self.sums,
            "box": np.empty(6),
            "scratch": np.empty(SCRATCH),
        }
