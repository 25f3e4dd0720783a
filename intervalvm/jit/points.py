"""Values and derivatives at points, by the kernels of ``scatter``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import proxy

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.compiler.program import INPUTS, RECORD_BYTES, Program
from intervalvm.evaluate.points import input_of
from intervalvm.jit import layout as c
from intervalvm.jit import native
from intervalvm.jit import request as r
from intervalvm.jit.few import MOST_FEW, Few
from intervalvm.jit.layout import LANES
from intervalvm.jit.request import GROUP
from intervalvm.late import cached_property
from intervalvm.memory import address_of, aligned, require
from intervalvm.ops import CODE, ROWS
from intervalvm.tape import Tape

Arrays = Sequence[NDArray[Any]]
BUDGET = 100_000_000
"""Records x lanes of a call of a kernel, after which Python may handle an interrupt: some 10 ms."""
MOST_SLOT_BYTES = 1 << 28
"""The slots of a workspace take no more, unless one group does."""
TOGETHER = 1 << 20
"""Points that are sorted together. A million take 43 ms so, and 62 ms by 2**18 at a time."""
MOST_KEPT = 1 << 18
"""A workspace keeps room to sort as many."""
PARTS = {"points": 1, "duals": 1 + r.DIRECTIONS}
"""Vectors of a slot, a group."""
COSTS = {
    "points": np.array([1.0, 3.0, 5.0, 6.0, 9.0, 8.0]),
    "duals": np.array([4.0, 3.0, 5.0, 6.0, 9.0, 8.0]),
}
"""What pays, measured on prospero.vm: see ``request``."""
FIRST_RATE = 65
"""What is expected of a tape's first split: see ``best_bits`` of ``cells``."""
MOST_RATE = 95
"""A tape that has not got shorter is tried again with many more points."""
MOST_DUALS = 8
"""Programs for derivatives that an evaluator keeps: one for each choice of inputs."""
MOST_ARENA = 1 << 22
"""Records of the arena beyond a program: 64 MiB."""


class Parts(NamedTuple):
    """The programs of parts, int64[parts, PROGRAM_WORDS], and of points or boxes the numbers of
    their parts, int32[n], contiguous: see ``division``."""

    programs: NDArray[np.int64]
    owners: NDArray[np.int32]


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

    def values(
        self,
        points: Arrays,
        shape: tuple[int, ...],
        out: NDArray[Any],
        parts: Parts | None = None,
    ) -> None:
        """Write the values at points, which broadcast to ``shape``, to a contiguous array."""
        count = math.prod(shape)
        work = self._workspace()
        if count <= MOST_FEW and parts is None:
            work.few.values(points, shape, count, out)
        else:
            given = work.enter(points, shape)
            work.run("points", self.program.records, [out], self.has_choices, parts=parts)
            del given
        self._idle.append(work)

    def clause_values(self, points: Arrays) -> NDArray[Any]:
        """The values of all clauses at points, arrays of one length: [clauses, points]."""
        count = len(points[0])
        found, value = np.empty((len(self.tape), count), self.dtype), np.empty(count, self.dtype)
        is_const = self.tape.codes == CODE["const"]
        found[is_const] = self.program.constants[self.places[is_const], None]
        work = self._workspace()
        block = GROUP * work.groups["points"]
        for start in range(0, count, block):
            some = [array[start : start + block] for array in points]
            given = work.enter(some, some[0].shape)
            work.run("points", self.program.records, [value[start:]], False)
            del given
            lanes = -(-work.count // GROUP) * GROUP
            places = len(self.program) + INPUTS + len(self.inputs)
            slots = np.ndarray((places, lanes), self.dtype, work.slots)
            found[~is_const, start : start + block] = slots[self.places[~is_const], : work.count]
        self._idle.append(work)
        return found

    def duals(
        self,
        points: Arrays,
        shape: tuple[int, ...],
        by: Sequence[str],
        out: NDArray[Any],
        *,
        is_sorted: bool = False,
        parts: Parts | None = None,
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Write values and slopes to ``out`` [1 + len(by), *shape].

        Returns where branches meet, and where clauses may jump: masks to settle. ``is_sorted`` says
        that neighbours in the arrays are near each other, and that these have room for 16 numbers
        more.
        """
        masks = np.zeros((2, *shape), np.bool_)
        kinks, jumps = masks[0, ...], masks[1, ...]
        moving = [k for k, name in enumerate(by) if self.reads[self.inputs.index(name)]]
        for k in {*range(len(by))} - {*moving}:
            out[1 + k] = 0
        if not moving:
            self.values(points, shape, out[0, ...], parts)
        work = self._workspace()
        given = work.enter(points, shape)
        for start in range(0, len(moving), r.DIRECTIONS):
            along = moving[start : start + r.DIRECTIONS]
            names = tuple(by[k] for k in along)
            dual = self.dual(names)
            rows = [out[0, ...], *(out[1 + k, ...] for k in along)]
            splits = self.has_choices and dual.prunes
            work.run(
                "duals",
                dual.records,
                rows,
                splits,
                names,
                (kinks, jumps),
                is_sorted=is_sorted,
                parts=parts,
            )
        del given
        self._idle.append(work)
        return kinks, jumps

    def dual(self, names: tuple[str, ...]) -> DualProgram:
        """The program for derivatives along up to ``DIRECTIONS`` inputs."""
        found = self._duals.get(names)
        if found is None:
            if len(self._duals) >= MOST_DUALS:
                self._duals = {}
            found = self._duals[names] = dual_program(self.tape, self.places, self.program, names)
        return found

    def _workspace(self) -> Workspace:
        """One that no other thread uses; after an exception it is not put back."""
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
        records[places[i] - INPUTS, 3] = left | right << r.RIGHT_TERMS | moves << r.MOVES
    return DualProgram(records, prunes)


class Workspace:
    """A thread's memory for the programs of an evaluator, and the context of its kernels."""

    def __init__(self, evaluator: PointEvaluator) -> None:
        program, dtype, inputs = evaluator.program, evaluator.dtype, len(evaluator.inputs)
        # no cycle: memory is freed with the evaluator
        self.evaluator, self.dtype = proxy(evaluator), dtype
        length, first_input = len(program), len(program) + INPUTS
        places, group = first_input + inputs, GROUP * dtype.itemsize
        most = MOST_SLOT_BYTES // (places * group)
        self.groups = {"points": max(1, min(r.BLOCK // GROUP, most))}
        self.groups["duals"] = max(1, min(LANES // GROUP, most // PARTS["duals"]))
        box_groups = max(1, min(LANES // GROUP, most // 2))
        vectors = (PARTS[kind] * groups for kind, groups in self.groups.items())
        slots = places * group * max(*vectors, 2 * box_groups)
        arena = (length + 1 + min(LANES * length, MOST_ARENA)) * RECORD_BYTES
        what = f"an evaluation of {len(evaluator.tape)} clauses"
        require(slots + arena, what, "use a shorter tape")
        self.slots, self.arena = aligned(slots), aligned(arena)
        self.choices = np.zeros(2 * places, np.uint64)
        self.masks = np.zeros((3, places + LANES), np.uint64)
        # as long as what is no place too, which may be looked up
        self.places = np.zeros(max(places, len(program.constants), r.THIRD_WORDS) + 1, np.int32)
        self.places[first_input:places] = range(first_input, places)
        self.stack = np.zeros((r.MOST_DEPTH, r.ROW), np.int64)
        self.rows = np.zeros((inputs, r.INPUT_WORDS), np.int64)
        self.single = np.zeros(inputs, dtype)
        self.single_at = address_of(self.single)
        self.rows[:, r.ADDRESS] = self.single_at + dtype.itemsize * np.arange(inputs)
        self.slopes = np.zeros(r.DIRECTIONS, np.int64)
        self.context = context = np.zeros(r.FIELDS, np.int64)
        # faster to write than the arrays
        self.words, self.input_words = context.data, self.rows.reshape(-1).data
        self.address = address_of(context)
        context[[c.LENGTH, c.RESULT]] = length, program.result
        context[[c.CONSTANTS, c.ITEMSIZE]] = address_of(program.constants), dtype.itemsize
        context[c.ARENA] = address_of(self.arena)
        context[c.ARENA_END] = context[c.ARENA] + len(self.arena)
        context[[c.LIVE, c.ROWS_LIVE, r.NANS]] = list(map(address_of, self.masks))
        context[[c.CHOICES, c.PLACES]] = address_of(self.choices), address_of(self.places)
        context[[c.STACK, r.SLOTS]] = address_of(self.stack), address_of(self.slots)
        context[[r.INPUTS_READ, r.FIRST_INPUT]] = inputs, first_input
        context[[r.INPUT_ROWS, r.SLOPES]] = address_of(self.rows), address_of(self.slopes)
        context[[r.RATE, r.MOST_BITS]] = FIRST_RATE, (GROUP * box_groups).bit_length() - 1

    @cached_property
    def few(self) -> Few:
        """Where a few points are copied to."""
        evaluator, groups = self.evaluator, self.groups["points"]
        records = address_of(evaluator.program.records)
        return Few(self.context, records, groups, len(evaluator.inputs), self.dtype)

    def enter(self, points: Arrays, shape: tuple[int, ...]) -> list[NDArray[Any]]:
        """Make arrays the inputs; returns what must live until they are read."""
        self.count, words, given = math.prod(shape), self.input_words, []
        for k, (array, is_read) in enumerate(zip(points, self.evaluator.reads, strict=True)):
            row, is_many = k * r.INPUT_WORDS, is_read and array.size > 1
            words[row + r.STEP] = is_many
            if is_many:
                if array.shape != shape or not array.flags.c_contiguous:
                    array = np.ascontiguousarray(np.broadcast_to(array, shape))
                given.append(array)
                words[row + r.ADDRESS] = address_of(array)
            elif is_read and array.size:  # a copy: finding the address takes longer
                self.single[k] = array.item()
                words[row + r.ADDRESS] = self.single_at + k * self.dtype.itemsize
        return given

    def run(
        self,
        kind: str,
        records: NDArray[np.uint32],
        out: Sequence[NDArray[Any]],
        splits: bool,
        along: tuple[str, ...] = (),
        masks: Sequence[NDArray[np.bool_]] = (),
        *,
        is_sorted: bool = False,
        parts: Parts | None = None,
    ) -> None:
        """Run a kernel on all points.

        ``out`` are contiguous arrays of values, and of slopes along the inputs ``along``; ``masks``
        are joined with those of kinks and jumps.
        """
        words, count = self.words, self.count
        kernel = native.kernel(kind, DTYPE_NAMES[self.dtype])
        words[c.RECORDS], words[r.GROUPS] = address_of(records), self.groups[kind]
        words[r.PARTS] = PARTS[kind]
        words[r.OUT], words[r.ALONG] = address_of(out[0]), len(along)
        words[r.COSTS], words[c.BUDGET] = address_of(COSTS[kind]), BUDGET
        words[r.SPLITS] = splits = splits and count > MOST_FEW and parts is None
        words[r.PROGRAMS] = words[r.OWNERS] = 0
        if parts is not None:
            words[r.PROGRAMS], words[r.OWNERS] = map(address_of, parts)
        together = min(count, TOGETHER) if splits else count
        words[r.IS_SORTED] = is_sorted
        if splits:
            if not is_sorted:
                self._make_room(together)
            words[r.RATE] = min(words[r.RATE], MOST_RATE)
        if along:
            words[r.KINKS], words[r.JUMPED] = map(address_of, masks)
            self.slopes[: len(along)] = [address_of(array) for array in out[1:]]
            for name, row in zip(self.evaluator.inputs, self.rows, strict=True):
                row[r.DIRECTION] = sum(1 << k for k, other in enumerate(along) if other == name)
        for start in range(0, count, max(together, 1)):
            words[r.FIRST], words[r.END] = start, min(start + together, count)
            words[c.DEPTH] = -1  # to begin
            while kernel(self.address):
                pass
        if words[r.ROOM] > MOST_KEPT:
            words[r.ROOM] = 0
            del self.sorted, self.orders, self.targets, self.keys

    def _make_room(self, count: int) -> None:
        """Have room to sort ``count`` points."""
        context = self.context
        if context[r.ROOM] >= count:
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
        self.rows[:, r.SORTED_0] = address_of(self.sorted) + 2 * step * np.arange(inputs)
        self.rows[:, r.SORTED_1] = self.rows[:, r.SORTED_0] + step
        context[[r.ORDERS, r.TARGETS]] = address_of(self.orders), address_of(self.targets)
        context[[r.KEYS, r.ROOM]] = address_of(self.keys), count
