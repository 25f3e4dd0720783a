"""Many points through a tree: sorted into cells, each evaluated by its cell's program.

The inputs that are arrays, up to three, are the axes of the tree; one that is a number is a
constant of its program. See ``cells`` for the kernels and ``descent`` for how programs get shorter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.plain import plain_program
from intervalvm.compiler.program import INPUTS, Program
from intervalvm.evaluate.points import input_of
from intervalvm.gpu import device as gpu
from intervalvm.gpu import devices
from intervalvm.gpu import layout as c
from intervalvm.gpu.cells import LOCAL_PLACES
from intervalvm.gpu.descent import SHORT_LEAF, Descent, Launch
from intervalvm.gpu.kernels import Kernel
from intervalvm.ops import AXES, CODE, ROWS
from intervalvm.tape import NONE, Tape

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
MOST_TREES = 4
"""Trees whose memory an evaluator keeps."""
MOST_CELLS = 1 << c.CHILD_BITS * MOST_STEPS
LEAST = float(np.finfo(np.float64).tiny)
LEAVES = ("cell_values", "cell_values_long")
HAS_CHOICE = np.array([op.has_choice for op in ROWS])


def steps_for(clauses: int, count: int) -> int:
    """How many steps pay for some points; 0 for no tree."""
    if clauses * count < LEAST_WORK:
        return 0
    steps = 0
    while steps < MOST_STEPS and count >= CELL_POINTS << c.CHILD_BITS * (steps + 1):
        steps += 1
    return steps


@dataclass(frozen=True)
class AxesProgram:
    """The plain program of a tape over axes; other inputs are constants of it.

    ``numbers`` are the places of those in its pool, by name of the input.
    """

    program: Program
    numbers: tuple[tuple[int, str], ...]

    @staticmethod
    def of(tape: Tape, axes: Sequence[str], dtype: np.dtype[Any]) -> AxesProgram:
        codes, left = tape.codes.copy(), tape.left.copy()
        code_of = dict(zip(axes, map(CODE.__getitem__, AXES.values()), strict=False))
        fixed = {}
        for i in np.flatnonzero(np.array([op.is_input for op in ROWS])[codes]).tolist():
            name = input_of(tape, i)
            if name is not None:
                codes[i], left[i] = code_of.get(name, CODE["const"]), NONE
                if name not in axes:
                    fixed[i] = name
        arrays = codes, left, tape.right.copy(), tape.wide.copy(), tape.single.copy()
        program = plain_program(Tape.of_arrays(arrays, ()), dtype)
        places = np.cumsum(codes == CODE["const"]) - 1
        return AxesProgram(program, tuple((int(places[i]), name) for i, name in fixed.items()))


class Tree(Descent):
    """A program over axes prepared for a number of steps, with its memory. Not thread-safe."""

    def __init__(self, device: devices.Device, of: AxesProgram, steps: int) -> None:
        regions = [1 << c.CHILD_BITS * step for step in range(steps + 1)]
        arena = min(MOST_ARENA, free_words(device))
        super().__init__(device, of.program, regions, [c.CELL_PARTS] * steps, arena)
        self.steps, self.cells, self.numbers = steps, regions[-1], of.numbers
        self._kernels = {
            kind: Kernel(kind, self.dtype.name, tame=False, is_bitmap=False)
            for kind in ("extremes", "find_cells", "sort", "divide", *LEAVES)
        }
        for kernel in self._kernels.values():
            device.load(kernel)
        self._plan_division(self._kernels["divide"])
        self._plan_leaves()
        self._take_memory()
        self._there = device.empty(len(self._control), np.int64)
        self._leaves = device.empty(self.cells + 1, np.int32)

    def _plan_leaves(self) -> None:
        """A launch for programs whose values fit into local memory, and those of longer ones."""
        (short, long), last = (self._kernels[kind] for kind in LEAVES), self.steps
        most, threads, local = self.device.leaf_blocks, self.device.paint_threads, LOCAL_PLACES
        self.launches.append(Launch(short, last, -1, local - INPUTS, most, threads))
        if self.n > local - INPUTS:
            middle = Launch(long, last, local - INPUTS, min(self.n, SHORT_LEAF), most, threads)
            self.launches.append(middle)
        if self.n > SHORT_LEAF:
            whole = Launch(long, last, SHORT_LEAF, self.n, most, threads)
            self.launches.append(self._fitting(whole))

    # --- points -------------------------------------------------------------------------------

    def run(self, axes: Sequence[Any], numbers: Mapping[str, Any], out: Any) -> bool:
        """Write the values at points to ``out``; False if nothing divides them.

        ``axes`` and ``out`` are flat arrays of one length, ``numbers`` arrays of no dimension.
        """
        device, count = self.device, len(out)
        x, y, z = (axes[k] if k < len(axes) else axes[0] for k in range(INPUTS))
        ends = self._ends(axes)
        control, edges, frames = self._divided(ends, len(axes))
        if edges is None:
            return False
        self._set_numbers(numbers)
        device.upload(self._there, control)
        table = device.array(edges)
        starts, order = self._sorted((x, y, z), count, table, device.array(frames))

        def launch(first: int) -> None:
            self._launch(first, table, starts, order, (x, y, z), out)

        self._set_leaves(outside=0)
        launch(0)
        found = device.host(self._there)
        if self._unfinished(found) is not None:

            def again(step: int) -> None:
                self._set_leaves(outside=-1)
                launch(step)

            self._finish(self._there, found, again)
        return True

    def _set_leaves(self, outside: int) -> None:
        """No cell has a program yet; points in none have the root's, or none."""
        self._leaves[: self.cells] = -1
        self._leaves[self.cells :] = outside

    def _set_numbers(self, numbers: Mapping[str, Any]) -> None:
        for place, name in self.numbers:
            self.constants[place : place + 1] = numbers[name].reshape(1)

    def _ends(self, axes: Sequence[Any]) -> NDArray[Any]:
        """The least and the greatest finite number of each axis."""
        ends = self.device.array(np.array([np.inf, -np.inf] * len(axes), self.dtype))
        for axis, numbers in enumerate(axes):
            self._each("extremes", len(numbers), axis, numbers, ends)
        return self.device.host(ends).reshape(-1, 2).astype(np.float64)

    def _divided(self, ends: NDArray[Any], axes: int) -> tuple[Any, Any, Any]:
        """``control``, the edges of cells, and what finds them; None if all points are alike."""
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

    def _sorted(self, axes: Sequence[Any], count: int, edges: Any, frames: Any) -> tuple[Any, Any]:
        """Where each cell starts, and the words of the points in order."""
        device, module, numbers = self.device, self.device.module, np.int32
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
        self, first: int, edges: Any, starts: Any, order: Any, axes: Sequence[Any], out: Any
    ) -> None:
        """Launch the steps from ``first`` on, and the points."""
        count, device, there = len(out), self.device, self._there
        for launch in self.launches:
            if launch.step < first:
                continue
            lengths = launch.shortest, launch.longest
            if launch.divides:
                device.launch(
                    launch.kernel, launch.blocks, launch.threads, launch.step, *lengths,
                    there, edges, starts, self.constants, self.programs, self.items,
                    self.values, self.words, self._leaves,
                )  # fmt: skip
            else:
                device.launch(
                    launch.kernel, launch.blocks, launch.threads, *lengths, count, self.cells,
                    there, starts, order, self._leaves, self.items, self.constants, self.programs,
                    *axes, out, *([self.values] if launch.kernel.kind != LEAVES[0] else []),
                )  # fmt: skip


def free_words(device: devices.Device) -> int:
    """Words of a step's arena that the memory of a device allows: a sixteenth of what is free."""
    if device.module is np:
        return MOST_ARENA
    return gpu.free_bytes() // 64


class Trees:
    """The trees of an evaluator's tape: one for each choice of axes and number of steps."""

    def __init__(self, tape: Tape, dtype: np.dtype[Any]) -> None:
        self.tape, self.dtype = tape, dtype
        self.has_choices = bool(HAS_CHOICE[tape.codes].any())
        self._programs: dict[tuple[str, ...], AxesProgram] = {}
        self._idle: dict[Any, list[Tree]] = {}

    def values(self, points: Mapping[str, Any], shape: tuple[int, ...], out: Any) -> bool:
        """Write the values at points to a contiguous array; False if a tree does not pay.

        ``points`` are arrays of the device, of the inputs that the tape reads.
        """
        count = math.prod(shape)
        steps = steps_for(len(self.tape), count) if self.has_choices else 0
        axes = tuple(name for name, array in points.items() if array.ndim and array.size > 1)
        if not steps or not 1 <= len(axes) <= INPUTS:
            return False
        device = devices.current()
        flat = [_flat(device, points[name], shape) for name in axes]
        numbers = {name: array for name, array in points.items() if name not in axes}
        results = out.reshape(-1)
        with self._tree(device, axes, steps) as tree:
            for start in range(0, count, MOST_POINTS):
                some = slice(start, start + MOST_POINTS)
                if not tree.run([array[some] for array in flat], numbers, results[some]):
                    return False
        return True

    @contextmanager
    def _tree(self, device: devices.Device, axes: tuple[str, ...], steps: int) -> Iterator[Tree]:
        """A tree that no other thread uses; after an exception it is dropped."""
        key = device, axes, steps
        try:
            tree = self._idle.get(key, []).pop()
        except IndexError:
            if axes not in self._programs:
                self._programs[axes] = AxesProgram.of(self.tape, axes, self.dtype)
            tree = Tree(device, self._programs[axes], steps)
        yield tree
        if key not in self._idle:
            while len(self._idle) >= MOST_TREES:
                self._idle.pop(next(iter(self._idle)), None)
        self._idle.setdefault(key, []).append(tree)


def _flat(device: devices.Device, array: Any, shape: tuple[int, ...]) -> Any:
    """An array broadcast to a shape, as one of one dimension."""
    module = device.module
    return module.ascontiguousarray(module.broadcast_to(array, shape)).reshape(-1)
