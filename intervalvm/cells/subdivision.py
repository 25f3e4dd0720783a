"""Subdivision: cells are split, level by level, until the real function is proven over each.

A tree is made of whole levels, by calls of an evaluator on arrays. The nodes of a level are in the
order of their parents, which is Morton order: neighbours in an array are near each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intervalvm.cells.frame import Frame
from intervalvm.ops.row import Interval

OUTSIDE, INSIDE, SIMPLE, UNDECIDED, SPLIT = map(np.uint8, range(5))
"""Verdicts of a cell. No point is inside; all are; one smooth and nearly flat piece of surface, if
any; nothing proven at the floor; split into cells."""
VERDICTS = "outside", "inside", "simple", "undecided", "split"
CHUNK = 1 << 16
"""The cells of one call, which takes less than a tenth of a second."""
ROUNDING = 1.0 + 2.0**-40
"""More than the relative error of the estimate of flatness."""


class Evaluator(Protocol):
    """Bounds of the real function, in float64: see ``evaluate.evaluator``."""

    def bounds(self, boxes: Any) -> Interval: ...

    def slope_bounds(self, boxes: Any, by: Any) -> Any: ...

    @property
    def inputs(self) -> tuple[str, ...]: ...


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
    """

    frame: Frame
    level: NDArray[np.int8]
    at: NDArray[np.int32]
    verdict: NDArray[np.uint8]
    first_child: NDArray[np.int32]

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
    evaluator: Evaluator,
    frame: Frame,
    depth: int,
    *,
    tolerance: float,
    coarsest: int = 0,
    watch: Callable[[int, int], None] = lambda _level, _cells: None,
) -> Tree:
    """Split a frame's box down to cells of level ``depth``.

    A cell is simple only from level ``coarsest`` on, see ``is_simple``. ``watch`` is called with
    the level and the number of cells before each part of the work, and may raise.
    """
    n = frame.dimensions
    at, places = np.zeros((1, n), np.int32), offsets(n)
    parts: list[tuple[Any, ...]] = []
    count = 1
    for level in range(depth + 1):
        verdict = np.empty(len(at), np.uint8)
        for start in range(0, len(at), CHUNK):
            watch(level, len(at))
            some = slice(start, start + CHUNK)
            verdict[some] = _judged(evaluator, frame, at[some], level, tolerance, level >= coarsest)
        splits = np.flatnonzero(verdict == UNDECIDED) if level < depth else np.empty(0, np.int64)
        verdict[splits] = SPLIT
        first = np.full(len(at), -1, np.int32)
        first[splits] = count + np.arange(len(splits), dtype=np.int32) * len(places)
        parts.append((np.full(len(at), level, np.int8), at, verdict, first))
        if not len(splits):
            break
        at = (2 * at[splits, None, :] + places).reshape(-1, n)
        count += len(at)
    return Tree(frame, *map(np.concatenate, zip(*parts, strict=True)))


def _judged(
    evaluator: Evaluator,
    frame: Frame,
    at: NDArray[np.int32],
    level: int,
    tolerance: float,
    may_be_simple: bool,
) -> NDArray[np.uint8]:
    boxes = frame.boxes(at, level)
    bounds = evaluator.bounds(boxes)
    verdict = np.full(len(at), UNDECIDED)
    # a point where the function is undefined is outside
    verdict[bounds.lower >= 0.0] = OUTSIDE
    verdict[(bounds.upper < 0.0) & ~bounds.maybe_nan] = INSIDE
    if may_be_simple:
        open_cells = np.flatnonzero((verdict == UNDECIDED) & ~bounds.maybe_nan)
        some = [Interval(*(part[open_cells] for part in side)) for side in boxes]
        slopes = evaluator.slope_bounds(some, evaluator.inputs)
        simple = is_simple(slopes.lower, slopes.upper, frame.sizes(level), tolerance)
        verdict[open_cells[simple]] = SIMPLE
    return verdict


def is_simple(
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    sizes: tuple[NDArray[np.float64], ...],
    tolerance: float,
) -> NDArray[np.bool_]:
    """Where bounds of the gradient, [dimensions, m], prove one smooth and nearly flat piece.

    Let g be the middle of the bounds, and r half of their widths. The function grows along g if
    g . s > 0 for each gradient s within them: so the surface is a graph over the plane across g.
    The values at two points p, q differ by s . (p - q) for some s within the bounds, as a path
    along one axis after the other shows. Points of the surface have g . (p - q) = (g - s) . (p - q)
    then. So all of it lies within ``sum(r[i] * sizes[i]) / abs(g)`` of a plane through any of its
    points: at most ``tolerance``.
    """
    with np.errstate(all="ignore"):
        middle, half = lower * 0.5 + upper * 0.5, upper * 0.5 - lower * 0.5
        # rows are added one by one: by ``sum`` along so short an axis it takes three times as long
        grows = sum(np.minimum(middle * lower, middle * upper)) > 0.0
        length = np.sqrt(sum(middle * middle))
        away = sum(r * size for r, size in zip(half, sizes, strict=True)) / length
        found: NDArray[np.bool_] = grows & (away * ROUNDING <= tolerance)
    return found
