"""``Planes``: the tangent planes of crossings, summed for each cell, and the cells' points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit.meshes import layout as c
from intervalvm.jit.meshes.flips import MARGIN
from intervalvm.meshes.octree import Octree, Rings, run_task


class Planes:
    """The sums of cells: see ``jit.meshes.planes``.

    Attributes
    ----------
    slots : int32[nodes]
        The row of a cell in ``sums``; -1 if it has none.
    sums : float64[rows, QEF]
    """

    def __init__(self, octree: Octree) -> None:
        self.octree = octree
        self.slots = np.full(len(octree), -1, np.int32)
        self.sums = np.zeros((0, c.QEF))

    def add(self, cells: NDArray[np.int64], sums: NDArray[np.float64]) -> None:
        """Add cells with their sums."""
        missing = len(self.octree) - len(self.slots)
        self.slots = np.concatenate([self.slots, np.full(missing, -1, np.int32)])
        self.slots[cells] = len(self.sums) + np.arange(len(cells), dtype=np.int32)
        self.sums = np.concatenate([self.sums, sums])

    def has(self, cells: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether cells have sums."""
        return (cells < len(self.slots)) & (self.slots[np.minimum(cells, len(self.slots) - 1)] >= 0)

    def of(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """The sums of cells, 0 for those without."""
        found = np.zeros((*cells.shape, c.QEF))
        has = self.has(cells)
        found[has] = self.sums[self.slots[cells[has]]]
        return found


def summed(
    rings: Rings,
    edges: NDArray[np.int64] | slice,
    cells: NDArray[np.int64],
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
) -> NDArray[np.float64]:
    """float64[cells, QEF], the sums of planes through ``points`` float64[edges, 3]."""
    slots = np.full(len(rings.octree), -1, np.int32)
    slots[cells] = np.arange(len(cells), dtype=np.int32)
    sums = np.zeros((len(cells), c.QEF))
    some = np.ascontiguousarray(rings.edges[edges])
    run_task(
        c.SUM,
        {c.EDGES: len(some)},
        {"edges": some, "slots": slots, "points": points, "normals": normals, "sums": sums},
    )
    return sums


def solved(
    octree: Octree, cells: NDArray[np.int64], sums: NDArray[np.float64]
) -> NDArray[np.float64]:
    """float64[cells, 4], the points of cells, and the sum of squared distances from planes."""
    lows, highs = octree.cells(cells)
    margin = MARGIN * (highs - lows)
    found = np.zeros((len(cells), 4))
    run_task(
        c.SOLVE,
        {c.SLOTS: len(cells)},
        {
            "sums": np.ascontiguousarray(sums),
            "boxes": np.concatenate([lows + margin, highs - margin], axis=1),
            "found": found,
            "scratch": np.empty(32),
        },
    )
    return found
