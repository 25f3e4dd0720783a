"""Subdivision: cells are split, level by level, until the real function is proven over each.

A tree is made of whole levels, by calls of an evaluator on arrays. The nodes of a level are in the
order of their parents, which is Morton order: neighbours in an array are near each other.

A cell is *simple* if bounds of the gradient prove that it has one smooth and nearly flat piece of
surface. Let g be the middle of the bounds, and r half of their widths. The function grows along g
if g . s > 0 for each gradient s within them: so the surface is a graph over the plane across g. The
values at two points p, q differ by s . (p - q) for some s within the bounds, as a path along one
axis after the other shows. Points of the surface have g . (p - q) = (g - s) . (p - q) then. So all
of it lies within ``sum(r[i] * sizes[i]) / abs(g)`` of a plane through any of its points: at most
the tolerance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.frame import Frame
from intervalvm.evaluate.evaluator import SlopeBounds
from intervalvm.jit.meshes import layout as c
from intervalvm.jit.meshes.running import run_task
from intervalvm.ops.row import Interval

OUTSIDE, INSIDE, SIMPLE, UNDECIDED, SPLIT = map(np.uint8, range(5))
"""Verdicts of a cell. No point is inside; all are; one smooth and nearly flat piece of surface, if
any; nothing proven at the floor; split into cells."""
VERDICTS = "outside", "inside", "simple", "undecided", "split"
CHUNK = 1 << 16
"""The cells of one call, which takes less than a tenth of a second."""
EACH, TRIED, FEW = 512, 64, 1 / 16
"""Of so many cells so many are tried first, neighbours, and all if no fewer than that share of them
is proven simple."""
ROUNDING = 1.0 + 2.0**-40
"""More than the relative error of the estimate of flatness."""
STEP = 2
"""Levels from one division of the evaluator to the next."""


class Blocks(Protocol):
    """Bounds of the real function over boxes, of which is known in which block they are."""

    def bounds(self, boxes: Any, owners: Any) -> Interval: ...

    def slope_bounds(self, boxes: Any, owners: Any) -> SlopeBounds: ...


class Evaluator(Protocol):
    """Bounds of the real function, in float64: see ``evaluate.evaluator``."""

    def bounds(self, boxes: Any) -> Interval: ...

    def slope_bounds(self, boxes: Any, by: Any) -> SlopeBounds: ...

    @property
    def inputs(self) -> tuple[str, ...]: ...


class Divisible(Evaluator, Protocol):
    """One that may be divided: see ``jit.division``."""

    def divided(self, boxes: Any, keys: Any, bits: int, by: Any) -> Blocks: ...


@dataclass(frozen=True, eq=False)
class Tree:
    """A quadtree or an octree.

    Attributes
    ----------
    frame : Frame
    level : int8[n]
        Of each node; the root is node 0.
    at : int32[n, dimensions]
        The numbers of a node among the cells of its level.
    verdict : uint8[n]
    first_child : int32[n]
        Children are consecutive nodes, the last axis being the fastest; -1 for a leaf.
    blocks : Blocks
        What bounds nodes of the last level.
    last : Cells
        These nodes.
    """

    frame: Frame
    level: NDArray[np.int8]
    at: NDArray[np.int32]
    verdict: NDArray[np.uint8]
    first_child: NDArray[np.int32]
    blocks: Blocks
    last: Cells

    def __len__(self) -> int:
        return len(self.level)

    @property
    def depth(self) -> int:
        """The level of the smallest cells."""
        return int(self.level.max())

    def counts(self) -> dict[str, int]:
        """The number of leaves of each verdict."""
        found = np.bincount(self.verdict, minlength=len(VERDICTS)).tolist()
        return dict(zip(VERDICTS[:-1], found, strict=False))


def offsets(dimensions: int) -> NDArray[np.int32]:
    """int32[2**dimensions, dimensions], the places of children, the last axis being the fastest."""
    return np.stack(
        np.meshgrid(*[np.arange(2, dtype=np.int32)] * dimensions, indexing="ij"), axis=-1
    ).reshape(-1, dimensions)


def subdivide(
    evaluator: Divisible,
    frame: Frame,
    depth: int,
    *,
    tolerance: float,
    coarsest: int = 0,
    watch: Callable[[int, int], None] = lambda _level, _cells: None,
) -> Tree:
    """Split a frame's box down to cells of level ``depth``.

    A cell is simple only from level ``coarsest`` on, and above level ``depth``.
    ``watch`` is called with the level and the number of cells before each part of the work, and may
    raise.
    """
    n, cells = frame.dimensions, Cells.whole(frame)
    blocks = evaluator.divided(cells.boxes(), cells.morton(), 0, evaluator.inputs)
    parts: list[tuple[Any, ...]] = []
    count = 1
    for level in range(depth + 1):
        limit = tolerance if coarsest <= level < depth else None
        verdict = _judged(blocks, cells, limit, watch)
        splits = np.flatnonzero(verdict == UNDECIDED) if level < depth else np.empty(0, np.int64)
        verdict[splits] = SPLIT
        first = np.full(len(cells), -1, np.int32)
        first[splits] = count + (np.arange(len(splits), dtype=np.int32) << n)
        parts.append((np.full(len(cells), level, np.int8), cells.at, verdict, first))
        if not len(splits):
            break
        owners = cells.owners[splits]
        if level > 0 and (depth - level) % STEP == 0:
            parents, bits = cells.some(splits), n * level
            blocks = evaluator.divided(parents.boxes(), parents.morton(), bits, evaluator.inputs)
            owners = np.arange(len(splits), dtype=np.int32)
        cells = cells.children(splits, owners)
        count += len(cells)
    whole = map(np.concatenate, zip(*parts, strict=True))
    return Tree(frame, *whole, blocks=blocks, last=cells)  # type: ignore[arg-type, misc]


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of a level.

    Attributes
    ----------
    frame : Frame
    level : int
    at : int32[m, dimensions]
        Their numbers.
    ends : float64[2 * dimensions, m]
        Their lower corners, by axis, then the upper ones.
    keys : int64[m]
        Their Morton codes.
    owners : int32[m]
        The blocks that they are in.
    """

    frame: Frame
    level: int
    at: NDArray[np.int32]
    ends: NDArray[np.float64]
    keys: NDArray[np.int64]
    owners: NDArray[np.int32]

    @staticmethod
    def whole(frame: Frame) -> Cells:
        """The root."""
        at, none = np.zeros((1, frame.dimensions), np.int32), np.zeros(1, np.int64)
        (lows, highs, _) = zip(*frame.boxes(at, 0), strict=True)
        return Cells(frame, 0, at, np.stack([*lows, *highs]), none, none.astype(np.int32))

    def __len__(self) -> int:
        return len(self.at)

    def some(self, which: NDArray[np.int64]) -> Cells:
        """Some of them."""
        rows = np.take(self.ends, which, axis=1)
        at = np.take(self.at, which, axis=0)
        return Cells(self.frame, self.level, at, rows, self.keys[which], self.owners[which])

    def children(self, which: NDArray[np.int64], owners: NDArray[np.int32]) -> Cells:
        """The children of some, which are in the blocks ``owners``."""
        n = self.frame.dimensions
        count = len(which) << n
        found = Cells(
            self.frame,
            self.level + 1,
            np.empty((count, n), np.int32),
            np.empty((2 * n, count)),
            np.empty(count, np.int64),
            np.empty(count, np.int32),
        )
        run_task(
            c.CHILDREN,
            {c.PARENTS: len(which), c.DIMENSIONS: n, c.LEVEL: found.level},
            {
                "frame": np.array([*self.frame.low, *self.frame.sides]),
                "parents_at": np.take(self.at, which, axis=0),
                "parent_keys": self.keys[which],
                "blocks": owners,
                "at": found.at,
                "boxes": found.ends,
                "keys": found.keys,
                "owners": found.owners,
            },
        )
        return found

    def boxes(self, which: slice = slice(None)) -> list[Interval]:
        """Their sides, or those of some that follow each other."""
        n, ends = self.frame.dimensions, self.ends[:, which]
        flags = np.zeros(ends.shape[1], bool)
        return [Interval(ends[axis], ends[n + axis], flags) for axis in range(n)]

    def morton(self) -> NDArray[np.uint64]:
        """Their Morton codes."""
        found: NDArray[np.uint64] = self.keys.view(np.uint64)
        return found


def _chunks(count: int) -> list[slice]:
    """Parts of so many cells."""
    return [slice(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]


def _judged(
    blocks: Blocks, cells: Cells, tolerance: float | None, watch: Callable[[int, int], None]
) -> NDArray[np.uint8]:
    """The verdicts of cells; which are simple is asked for with a ``tolerance``."""
    parts = []
    for some in _chunks(len(cells)):
        watch(cells.level, len(cells))
        parts.append(blocks.bounds(cells.boxes(some), cells.owners[some]))
    joined = map(np.concatenate, zip(*parts, strict=True))
    bounds = Interval(*joined) if len(parts) > 1 else parts[0]
    verdict = np.empty(len(cells), np.uint8)
    found, open_cells = np.empty_like(cells.ends), np.empty(len(cells), np.int32)
    owners = np.empty(len(cells), np.int32)
    sizes = run_task(
        c.JUDGE,
        {c.ROOM: len(cells), c.DIMENSIONS: cells.frame.dimensions},
        {
            "lower": bounds.lower,
            "upper": bounds.upper,
            "maybe_nan": bounds.maybe_nan.view(np.uint8),
            "boxes": cells.ends,
            "blocks": cells.owners,
            "verdicts": verdict,
            "cells": open_cells,
            "found": found,
            "owners": owners,
        },
    )
    if tolerance is not None:
        count = int(sizes[c.COUNT])
        asked = replace(cells, ends=found[:, :count], owners=owners[:count])
        _mark_simple(blocks, asked, open_cells[:count], verdict, tolerance)
    return verdict


def _mark_simple(
    blocks: Blocks,
    cells: Cells,
    at: NDArray[np.int32],
    verdict: NDArray[np.uint8],
    tolerance: float,
) -> None:
    """Mark the verdicts, whose places are ``at``, of cells that are proven simple.

    Of many cells some are tried first: where hardly any is proven it would not pay to try all.
    """
    if len(at) > EACH:
        starts = np.arange(0, len(at), EACH)
        some = (starts[:, None] + np.arange(TRIED)).reshape(-1)
        some = some[some < len(at)]
        _mark_tried(blocks, cells.some(some), at[some], verdict, tolerance)
        if np.count_nonzero(verdict[at[some]] == SIMPLE) < FEW * len(some):
            return
    _mark_tried(blocks, cells, at, verdict, tolerance)


def _mark_tried(
    blocks: Blocks,
    cells: Cells,
    at: NDArray[np.int32],
    verdict: NDArray[np.uint8],
    tolerance: float,
) -> None:
    sizes = [float(size) for size in cells.frame.sizes(cells.level)]
    for some in _chunks(len(at)):
        found = blocks.slope_bounds(cells.boxes(some), cells.owners[some])
        run_task(
            c.MARK_SIMPLE,
            {c.COUNT: len(at[some]), c.DIMENSIONS: cells.frame.dimensions},
            {
                "lower": found.lower,
                "upper": found.upper,
                "maybe_nan": found.value.maybe_nan.view(np.uint8),
                "limits": np.array([*sizes, tolerance / ROUNDING]),
                "cells": at[some],
                "verdicts": verdict,
            },
        )


def prove_simple(tree: Tree, nodes: NDArray[np.int64], tolerance: float) -> None:
    """Prove undecided nodes of the finest level simple, where that can be."""
    cells = tree.last.some(nodes - (len(tree) - len(tree.last)))
    _mark_simple(tree.blocks, cells, nodes.astype(np.int32), tree.verdict, tolerance)
