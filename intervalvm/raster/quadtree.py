"""The readable quadtree walk: NumPy intervals, ``simplify``, dense leaves. The reference.

``jit.walk`` does the same with kernels. Tile decisions may differ between back ends; pixels do not.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from intervalvm.arith.arrays import CALL_BLOCK
from intervalvm.compiler.pipeline import folded
from intervalvm.evaluate.arithmetic import ARITHMETICS, Arithmetic, Inputs
from intervalvm.evaluate.boxes import Bounds
from intervalvm.evaluate.points import Points, peak_bytes, run
from intervalvm.jit.layout import INSIDE, OUTSIDE, TILE_INSIDE, TILE_OUTSIDE, UNPROVEN
from intervalvm.ops import ROWS
from intervalvm.ops.row import Interval
from intervalvm.raster.job import Counts, Drawn, Job, Progress, verdicts
from intervalvm.raster.maps import Map
from intervalvm.tape import Tape
from intervalvm.tape.shorten import simplify
from intervalvm.words import Meaning

BASE_BYTES, FOLDING_BYTES, CLAUSE_BYTES, STEP_BYTES = 1 << 18, 512, 512, 256
"""Measured bytes: of any walk; of a clause while it is folded, is bounded, in each step."""
TEMPORARIES = 32
"""The most temporary float64 arrays of a rule."""


@dataclass(frozen=True)
class Tile:
    """The cell in ``column`` and row ``line`` of an image cut into 2**level cells a side."""

    level: int
    column: int
    line: int

    def pixels(self, width: int, height: int) -> tuple[slice, slice]:
        """The rows and columns of the cell; sizes differ by at most a pixel, and may be 0."""
        rows = slice((self.line * height) >> self.level, ((self.line + 1) * height) >> self.level)
        columns = (self.column * width) >> self.level, ((self.column + 1) * width) >> self.level
        return rows, slice(*columns)

    def children(self, levels: int) -> list[Tile]:
        """The children of the cell, row by row."""
        side = range(1 << levels)
        column, line = self.column << levels, self.line << levels
        return [Tile(self.level + levels, column + q, line + r) for r in side for q in side]


def draw(job: Job, report: Progress | None, tiles: Sequence[Map] = ()) -> Drawn:
    """Draw a job, or raise DoesNotFit; ``tiles`` are maps of each step's regions to fill."""
    start = time.perf_counter()
    job.require(_peak_bytes(job), "backend='numpy'", "use backend='numba', or more depth")
    arithmetic = ARITHMETICS[job.meaning](job.dtype)
    tape = folded(job.tape, arithmetic, job.settings)
    compiling = time.perf_counter() - start
    walk = Walk(job, arithmetic, report, tiles)
    walk.split(tape, Tile(0, 0, 0), 0)
    return Drawn(walk.pixels, walk.counts, compiling)


def _peak_bytes(job: Job) -> int:
    """The peak memory of folding the tape and of its walk, without the image.

    A split, and a leaf in a proof, keeps the intervals of all clauses for their choices.
    """
    n, level, proves = len(job.tape), sum(job.steps), job.prove is not None
    leaf = [min(side, (side >> level) + 1) for side in job.shape]
    points = leaf[0] * leaf[1]
    boxes = max(points if proves else 0, *(1 << 2 * bits for bits in job.steps))
    work = n * (boxes * (2 * job.dtype.itemsize + 1) + CLAUSE_BYTES)
    if not proves:
        inputs = {"x": (1, leaf[1]), "y": (leaf[0], 1), "z": ()}
        inputs |= dict.fromkeys(job.tape.variables, ())
        arrays = peak_bytes(job.tape, inputs, job.dtype)
        work = max(work, arrays + n * CLAUSE_BYTES + 2 * points * job.dtype.itemsize)
    work += TEMPORARIES * 8 * (max(boxes, points) if proves else min(points, CALL_BLOCK))
    return BASE_BYTES + max(n * FOLDING_BYTES, work + n * len(job.steps) * STEP_BYTES)


class Walk:
    """A walk fills the pixels of a job: with verdicts if the arithmetic is that of reals."""

    def __init__(
        self,
        job: Job,
        arithmetic: Arithmetic,
        progress: Progress | None = None,
        tiles: Sequence[Map] = (),
    ) -> None:
        self.job, self.arithmetic, self.progress, self.tiles = job, arithmetic, progress, tiles
        self.pixels = job.canvas()
        self.counts = [Counts() for _ in job.steps]
        self.done = 0

    def split(self, tape: Tape, tile: Tile, step: int) -> None:
        """Bound the tape over the children of ``tile``; fill what is proven, split the rest."""
        height, width = self.pixels.shape
        children = [
            (child, rows, columns)
            for child in tile.children(self.job.steps[step])
            for rows, columns in [child.pixels(width, height)]
            if rows.stop > rows.start and columns.stop > columns.start
        ]
        (x, y), (x_upper, y_upper) = self.job.sides
        x_low = np.array([x[columns.start] for _, _, columns in children])
        x_high = np.array([x_upper[columns.stop - 1] for _, _, columns in children])
        y_low = np.array([y[rows.stop - 1] for _, rows, _ in children])
        y_high = np.array([y_upper[rows.start] for _, rows, _ in children])
        found = self.bounds(tape, x_low, x_high, y_low, y_high)
        trace = found.trace
        inside, outside = self.proven(found.root)
        del found  # the intervals of all clauses
        count = self.counts[step]
        count.regions += len(children)
        count.inside += int(inside.sum())
        count.outside += int(outside.sum())
        for k, (child, rows, columns) in enumerate(children):
            if inside[k] or outside[k]:
                self.note(step, child, TILE_INSIDE if inside[k] else TILE_OUTSIDE)
            if inside[k]:
                self.pixels[rows, columns] = 255
                count.inside_px += self.pixels[rows, columns].size
            elif not outside[k]:
                short = simplify(tape, trace, k)
                count.ambiguous += 1
                clauses = sum(ROWS[code].arity > 0 for code in short.codes.tolist())
                count.clauses += clauses
                self.note(step, child, clauses)
                if step + 1 < len(self.job.steps):
                    self.split(short, child, step + 1)
                    continue
                self.leaf(short, rows, columns)
            self.report(self.pixels[rows, columns].size)

    def note(self, step: int, tile: Tile, found: int) -> None:
        """Write what is known of a tile into the map of a step, if maps are asked for."""
        if self.tiles:
            self.tiles[step][tile.line, tile.column] = found

    def bounds(self, tape: Tape, x_low: Any, x_high: Any, y_low: Any, y_high: Any) -> Bounds:
        """Bounds over boxes: arrays of one shape."""
        never = np.zeros(x_low.shape, bool)
        axes = {"var-x": Interval(x_low, x_high, never), "var-y": Interval(y_low, y_high, never)}
        return self.arithmetic.bounds(tape, Inputs(axes), sign_only=self.job.is_bitmap)

    def proven(self, root: Interval) -> tuple[Any, Any]:
        """The masks of inside and outside boxes.

        With values there are none: each pixel has its own.
        """
        if not self.job.is_bitmap:
            never = np.zeros(root.lower.shape, bool)
            return never, never
        return decided(root, self.arithmetic.meaning)

    def leaf(self, tape: Tape, rows: slice, columns: slice) -> None:
        """Evaluate every pixel of a tile."""
        (x, y), (x_upper, y_upper) = self.job.sides
        if self.arithmetic.meaning is Meaning.REAL:
            sides = np.broadcast_arrays(
                x[None, columns], x_upper[None, columns], y[rows, None], y_upper[rows, None]
            )
            root = self.bounds(tape, *(side.ravel() for side in sides)).root
            values: Any = verdicts(root).reshape(sides[0].shape)
            inside = int(np.count_nonzero(values == INSIDE))
            self.counts[-1].unproven_px += int(np.count_nonzero(values == UNPROVEN))
        else:
            values = run(Points.of(tape, {"x": x[None, columns], "y": y[rows, None]}, x.dtype))
            inside = int(np.count_nonzero(values < 0))
            if self.job.is_bitmap:
                values = np.where(values < 0, INSIDE, OUTSIDE)
        self.pixels[rows, columns] = values
        self.counts[-1].evaluated_px += values.size
        self.counts[-1].inside_px += inside

    def report(self, pixels: int) -> None:
        self.done += pixels
        if self.progress is not None:
            self.progress(self.done, self.pixels.size)


def decided(root: Interval, meaning: Meaning) -> tuple[Any, Any]:
    """The masks of boxes that bounds prove inside, and outside; a real function has no NaN."""
    outside = root.lower >= 0
    return (root.upper < 0) & ~root.maybe_nan, (
        outside & ~root.maybe_nan if meaning is Meaning.FLOAT else outside
    )
