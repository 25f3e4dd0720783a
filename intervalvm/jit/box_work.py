"""A thread's memory for an evaluator's kernels over boxes, and their calls: see ``boxes``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import proxy

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.compiler.program import INPUTS, RECORD_BYTES
from intervalvm.evaluate.points import input_of
from intervalvm.jit import layout as c
from intervalvm.jit import native
from intervalvm.jit import request as r
from intervalvm.jit.few import MOST_FEW
from intervalvm.jit.layout import LANES
from intervalvm.jit.points import (
    BUDGET,
    FIRST_RATE,
    MOST_ARENA,
    MOST_RATE,
    MOST_SLOT_BYTES,
    Parts,
)
from intervalvm.jit.request import GROUP
from intervalvm.late import cached_property
from intervalvm.memory import address_of, aligned, require
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape
from intervalvm.words import Meaning

if TYPE_CHECKING:
    from intervalvm.jit.evaluator import CompiledEvaluator

Boxes = Sequence[Interval]
PARTS = {"boxes": 2, "slopes": r.SLOPE_PARTS}
"""Vectors of a slot, a group."""
COSTS = {
    "boxes": np.array([9.0, 3.0, 9.0, 6.0, 9.0, 2.0]),
    "slopes": np.array([60.0, 3.0, 9.0, 6.0, 9.0, 2.0]),
}
"""What pays: see ``request``."""


def broadcast(shapes: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape to which shapes broadcast; NumPy's function takes as long as 400 records."""
    different = {*shapes, ()}
    if len(different) < 3:
        return max(different, key=len)
    return np.broadcast_shapes(*different)


def slope_records(
    tape: Tape, places: NDArray[Any], records: NDArray[np.uint32], names: Sequence[str]
) -> NDArray[np.uint32]:
    """The records of a plain program with the third words of slopes by some inputs."""
    from intervalvm.evaluate.slopes import norms  # a picture has no use for it

    found, is_norm, along = records.copy(), norms(tape), [0] * len(tape)
    for i in range(len(tape)):
        operands = tape.operands(i)
        if not operands:
            name = input_of(tape, i)
            along[i] = sum(1 << k for k, other in enumerate(names) if other == name)
            continue
        left, right = (*(along[k] for k in operands), 0)[:2]
        along[i] = left | right
        norm = bool(is_norm[i]) << r.NORM
        found[places[i] - INPUTS, 3] = left | right << r.RIGHT_TERMS | norm
    return found


class BoxWorkspace:
    """A thread's memory for the programs of an evaluator, and the context of its kernels."""

    def __init__(self, evaluator: CompiledEvaluator) -> None:
        program, dtype, inputs = evaluator.program, evaluator.dtype, len(evaluator.inputs)
        # no cycle: memory is freed with the evaluator
        self.evaluator, self.length = proxy(evaluator), len(program)
        self.places = places = len(program) + INPUTS + inputs
        self.group_bytes = GROUP * dtype.itemsize
        self.box_groups = self.groups_of("boxes")
        require(
            places * (self.box_groups * PARTS["boxes"] * self.group_bytes + 8 + c.CHOICE_BYTES),
            f"an evaluation of {len(evaluator.tape)} clauses",
            "use a shorter tape",
        )
        self.nans, self.choices = np.zeros(places, np.uint64), np.zeros(2 * places, np.uint64)
        self.rows = np.zeros((inputs, r.BOX_WORDS), np.int64)
        # an input with one number for all is copied: finding its address takes longer
        self.single = np.zeros((2, inputs), dtype), np.zeros((1, inputs), np.bool_)
        self.parts = [part for block in self.single for part in block]
        self.single_rows = np.zeros((inputs, r.BOX_WORDS), np.int64)
        for at, part in enumerate(self.parts):
            self.single_rows[:, at] = address_of(part) + part.itemsize * np.arange(inputs)
        self.ends = np.zeros(2 * r.DIRECTIONS, np.int64)
        self.context = context = np.zeros(r.FIELDS, np.int64)
        self.address = address_of(context)
        context[c.LENGTH], context[c.RESULT] = len(program), program.result
        context[[c.CONSTANTS, c.ITEMSIZE]] = address_of(program.constants), dtype.itemsize
        context[[r.NANS, r.LEAF_CHOICES]] = address_of(self.nans), address_of(self.choices)
        context[[r.INPUTS_READ, r.INPUT_ROWS]] = inputs, address_of(self.rows)
        context[[r.FIRST_INPUT, r.SLOPES]] = len(program) + INPUTS, address_of(self.ends)
        context[c.BUDGET] = BUDGET
        self.words = context.data  # faster to write than the array
        self.slots: dict[str, NDArray[np.uint8]] = {}
        self.fields: dict[str, tuple[int, ...]] = {}

    def groups_of(self, kind: str) -> int:
        """The groups of boxes that are evaluated together."""
        most = MOST_SLOT_BYTES // (self.places * PARTS[kind] * self.group_bytes)
        return max(1, min(LANES // GROUP, most))

    def enter(self, k: int, shape: tuple[int, ...], parts: Sequence[NDArray[Any]]) -> Sequence[Any]:
        """Make arrays the input ``k``; returns what must live until they are read.

        They are numbers, or lower bounds, upper bounds and flags, and broadcast to ``shape``.
        """
        if all(part.size == 1 for part in parts):
            self.rows[k] = self.single_rows[k]
            for to, part in zip(self.parts, parts, strict=False):
                to[k] = part.item()
            return ()
        whole = [
            part
            if part.shape == shape and part.flags.c_contiguous
            else np.ascontiguousarray(np.broadcast_to(part, shape))
            for part in parts
        ]
        self.rows[k] = (*map(address_of, whole), *[0] * (r.BOX_STEP - len(whole)), 1, 0)
        return whole

    @contextmanager
    def entered(self, boxes: Boxes) -> Iterator[Interval]:
        """Make the sides of boxes the inputs, for runs within; gives the bounds to be written."""
        shape = broadcast(part.shape for side in boxes for part in side)
        ends = np.empty((2, *shape), self.evaluator.dtype)
        found = Interval(ends[0, ...], ends[1, ...], np.empty(shape, np.bool_))
        words = self.words
        words[r.OUT] = lower = address_of(ends)
        words[r.OUT_UPPER] = lower + ends.nbytes // 2
        words[r.OUT_NAN] = address_of(found.maybe_nan)
        self.shape, self.count = shape, found.lower.size
        given = [self.enter(k, shape, side) for k, side in enumerate(boxes)]
        yield found
        del given

    def bound(self, parts: Parts | None = None) -> None:
        """Bound the values over all boxes."""
        self._run("boxes", self.records, 0, self.count, splits=True, parts=parts)

    def choose(self, first: int, end: int, *, sign_only: bool) -> None:
        """Find the choices over up to ``box_groups`` groups of boxes."""
        records = self.sign_records if sign_only else self.records
        self._run("boxes", records, first, end, splits=False)

    def bound_slopes(
        self, boxes: Boxes, by: Sequence[str], ends: NDArray[Any], parts: Parts | None = None
    ) -> None:
        """Bound the values, and write bounds of derivatives to zeros [2, len(by), *shape]."""
        evaluator, context = self.evaluator, self.context
        solid = np.ones(self.count, np.bool_)
        for name in by:
            side = boxes[evaluator.inputs.index(name)]
            solid &= np.broadcast_to(side.lower < side.upper, self.shape).reshape(-1)
        context[r.SOLID_FLAGS] = address_of(solid)
        for start in range(0, max(len(by), 1), r.DIRECTIONS):
            along = tuple(by[start : start + r.DIRECTIONS])
            for row, name in zip(self.rows, evaluator.inputs, strict=True):
                row[r.BOX_DIRECTION] = sum(1 << k for k, other in enumerate(along) if other == name)
            for k in range(len(along)):
                self.ends[2 * k : 2 * k + 2] = [address_of(end[start + k, ...]) for end in ends]
            context[r.ALONG] = len(along)
            records = address_of(evaluator.slope_records(along))
            self._run("slopes", records, 0, self.count, splits=True, parts=parts)

    def divide(
        self, records: NDArray[np.uint32], keys: NDArray[np.uint64], bits: int
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Programs of all boxes, by ``records`` for slopes: see ``dividing``; and their memory."""
        words, evaluator, count = self.words, self.evaluator, len(keys)
        fields = self.fields.get("boxes") or self._make_room("boxes")
        words[r.SLOTS], words[r.PARTS], words[r.GROUPS], words[r.COSTS] = fields
        self._use_arena()
        size = min(self.length * (LANES + count), MOST_ARENA) * RECORD_BYTES
        require(size, f"programs of {count} boxes", "divide into fewer boxes")
        arena, programs = aligned(size), np.zeros((count, r.PROGRAM_WORDS), np.int64)
        old = words[c.ARENA], words[c.ARENA_END]
        words[c.ARENA] = address_of(arena)
        words[c.ARENA_END] = words[c.ARENA] + len(arena)
        words[r.PROGRAMS], words[r.PART_KEYS] = address_of(programs), address_of(keys)
        words[r.KEY_BITS], words[c.RECORDS] = bits, address_of(records)
        kernel = native.kernel("divide", DTYPE_NAMES[evaluator.dtype], evaluator.meaning)
        words[r.FIRST], words[r.END], words[c.DEPTH] = 0, count, -1  # to begin
        while kernel(self.address):
            pass
        words[c.ARENA], words[c.ARENA_END] = old
        return programs, arena

    def _run(
        self,
        kind: str,
        records: int,
        first: int,
        end: int,
        *,
        splits: bool,
        parts: Parts | None = None,
    ) -> None:
        """Run a kernel on the boxes from ``first`` to ``end``."""
        words, evaluator = self.words, self.evaluator
        fields = self.fields.get(kind) or self._make_room(kind)
        words[r.SLOTS], words[r.PARTS], words[r.GROUPS], words[r.COSTS] = fields
        words[c.RECORDS] = records
        if kind == "boxes":
            words[r.ALONG] = 0
        words[r.PROGRAMS] = words[r.OWNERS] = 0
        if parts is not None:
            splits = False
            words[r.PROGRAMS], words[r.OWNERS] = map(address_of, parts)
        words[r.SPLITS] = splits = splits and end - first > MOST_FEW and evaluator.has_choices
        if splits:
            self._use_arena()
        meaning = evaluator.meaning if kind == "boxes" else Meaning.FLOAT
        kernel = native.kernel(kind, DTYPE_NAMES[evaluator.dtype], meaning)
        words[r.FIRST], words[r.END], words[c.DEPTH] = first, end, -1  # to begin
        while kernel(self.address):
            pass

    def _make_room(self, kind: str) -> tuple[int, ...]:
        """Have slots for a kernel: for its groups of boxes, and for hulls of runs."""
        groups = self.groups_of(kind)
        vectors = max(PARTS[kind] * groups, 2 * self.box_groups)
        size = self.places * vectors * self.group_bytes
        require(size, f"an evaluation of {len(self.evaluator.tape)} clauses", "use a shorter tape")
        self.slots[kind] = aligned(size)
        found = address_of(self.slots[kind]), PARTS[kind], groups, address_of(COSTS[kind])
        self.fields[kind] = found
        return found

    def _use_arena(self) -> None:
        """Make what splits need known to the context."""
        context, _ = self.context, self.arena
        context[[c.LIVE, c.ROWS_LIVE]] = list(map(address_of, self.live_places))
        context[c.CHOICES] = address_of(self.hull_choices)
        context[r.RATE] = min(context[r.RATE], MOST_RATE)

    @cached_property
    def arena(self) -> NDArray[np.uint8]:
        """Memory of shorter programs, made known to the context with what writes them."""
        context, first_input = self.context, self.length + INPUTS
        size = (self.length + 1 + min(LANES * self.length, MOST_ARENA)) * RECORD_BYTES
        require(size, f"an evaluation of {len(self.evaluator.tape)} clauses", "use a shorter tape")
        found = aligned(size)
        # as long as what is no place too, which may be looked up
        constants = len(self.evaluator.program.constants)
        self.place_of = np.zeros(max(self.places, constants, r.THIRD_WORDS) + 1, np.int32)
        self.place_of[first_input : self.places] = range(first_input, self.places)
        self.stack = np.zeros((r.MOST_DEPTH, r.ROW), np.int64)
        self.live_places = np.zeros((2, self.places + LANES), np.uint64)
        self.hull_choices = np.zeros(2 * self.places, np.uint64)
        context[c.ARENA] = address_of(found)
        context[c.ARENA_END] = context[c.ARENA] + len(found)
        context[[c.PLACES, c.STACK]] = address_of(self.place_of), address_of(self.stack)
        context[[r.RATE, r.MOST_BITS]] = FIRST_RATE, (GROUP * self.box_groups).bit_length() - 1
        return found

    @cached_property
    def records(self) -> int:
        """The address of the program's records."""
        return address_of(self.evaluator.program.records)

    @cached_property
    def sign_records(self) -> int:
        """That of the evaluator's ``sign_records``."""
        return address_of(self.evaluator.sign_records)

    def tapes(self, count: int, to_come: int) -> Iterator[Tape]:
        """The shorter tapes of ``count`` boxes, by the choices of the last run.

        Raises DoesNotFit if ``to_come`` more would not fit.
        """
        tape, context, found = self.evaluator.tape, self.context, self.shorter
        shorten = native.kernel("shorten", DTYPE_NAMES[self.evaluator.dtype])
        context[c.CHOICES] = context[r.LEAF_CHOICES]
        context[[c.LIVE, c.ROWS_LIVE]] = list(map(address_of, self.live))
        context[r.ASKED], context[r.BOX] = -1 if count == LANES else (1 << count) - 1, -1
        each = sum(array.itemsize for array in found) * shorten(self.address) / count
        tapes = f"{count + to_come} tapes"
        require(int(each * (count + to_come)), tapes, "ask for fewer boxes at a time")
        for box in range(count):
            context[r.BOX] = box
            n = shorten(self.address)
            yield Tape.of_arrays([array[:n].copy() for array in found], tape.variables)

    @cached_property
    def shorter(self) -> Sequence[NDArray[Any]]:
        """Memory for a shorter tape, made known to the context with what finds it."""
        evaluator, context = self.evaluator, self.context
        tape, n = evaluator.tape, len(evaluator.tape)
        arrays = tape.codes, tape.left, tape.right, tape.wide, tape.single
        found = [np.empty_like(array) for array in arrays]
        context[r.CLAUSES], context[r.ROLES] = n, address_of(evaluator.roles)
        context[r.CODES : r.CODES + len(arrays)] = list(map(address_of, arrays))
        context[r.NEW_CODES : r.NEW_CODES + len(arrays)] = list(map(address_of, found))
        self.live = np.empty((2, n + LANES), np.uint64)
        self.new = np.empty(n + 1, np.int32)
        context[r.NEW] = address_of(self.new)
        return found
