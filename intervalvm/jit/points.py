"""Values and derivatives at points, by the kernels of ``scatter``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.compiler.program import INPUTS, RECORD_BYTES, Program
from intervalvm.evaluate.points import input_of
from intervalvm.jit import layout as c
from intervalvm.jit import native
from intervalvm.jit import point_request as p
from intervalvm.jit import request as r
from intervalvm.jit.few import MOST_FEW, Few
from intervalvm.jit.layout import LANES
from intervalvm.jit.request import GROUP
from intervalvm.late import cached_property
from intervalvm.memory import address_of, aligned, require
from intervalvm.ops import ROWS
from intervalvm.tape import Tape

Arrays = Sequence[NDArray[Any]]
BUDGET = 100_000_000
"""Records x lanes of a call of a kernel, after which Python may handle an interrupt: some 10 ms."""
MOST_SLOT_BYTES = 1 << 28
"""The slots of a workspace take no more, unless one group does."""
TOGETHER = 1 << 18
"""Points that are sorted together."""
COSTS = {
    "points": np.array([1.0, 3.0, 5.0, 6.0, 9.0, 8.0]),
    "duals": np.array([4.0, 3.0, 5.0, 6.0, 9.0, 8.0]),
}
"""What pays, measured on prospero.vm: see ``point_request``."""
FIRST_RATE = 75
"""What is expected of a tape's first split: see ``best_bits`` of ``scatter``."""
MOST_RATE = 95
"""A tape that has not got shorter is tried again with many more points."""
MOST_DUALS = 8
"""Programs for derivatives that an evaluator keeps: one for each choice of inputs."""
MOST_ARENA = 1 << 22
"""Records of the arena beyond a program: 64 MiB."""


class DualProgram(NamedTuple):
    """The records of a program for derivatives along up to ``DIRECTIONS`` inputs."""

    records: NDArray[np.uint32]
    prunes: bool
    """Whether cells may get shorter programs: no clause may jump."""


class PointEvaluator:
    """A plain program of a tape, its clauses' ``places``, and idle workspaces."""

    def __init__(
        self, tape: Tape, inputs: tuple[str, ...], program: Program, places: NDArray[Any]
    ) -> None:
        self.tape, self.inputs, self.program, self.places = tape, inputs, program, places
        read = {input_of(tape, i) for i in np.flatnonzero(IS_INPUT[tape.codes]).tolist()}
        self.reads = [name in read for name in inputs]
        self.has_choices = bool(HAS_CHOICE[tape.codes].any())
        self._duals: dict[tuple[str, ...], DualProgram] = {}
        self._idle: list[Workspace] = []

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.program.constants.dtype

    def values(self, points: Arrays, shape: tuple[int, ...], out: NDArray[Any]) -> None:
        """Write the values at points, which broadcast to ``shape``, to a contiguous array."""
        count = math.prod(shape)
        if count <= MOST_FEW:
            work = self._taken()
            work.few.values(points, shape, count, out)
            self._idle.append(work)
            return
        with self._workspace() as work:
            given = work.enter(points, shape)
            work.context[c.RECORDS] = address_of(self.program.records)
            work.run("points", [out], self.has_choices)
            del given

    def duals(
        self, points: Arrays, shape: tuple[int, ...], by: Sequence[str], out: NDArray[Any]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Write values and slopes to ``out`` [1 + len(by), *shape].

        Returns where branches meet, and where clauses may jump: masks to settle.
        """
        masks = np.zeros((2, *shape), np.bool_)
        kinks, jumps = masks[0, ...], masks[1, ...]
        moving = [k for k, name in enumerate(by) if self.reads[self.inputs.index(name)]]
        for k in {*range(len(by))} - {*moving}:
            out[1 + k] = 0
        if not moving:
            self.values(points, shape, out[0, ...])
        with self._workspace() as work:
            given = work.enter(points, shape)
            for start in range(0, len(moving), p.DIRECTIONS):
                along = moving[start : start + p.DIRECTIONS]
                names = tuple(by[k] for k in along)
                dual = self._dual(names)
                work.context[c.RECORDS] = address_of(dual.records)
                rows = [out[0, ...], *(out[1 + k, ...] for k in along)]
                work.run("duals", rows, self.has_choices and dual.prunes, names, (kinks, jumps))
            del given
        return kinks, jumps

    def _dual(self, names: tuple[str, ...]) -> DualProgram:
        found = self._duals.get(names)
        if found is None:
            if len(self._duals) >= MOST_DUALS:
                self._duals = {}
            found = self._duals[names] = dual_program(self.tape, self.places, self.program, names)
        return found

    @contextmanager
    def _workspace(self) -> Iterator[Workspace]:
        """One that no other thread uses; after an exception it is dropped."""
        taken = self._taken()
        yield taken
        self._idle.append(taken)

    def _taken(self) -> Workspace:
        try:
            return self._idle.pop()
        except IndexError:
            return Workspace(self)


IS_INPUT = np.array([op.is_input for op in ROWS])
HAS_CHOICE = np.array([op.has_choice for op in ROWS])


def dual_program(
    tape: Tape, places: NDArray[Any], program: Program, names: tuple[str, ...]
) -> DualProgram:
    """The records of a program with the third words of ``duals``, for slopes along some inputs."""
    directions: dict[str | None, int] = {}
    for k, name in enumerate(names):
        directions[name] = directions.get(name, 0) | 1 << k
    records, prunes, along = program.records.copy(), True, [0] * len(tape)
    for i, code in enumerate(tape.codes.tolist()):
        op, operands = ROWS[code], tape.operands(i)
        if not operands:
            along[i] = directions.get(input_of(tape, i), 0)
            continue
        partials = op.slope.partials or (None,) * len(operands)
        terms = [
            0 if partial == 0 else along[k] for partial, k in zip(partials, operands, strict=True)
        ]
        left, right = (*terms, 0)[:2]
        along[i], moves = left | right, any(along[k] for k in operands)
        prunes &= not (moves and op.slope.jumps)
        records[places[i] - INPUTS, 3] = left | right << p.RIGHT_TERMS | moves << p.MOVES
    return DualProgram(records, prunes)


class Workspace:
    """A thread's memory for the programs of an evaluator, and the context of its kernels."""

    def __init__(self, evaluator: PointEvaluator) -> None:
        program, dtype, inputs = evaluator.program, evaluator.dtype, len(evaluator.inputs)
        self.evaluator, self.dtype = evaluator, dtype
        length, first_input = len(program), len(program) + INPUTS
        places, group = first_input + inputs, GROUP * dtype.itemsize
        most = MOST_SLOT_BYTES // (places * group)
        self.groups = {"points": max(1, min(p.BLOCK // GROUP, most))}
        self.groups["duals"] = max(1, min(LANES // GROUP, most // (1 + p.DIRECTIONS)))
        box_groups = max(1, min(LANES // GROUP, most // 2))
        vectors = self.groups["points"], (1 + p.DIRECTIONS) * self.groups["duals"]
        self.slots = aligned(places * group * max(*vectors, 2 * box_groups))
        self.arena = aligned((length + 1 + min(LANES * length, MOST_ARENA)) * RECORD_BYTES)
        require(self.slots.nbytes + self.arena.nbytes, "an evaluation", "use a shorter tape")
        self.choices = np.zeros(2 * places, np.uint64)
        self.masks = np.zeros((3, places + LANES), np.uint64)
        # as long as what is no place too, which may be looked up
        self.places = np.zeros(max(places, len(program.constants), p.THIRD_WORDS) + 1, np.int32)
        self.places[first_input:places] = range(first_input, places)
        self.stack = np.zeros((p.MOST_DEPTH, p.ROW), np.int64)
        self.rows = np.zeros((inputs, p.INPUT_WORDS), np.int64)
        self.slopes = np.zeros(p.DIRECTIONS, np.int64)
        self.context = context = np.zeros(p.FIELDS, np.int64)
        self.address = address_of(context)
        context[[c.LENGTH, c.RESULT]] = length, program.result
        context[c.CONSTANTS] = address_of(program.constants)
        context[c.ARENA] = address_of(self.arena)
        context[c.ARENA_END] = context[c.ARENA] + len(self.arena)
        context[[c.LIVE, c.ROWS_LIVE, r.NANS]] = list(map(address_of, self.masks))
        context[[c.CHOICES, c.PLACES]] = address_of(self.choices), address_of(self.places)
        context[[c.STACK, r.SLOTS]] = address_of(self.stack), address_of(self.slots)
        context[[r.INPUTS_READ, r.FIRST_INPUT]] = inputs, first_input
        context[[r.INPUT_ROWS, p.SLOPES]] = address_of(self.rows), address_of(self.slopes)
        context[[p.RATE, p.MOST_BITS]] = FIRST_RATE, (GROUP * box_groups).bit_length() - 1

    @cached_property
    def few(self) -> Few:
        """Where a few points are copied to."""
        evaluator, groups = self.evaluator, self.groups["points"]
        records = address_of(evaluator.program.records)
        return Few(self.context, records, groups, len(evaluator.inputs), self.dtype)

    def enter(self, points: Arrays, shape: tuple[int, ...]) -> list[NDArray[Any]]:
        """Make arrays the inputs; returns what must live until they are read."""
        self.count = math.prod(shape)
        given = []
        for row, array, is_read in zip(self.rows, points, self.evaluator.reads, strict=True):
            row[p.STEP] = is_many = is_read and array.size > 1
            if is_many and not (array.shape == shape and array.flags.c_contiguous):
                array = np.ascontiguousarray(np.broadcast_to(array, shape))
            given.append(array)
            row[p.ADDRESS] = address_of(array)
        return given

    def run(
        self,
        kind: str,
        out: Sequence[NDArray[Any]],
        splits: bool,
        along: tuple[str, ...] = (),
        masks: tuple[Any, ...] = (),
    ) -> None:
        """Run a kernel on all points; ``out`` are contiguous arrays of values and slopes."""
        context, size = self.context, self.dtype.itemsize
        kernel = native.kernel(kind, DTYPE_NAMES[self.dtype])
        splits = splits and self.count > MOST_FEW
        together = min(self.count, TOGETHER) if splits else self.count
        if splits:
            self._make_room(together)
        context[p.SPLITS], context[r.GROUPS] = splits, self.groups[kind]
        context[p.RATE] = min(context[p.RATE], MOST_RATE)
        context[[c.BUDGET, p.ALONG, p.COSTS]] = BUDGET, len(along), address_of(COSTS[kind])
        for name, row in zip(self.evaluator.inputs, self.rows, strict=True):
            row[p.DIRECTION] = sum(1 << k for k, other in enumerate(along) if other == name)
        addresses = [address_of(array) for array in out]
        flags = [address_of(mask) for mask in masks]
        starts = self.rows[:, p.ADDRESS].copy()
        for start in range(0, self.count, max(together, 1)):
            context[r.FIRST], context[r.END] = 0, min(together, self.count - start)
            self.rows[:, p.ADDRESS] = starts + size * start * self.rows[:, p.STEP]
            context[r.OUT], *self.slopes[: len(along)] = (at + size * start for at in addresses)
            if flags:
                context[[p.KINKS, p.JUMPED]] = [at + start for at in flags]
            context[c.DEPTH] = -1  # to begin
            while kernel(self.address):
                pass
        self.rows[:, p.ADDRESS] = starts

    def _make_room(self, count: int) -> None:
        """Have room to sort ``count`` points."""
        context = self.context
        if context[p.ROOM] >= count:
            return
        padded = count + GROUP  # is read beyond the end
        inputs = len(self.rows)
        require(
            count * (2 * inputs * self.dtype.itemsize + 13),
            f"sorting {count} points",
            "evaluate fewer at a time",
        )
        self.sorted = np.zeros((inputs, 2, padded), self.dtype)
        self.orders, self.targets = np.zeros(2 * count, np.int32), np.zeros(count, np.int32)
        self.keys = np.zeros(padded, np.uint8)
        step = padded * self.dtype.itemsize
        self.rows[:, p.SORTED_0] = address_of(self.sorted) + 2 * step * np.arange(inputs)
        self.rows[:, p.SORTED_1] = self.rows[:, p.SORTED_0] + step
        context[[p.ORDERS, p.TARGETS]] = address_of(self.orders), address_of(self.targets)
        context[[p.KEYS, p.ROOM]] = address_of(self.keys), count
