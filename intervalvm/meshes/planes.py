"""``Planes``: the tangent planes of crossings, summed for each cell, and the cells' points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit.meshes import layout as c
from intervalvm.meshes.octree import SCRATCH, Octree, run_task

PAIRS = (0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)
"""The entries of a symmetric matrix in the order of sums."""


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

    def add(
        self,
        cells: NDArray[np.int64],
        edges: NDArray[np.int32],
        points: NDArray[np.float64],
        normals: NDArray[np.float64],
    ) -> None:
        """Add cells with planes through ``points`` float64[edges, 3], of all edges around them."""
        new = len(self.octree) - len(self.slots)
        self.slots = np.concatenate([self.slots, np.full(new, -1, np.int32)])
        slots = np.full(len(self.octree), -1, np.int32)
        slots[cells] = np.arange(len(cells), dtype=np.int32)
        sums = np.zeros((len(cells), c.QEF))
        run_task(
            c.SUM,
            {c.EDGES: len(edges)},
            {"edges": edges, "slots": slots, "points": points, "normals": normals, "sums": sums},
        )
        self.slots[cells] = slots[cells] + len(self.sums)
        self.sums = np.concatenate([self.sums, sums]) if len(self.sums) else sums

    def add_to(
        self, cells: NDArray[np.int64], points: NDArray[np.float64], normals: NDArray[np.float64]
    ) -> None:
        """Add a plane to each of some cells; means of crossings stay."""
        away = (normals * points).sum(axis=1)
        rows = self.slots[cells]
        for column, (i, j) in zip(range(c.XX, c.ZZ + 1), PAIRS, strict=True):
            self.sums[rows, column] += normals[:, i] * normals[:, j]
        self.sums[rows, c.BX : c.BX + 3] += away[:, None] * normals
        self.sums[rows, c.BB] += away * away

    def has(self, cells: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether cells have sums."""
        return (cells < len(self.slots)) & (self.slots[np.minimum(cells, len(self.slots) - 1)] >= 0)

    def join(self, loops: NDArray[np.int32], tolerance: float) -> NDArray[np.int32]:
        """Join cells; returns the first children that they had, int32[nodes], -1 for others."""
        octree, before = self.octree, np.full(len(self.octree), -1, np.int32)
        room = np.empty((np.count_nonzero(octree.children >= 0), c.QEF))
        self.sums = np.concatenate([self.sums, room])
        sizes = run_task(
            c.JOIN,
            {c.NODES: len(octree), c.SLOTS: len(self.sums) - len(room)},
            {
                **self._arrays(),
                "frame": np.array([*octree.frame.low, *octree.frame.sides, tolerance]),
                "loops": loops,
                "before": before,
                "found": np.empty(4),
            },
        )
        self.sums = self.sums[: sizes[c.SLOTS]]
        return before

    def points(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """float64[cells, 4], the points of cells, and the sum of squared distances from planes."""
        found = np.zeros((len(cells), 4))
        run_task(
            c.SOLVE,
            {c.COUNT: len(cells)},
            {**self._arrays(), "cells": cells.astype(np.int32), "found": found},
        )
        return found

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {
            **self.octree.arrays(),
            "slots": self.slots,
            "sums": self.sums,
            "box": np.empty(6),
            "scratch": np.empty(SCRATCH),
        }
