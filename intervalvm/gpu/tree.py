"""Many points through a tree: sorted into cells, each evaluated by its cell's program.

The inputs that are arrays, up to three, are the axes of the tree. See ``axes`` for its program,
``cells`` for the kernels, and ``descent`` for how programs get shorter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.pipeline import balanced
from intervalvm.compiler.program import INPUTS
from intervalvm.errors import DoesNotFit
from intervalvm.evaluate.arithmetic import Floats
from intervalvm.gpu import devices
from intervalvm.gpu import layout as c
from intervalvm.gpu.axes import AxesProgram
from intervalvm.gpu.descent import SHORT_LEAF, Descent, Launch
from intervalvm.gpu.device import device_errors
from intervalvm.gpu.kernels import Kernel
from intervalvm.gpu.layout import LOCAL_PLACES
from intervalvm.jit.points import HAS_CHOICE
from intervalvm.late import cached_property
from intervalvm.memory import WORTH_ASKING
from intervalvm.tape import Tape

CELL_POINTS = 64
"""There are as many points as cells of the last step, times this."""
MOST_STEPS = 3
LEAST_WORK = 1 << 28
"""Clauses times points from which a tree pays: an estimate, for no GPU has told."""
MOST_POINTS = 1 << 27
"""Points that are sorted together."""
POINT_BYTES = 16
"""What the sorting of a point takes: its cell, its rank, its word in the order."""
MOST_ARENA = 1 << 26
"""Words for the programs of a step's cells: 256 MiB."""
SHARE = 16
"""1 / SHARE of the free bytes is the most that they take."""
MOST_TREES = 4
"""Trees whose memory an evaluator keeps."""
ROOT, NOWHERE = 0, -1
"""Where in ``items`` the program of a cell is: the whole one; none."""
MOST_CELLS = 1 << c.CHILD_BITS * MOST_STEPS
LEAST = float(np.finfo(np.float64).tiny)
"""The least width of a cell, so that as many cells as are in 1 are a finite number."""


def steps_for(clauses: int, count: int) -> int:
    """How many steps pay for some points; 0 for no tree."""
    if clauses * count < LEAST_WORK:
        return 0
    steps = 0
    while steps < MOST_STEPS and count >= CELL_POINTS << c.CHILD_BITS * (steps + 1):
        steps += 1
    return steps


class Tree(Descent):
    """A program over axes prepared for a number of steps, with its memory. Not thread-safe."""

    def __init__(self, device: devices.Device, of: AxesProgram, steps: int) -> None:
        regions = [1 << c.CHILD_BITS * step for step in range(steps + 1)]
        arena = min(MOST_ARENA, device.free_bytes() // SHARE // np.dtype(np.uint32).itemsize)
        super().__init__(device, of.program, regions, [c.CELL_PARTS] * steps, arena)
        self.steps, self.cells, self.of = steps, regions[-1], of
        is_dual = bool(of.directions)
        leaves = ("cell_duals",) if is_dual else ("cell_values", "cell_values_long")
        divide = "divide_strict" if is_dual else "divide"
        self._kernels = {
            kind: Kernel(kind, self.dtype.name, tame=False, is_bitmap=False)
            for kind in ("extremes", "find_cells", "sort", divide, *leaves)
        }
        for kernel in self._kernels.values():
            device.load(kernel)
        self._plan_division(self._kernels[divide])
        self._plan_leaves([self._kernels[kind] for kind in leaves])
        self._take_memory()
        self._there = device.empty(len(self._control), np.int64)
        self._leaf_items = device.empty(self.cells + 1, np.int32)

    def _plan_leaves(self, kernels: Sequence[Kernel]) -> None:
        """A launch for programs whose values fit into local memory, and those of longer ones."""
        last, most, threads = self.steps, self.device.leaf_blocks, self.device.paint_threads
        local = LOCAL_PLACES - INPUTS
        if len(kernels) > 1:
            self.launches.append(Launch(kernels[0], last, -1, local, most, threads))
        shortest = local if len(kernels) > 1 else -1
        if self.n > shortest:
            middle = min(self.n, SHORT_LEAF)
            self.launches.append(Launch(kernels[-1], last, shortest, middle, most, threads))
        if self.n > SHORT_LEAF:
            whole = Launch(kernels[-1], last, SHORT_LEAF, self.n, most, threads)
            self.launches.append(self._fitting(whole))

    # --- points -------------------------------------------------------------------------------

    def run(self, axes: Sequence[Any], numbers: Mapping[str, Any], results: Sequence[Any]) -> bool:
        """Write what is asked for at points to ``results``; False if nothing divides them.

        ``axes`` are flat arrays of one length, ``numbers`` arrays of no dimension, ``results`` the
        last arguments of the kernels of leaves, from ``out`` on.
        """
        device = self.device
        points = [axes[k] if k < len(axes) else axes[0] for k in range(INPUTS)]
        control, edges, frames = self._divided(self._ends(axes), len(axes))
        if edges is None:
            return False
        for place, name in self.of.numbers:
            self.constants[place : place + 1] = numbers[name].reshape(1)
        device.upload(self._there, control)
        table = device.array(edges)
        starts, order = self._sorted(points, table, device.array(frames))

        def launch(first: int, outside: int) -> None:
            self._set_leaves(outside)
            self._launch(first, table, starts, order, points, results)

        launch(0, ROOT)
        found = device.host(self._there)
        if self._unfinished(found) is not None:
            self._finish(self._there, found, lambda step: launch(step, NOWHERE))
        return True

    def _set_leaves(self, outside: int) -> None:
        """No cell has a program yet; points in none have the root's, or none."""
        self._leaf_items[: self.cells] = NOWHERE
        self._leaf_items[self.cells :] = outside

    def _ends(self, axes: Sequence[Any]) -> NDArray[Any]:
        """The least and the greatest finite number of each axis."""
        ends = self.device.array(np.array([np.inf, -np.inf] * len(axes), self.dtype))
        for axis, numbers in enumerate(axes):
            self._each("extremes", len(numbers), axis, numbers, ends)
        return self.device.host(ends).reshape(-1, 2).astype(np.float64)

    def _divided(self, ends: NDArray[Any], axes: int) -> tuple[Any, Any, Any]:
        """``control``, ``edges`` and ``frames``, see ``cells``; no edges for points all alike."""
        control = self._control.copy()
        frames = np.zeros((INPUTS, 2))
        widths = [high - low for low, high in ends.tolist()]
        wide = [k for k in range(axes) if MOST_CELLS * LEAST < widths[k] < np.inf]
        if not wide:
            return control, None, frames
        bits = [c.CHILD_BITS // len(wide) if k in wide else 0 for k in range(INPUTS)]
        control[[c.BITS_X, c.BITS_Y, c.BITS_Z]] = bits
        edges = [np.array([-np.inf, np.inf], self.dtype)] * INPUTS
        for k, (low, high) in enumerate(ends.tolist()):
            edges[k] = np.array([low, high], self.dtype)
            if bits[k]:
                cells = 1 << bits[k] * self.steps
                between = low + (high - low) * (np.arange(cells + 1) / cells)
                rounded = np.minimum(between, high).astype(self.dtype)
                rounded[-1] = high
                edges[k] = np.maximum.accumulate(rounded)
                frames[k] = low, cells / (high - low)
        control[c.EDGES_Y] = len(edges[0])
        control[c.EDGES_Z] = len(edges[0]) + len(edges[1])
        return control, np.concatenate(edges), frames.ravel()

    def _sorted(self, axes: Sequence[Any], edges: Any, frames: Any) -> tuple[Any, Any]:
        """``starts`` and ``order``: see ``cells``."""
        device, module, numbers, count = self.device, self.device.module, np.int32, len(axes[0])
        cells, ranks = (device.empty(count, numbers) for _ in range(2))
        counts = module.zeros(self.cells + 1, numbers)
        parts = self._there, edges, frames, *axes, cells, ranks, counts
        self._each("find_cells", count, self.cells, *parts)
        starts = module.zeros(self.cells + 2, numbers)
        starts[1:] = module.cumsum(counts, dtype=numbers)
        order = device.empty(count, np.int64)
        self._each("sort", count, cells, ranks, starts, order)
        return starts, order

    def _each(self, kind: str, count: int, *arguments: Any) -> None:
        """Launch a kernel for ``count`` points."""
        threads = self.device.paint_threads
        blocks = min(-(-count // threads), self.device.leaf_blocks)
        self.device.launch(self._kernels[kind], blocks, threads, count, *arguments)

    def _launch(
        self,
        first: int,
        edges: Any,
        starts: Any,
        order: Any,
        axes: Sequence[Any],
        results: Sequence[Any],
    ) -> None:
        """Launch the steps from ``first`` on, and the points."""
        device, there, (out, *more) = self.device, self._there, results
        for launch in self.launches:
            if launch.step < first:
                continue
            lengths = launch.shortest, launch.longest
            if launch.divides:
                device.launch(
                    launch.kernel, launch.blocks, launch.threads, launch.step, *lengths,
                    there, edges, starts, self.constants, self.programs, self.items,
                    self.values, self.words, self._leaf_items,
                )  # fmt: skip
            else:
                device.launch(
                    launch.kernel, launch.blocks, launch.threads, *lengths, len(axes[0]),
                    self.cells, there, starts, order, self._leaf_items, self.items, self.constants,
                    self.programs, *axes, out, *([self.values] if launch.numbers else []),
                    *more, *self.of.directions,
                )  # fmt: skip


def most_points(device: devices.Device, count: int) -> int:
    """How many of ``count`` points are sorted together: half of what is free is for them."""
    if count * POINT_BYTES < WORTH_ASKING:
        return min(count, MOST_POINTS)
    return max(1, min(count, MOST_POINTS, device.free_bytes() // (2 * POINT_BYTES)))


class Trees:
    """The trees of an evaluator's tape: one for each choice of axes and number of steps."""

    def __init__(self, tape: Tape, dtype: np.dtype[Any]) -> None:
        self.tape, self.dtype = tape, dtype
        self.has_choices = bool(HAS_CHOICE[tape.codes].any())
        self._programs: dict[Any, AxesProgram] = {}
        self._idle: dict[Any, Tree] = {}

    def values(self, points: Mapping[str, Any], shape: tuple[int, ...], out: Any) -> bool:
        """Write the values at points to a contiguous array; False if a tree does not pay or fit.

        ``points`` are arrays of the device, of the inputs that the tape reads.
        """
        flat = out.reshape(-1)
        return self._run(points, shape, (), lambda some: [flat[some]])

    def duals(
        self,
        points: Mapping[str, Any],
        shape: tuple[int, ...],
        along: tuple[str, ...],
        out: Any,
        marks: Any,
        rows: Sequence[int],
    ) -> bool:
        """Write values and slopes along inputs to rows of ``out``, and ``marks``: see ``points``.

        False if a tree does not pay or fit, or a clause may jump.
        """
        flat, total = (out.reshape(-1), marks.reshape(-1)), marks.size
        return self._run(points, shape, along, lambda some: [*flat, some.start, total, *rows])

    def _run(
        self,
        points: Mapping[str, Any],
        shape: tuple[int, ...],
        along: tuple[str, ...],
        results: Callable[[slice], Sequence[Any]],
    ) -> bool:
        count = math.prod(shape)
        steps = steps_for(len(self.tape), count) if self.has_choices else 0
        axes = tuple(name for name, array in points.items() if array.size > 1 or name in along)
        if not steps or not 1 <= len(axes) <= INPUTS or not self._program(axes, along).prunes:
            return False
        try:
            with device_errors():
                return self._fill(points, shape, axes, along, steps, results)
        except DoesNotFit:  # where nothing is sorted, less memory is enough
            self._idle = {}
            return False

    def _fill(
        self,
        points: Mapping[str, Any],
        shape: tuple[int, ...],
        axes: tuple[str, ...],
        along: tuple[str, ...],
        steps: int,
        results: Callable[[slice], Sequence[Any]],
    ) -> bool:
        """Run a tree for as many points at a time as there is memory for."""
        device, count = devices.current(), math.prod(shape)
        flat = [_flat(device, points[name], shape) for name in axes]
        numbers = {name: array for name, array in points.items() if name not in axes}
        with self._tree(device, axes, along, steps) as tree:
            together = most_points(device, count)
            if together < min(count, CELL_POINTS << c.CHILD_BITS * steps):
                return False
            for start in range(0, count, together):
                some = slice(start, start + together)
                if not tree.run([array[some] for array in flat], numbers, results(some)):
                    return False
        return True

    @cached_property
    def _balanced(self) -> Tape:
        """The tape for values: in balanced chains are fewer waves, and shorter programs.

        Not for derivatives, where slopes on a tie are compared in the chain's order.
        """
        return balanced(self.tape, Floats(self.dtype))

    def _program(self, axes: tuple[str, ...], along: tuple[str, ...]) -> AxesProgram:
        found = self._programs.get((axes, along))
        if found is None:
            if len(self._programs) >= MOST_TREES:
                self._programs = {}
            tape = self.tape if along else self._balanced
            found = AxesProgram.of(tape, axes, self.dtype, along)
            self._programs[axes, along] = found
        return found

    @contextmanager
    def _tree(
        self, device: devices.Device, axes: tuple[str, ...], along: tuple[str, ...], steps: int
    ) -> Iterator[Tree]:
        """A tree that no other thread uses; after an exception it is dropped."""
        key = device, axes, along, steps
        tree = self._idle.pop(key, None) or Tree(device, self._program(axes, along), steps)
        yield tree
        while len(self._idle) >= MOST_TREES:
            self._idle.pop(next(iter(self._idle), None), None)
        self._idle[key] = tree  # of threads that ran side by side one leaves its own


def _flat(device: devices.Device, array: Any, shape: tuple[int, ...]) -> Any:
    """An array broadcast to a shape, as one of one dimension."""
    module = device.module
    return module.ascontiguousarray(module.broadcast_to(array, shape)).reshape(-1)
