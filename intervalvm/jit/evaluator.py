"""The compiled evaluator: boxes and shorter tapes by the kernels of ``boxes``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import proxy

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.compiler.plain import plain_places, plain_program
from intervalvm.compiler.program import INPUTS, SIGN_DEMANDED, Program
from intervalvm.evaluate.boxes import RULES
from intervalvm.evaluate.evaluator import NumpyEvaluator, SlopeBounds
from intervalvm.evaluate.gradients import settle_all
from intervalvm.evaluate.points import Points
from intervalvm.jit import layout as c
from intervalvm.jit import native
from intervalvm.jit import request as r
from intervalvm.jit.layout import LANES
from intervalvm.jit.points import (
    BUDGET,
    HAS_CHOICE,
    MOST_SLOT_BYTES,
    Arrays,
    PointEvaluator,
)
from intervalvm.jit.request import GROUP
from intervalvm.late import cached_property
from intervalvm.memory import address_of, aligned, require
from intervalvm.ops import CODE
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape
from intervalvm.tape.liveness import ARITY
from intervalvm.tape.shorten import sign_demanded
from intervalvm.words import Meaning

Boxes = Sequence[Interval]


class CompiledEvaluator:
    """A tape prepared for its dtype, meaning and inputs: see ``evaluate.evaluator``."""

    def __init__(
        self,
        tape: Tape,
        inputs: tuple[str, ...],
        dtype: np.dtype[Any],
        meaning: Meaning = Meaning.FLOAT,
    ) -> None:
        self.tape, self.inputs, self.dtype, self.meaning = tape, inputs, dtype, meaning
        self._idle: list[Workspace] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return CompiledEvaluator, (self.tape, self.inputs, self.dtype, self.meaning)

    @cached_property
    def program(self) -> Program:
        """The plain program of the tape."""
        ends = RULES[self.meaning].constants(self.tape, self.dtype)
        constants = ends[0] if self.meaning is Meaning.FLOAT else np.stack(ends, axis=-1)
        return plain_program(self.tape, self.dtype, constants, self.inputs)

    @cached_property
    def sign_records(self) -> NDArray[np.uint32]:
        """The records with the flags of choices whose result only needs the right sign."""
        records = self.program.records.copy()
        asked = sign_demanded(self.tape) & HAS_CHOICE[self.tape.codes]
        records[self._places[asked] - INPUTS, 0] |= SIGN_DEMANDED
        return records

    @cached_property
    def roles(self) -> NDArray[np.int32]:
        """Of each clause the place of its choice, or what ``request`` names instead."""
        codes = self.tape.codes
        found = np.where(ARITY[codes] > 0, r.NO_CHOICE, r.LEAF)
        found[codes == CODE["copy"]] = r.ALIAS
        return np.where(HAS_CHOICE[codes], self._places, found).astype(np.int32)

    @cached_property
    def _points(self) -> PointEvaluator:
        return PointEvaluator(self.tape, self.inputs, self.program, self._places)

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        return plain_places(self.tape, self.inputs)

    def values(self, points: Arrays, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """The values at points, an array of their broadcast shape; it is ``out`` if given."""
        shape = _shape(point.shape for point in points)
        found = np.empty(shape, self.dtype) if out is None else out
        self._points.values(points, shape, found)
        return found

    def gradients(
        self, points: Arrays, by: Sequence[str], out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """The values, then the derivative by each input of ``by``: [1 + len(by), *shape].

        What they are where branches meet is told in ``evaluate.gradients``.
        """
        shape = _shape(point.shape for point in points)
        found = np.empty((1 + len(by), *shape), self.dtype) if out is None else out
        kinks, jumps = (mask if mask.any() else None for mask in self.slopes(points, by, found))
        if kinks is not None or jumps is not None:
            given = Points.of(self.tape, dict(zip(self.inputs, points, strict=True)), self.dtype)
            rows = [found[k, ...] for k in range(1 + len(by))]
            settle_all(given, by, kinks, jumps, rows, self._clause_values)
        return found

    def slopes(
        self, points: Arrays, by: Sequence[str], out: NDArray[Any], *, is_sorted: bool = False
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Write what ``gradients`` has, but where branches meet, or clauses may jump, not settled.

        Returns the masks of these points. ``is_sorted`` says that neighbours in the arrays are near
        each other, and that these have room for 16 numbers more.
        """
        shape = _shape(point.shape for point in points)
        return self._points.duals(points, shape, by, out, is_sorted=is_sorted)

    def _clause_values(self, points: Points) -> NDArray[Any]:
        return self._points.clause_values([points.arrays[name] for name in self.inputs])

    def bounds(self, boxes: Boxes) -> Interval:
        """Bounds of the values over boxes: three arrays of their broadcast shape."""
        with self.workspace() as work, work.entered(boxes) as found:
            work.run("boxes", found.lower.size)
        return found

    def slope_bounds(self, boxes: Boxes, by: Sequence[str]) -> SlopeBounds:
        """Bounds of the values, and of the derivatives by each input of ``by``."""
        definition = NumpyEvaluator(self.tape, self.inputs, self.dtype, self.meaning)
        return definition.slope_bounds(boxes, by)

    def shorten(
        self, boxes: Boxes, *, sign_only: bool = False, also: Sequence[tuple[Any, Boxes]] = ()
    ) -> list[CompiledEvaluator]:
        """An evaluator for each box, in C order, of its shorter tape: see ``tape.shorten``.

        A choice must also be proven by each evaluator of ``also`` over its own boxes.
        """
        return [
            CompiledEvaluator(tape, self.inputs, self.dtype, self.meaning)
            for tape in _shortened([(self, boxes), *also], sign_only)
        ]

    @contextmanager
    def workspace(self) -> Iterator[Workspace]:
        """One that no other thread uses; after an exception it is dropped."""
        try:
            taken = self._idle.pop()
        except IndexError:
            taken = Workspace(self)
        yield taken
        self._idle.append(taken)


def _shape(shapes: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape to which shapes broadcast; NumPy's function takes as long as 400 records."""
    different = {*shapes, ()}
    if len(different) < 3:
        return max(different, key=len)
    return np.broadcast_shapes(*different)


class Workspace:
    """A thread's memory for the programs of an evaluator, and the context of its kernels."""

    def __init__(self, evaluator: CompiledEvaluator) -> None:
        program, dtype, inputs = evaluator.program, evaluator.dtype, len(evaluator.inputs)
        # no cycle: memory is freed with the evaluator
        self.evaluator, self.length = proxy(evaluator), len(program)
        places = len(program) + INPUTS + inputs
        self.group_bytes = {"boxes": 2 * GROUP * dtype.itemsize}
        most = MOST_SLOT_BYTES // (places * self.group_bytes["boxes"])
        self.box_groups = max(1, min(LANES // GROUP, most))
        stride = self.box_groups * self.group_bytes["boxes"]
        require(
            places * (stride + 8 + c.CHOICE_BYTES),
            f"an evaluation of {len(evaluator.tape)} clauses",
            "use a shorter tape",
        )
        self.slots = aligned(places * stride)
        self.nans, self.choices = np.zeros(places, np.uint64), np.zeros(2 * places, np.uint64)
        self.rows = np.zeros((inputs, r.BOX_WORDS), np.int64)
        # an input with one number for all is copied: finding its address takes longer
        self.single = np.zeros((2, inputs), dtype), np.zeros((1, inputs), np.bool_)
        self.parts = [part for block in self.single for part in block]
        self.single_rows = np.zeros((inputs, r.BOX_WORDS), np.int64)
        for at, part in enumerate(self.parts):
            self.single_rows[:, at] = address_of(part) + part.itemsize * np.arange(inputs)
        self.context = context = np.zeros(r.FIELDS, np.int64)
        self.address = address_of(context)
        context[c.LENGTH], context[c.RESULT] = len(program), program.result
        context[[c.CONSTANTS, c.ITEMSIZE]] = address_of(program.constants), dtype.itemsize
        context[r.SLOTS], context[r.STRIDE] = address_of(self.slots), stride
        context[r.NANS], context[c.CHOICES] = address_of(self.nans), address_of(self.choices)
        context[r.INPUTS_READ], context[r.INPUT_ROWS] = inputs, address_of(self.rows)
        context[r.FIRST_INPUT] = len(program) + INPUTS

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
        self.rows[k] = (*map(address_of, whole), *[0] * (r.BOX_STEP - len(whole)), 1)
        return whole

    @contextmanager
    def entered(self, boxes: Boxes) -> Iterator[Interval]:
        """Make the sides of boxes the inputs, for runs within; gives the bounds to be written."""
        shape = _shape(part.shape for side in boxes for part in side)
        ends = np.empty((2, *shape), self.evaluator.dtype)
        found = Interval(ends[0, ...], ends[1, ...], np.empty(shape, np.bool_))
        context = self.context
        context[r.OUT] = lower = address_of(ends)
        context[r.OUT_UPPER] = lower + ends.nbytes // 2
        context[r.OUT_NAN] = address_of(found.maybe_nan)
        given = [self.enter(k, shape, side) for k, side in enumerate(boxes)]
        yield found
        del given

    def run(self, kind: str, end: int, first: int = 0, *, sign_only: bool = False) -> None:
        """Run a kernel on the points or boxes from ``first`` to ``end``."""
        context, evaluator = self.context, self.evaluator
        context[c.RECORDS] = self.sign_records if sign_only else self.records
        context[r.GROUPS] = context[r.STRIDE] // self.group_bytes[kind]
        kernel = native.kernel(kind, DTYPE_NAMES[evaluator.dtype], evaluator.meaning)
        step = max(BUDGET // (self.length + 1), LANES)
        for start in range(first, end, step):
            context[r.FIRST], context[r.END] = start, min(start + step, end)
            kernel(self.address)

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
        context[[c.LIVE, c.ROWS_LIVE]] = list(map(address_of, self.live))
        context[r.NEW] = address_of(self.new)
        return found


def _shortened(asked: Sequence[tuple[CompiledEvaluator, Boxes]], sign_only: bool) -> Iterator[Tape]:
    """The tape of each box: of the choices that are proven in all dtypes."""
    with ExitStack() as stack:
        works = [stack.enter_context(evaluator.workspace()) for evaluator, _ in asked]
        for work, (_, boxes) in zip(works, asked, strict=True):
            bounds = stack.enter_context(work.entered(boxes))
        count, together = bounds.lower.size, GROUP * min(work.box_groups for work in works)
        first, *others = works
        for start in range(0, count, together):
            end = min(start + together, count)
            for work in works:
                work.run("boxes", end, start, sign_only=sign_only)
            for work in others:
                first.choices &= work.choices
            yield from first.tapes(end - start, count - end)
