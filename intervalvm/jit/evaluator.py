"""The compiled evaluator: boxes and shorter tapes by the kernels of ``boxes``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.plain import plain_places, plain_program
from intervalvm.compiler.program import INPUTS, SIGN_DEMANDED, Program
from intervalvm.evaluate.boxes import RULES
from intervalvm.evaluate.evaluator import SlopeBounds
from intervalvm.evaluate.gradients import settle_all
from intervalvm.evaluate.points import Points
from intervalvm.jit import request as r
from intervalvm.jit.box_work import Boxes, BoxWorkspace, broadcast, slope_records
from intervalvm.jit.points import HAS_CHOICE, MOST_DUALS, Arrays, Parts, PointEvaluator
from intervalvm.jit.request import GROUP
from intervalvm.late import cached_property
from intervalvm.ops import CODE
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape
from intervalvm.tape.liveness import ARITY
from intervalvm.tape.shorten import sign_demanded
from intervalvm.words import Meaning

if TYPE_CHECKING:
    from intervalvm.jit.division import Division


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
        self._idle: list[BoxWorkspace] = []
        self._slope_records: dict[tuple[str, ...], NDArray[np.uint32]] = {}

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
    def points(self) -> PointEvaluator:
        """What evaluates points."""
        return PointEvaluator(self.tape, self.inputs, self.program, self._places)

    @cached_property
    def has_choices(self) -> bool:
        """Whether boxes may have shorter programs."""
        return bool(HAS_CHOICE[self.tape.codes].any())

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        return plain_places(self.tape, self.inputs)

    def values(self, points: Arrays, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """The values at points, an array of their broadcast shape; it is ``out`` if given."""
        shape = broadcast(point.shape for point in points)
        found = np.empty(shape, self.dtype) if out is None else out
        self.points.values(points, shape, found)
        return found

    def gradients(
        self, points: Arrays, by: Sequence[str], out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """The values, then the derivative by each input of ``by``: [1 + len(by), *shape].

        What they are where branches meet is told in ``evaluate.gradients``.
        """
        shape = broadcast(point.shape for point in points)
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
        shape = broadcast(point.shape for point in points)
        return self.points.duals(points, shape, by, out, is_sorted=is_sorted)

    def _clause_values(self, points: Points) -> NDArray[Any]:
        return self.points.clause_values([points.arrays[name] for name in self.inputs])

    def bounds(self, boxes: Boxes) -> Interval:
        """Bounds of the values over boxes: three arrays of their broadcast shape."""
        with self.workspace() as work, work.entered(boxes) as found:
            work.bound()
        return found

    def slope_bounds(self, boxes: Boxes, by: Sequence[str]) -> SlopeBounds:
        """Bounds of the values, and of the derivatives by each input of ``by``.

        They are the same bits as NumPy's, see ``evaluate.slopes``.
        """
        squares = self._squares or self
        real = squares if self.meaning is Meaning.REAL else squares._real
        found = real.bound_slopes(boxes, by)
        if self.meaning is Meaning.FLOAT:
            found = replace(found, value=squares.bounds(boxes))
        return found

    def bound_slopes(
        self, boxes: Boxes, by: Sequence[str], parts: Parts | None = None
    ) -> SlopeBounds:
        """Bounds of the real values, and of derivatives, of this tape."""
        with self.workspace() as work, work.entered(boxes) as value:
            ends = np.zeros((2, len(by), *value.lower.shape), self.dtype)
            work.bound_slopes(boxes, by, ends, parts)
        return SlopeBounds(value, ends[0], ends[1])

    def divided(
        self, boxes: Boxes, keys: NDArray[np.uint64], bits: int, by: tuple[str, ...]
    ) -> Division:
        """A shorter program for each box: see ``division``."""
        from intervalvm.jit.division import Division  # a picture has no use for it

        real = self if self.meaning is Meaning.FLOAT else self._squares or self
        return Division(real, boxes, keys, bits, by)

    @cached_property
    def _squares(self) -> CompiledEvaluator | None:
        """One of the same values whose squares are known to be squares; None if these are."""
        from intervalvm.evaluate.slopes import with_squares  # a picture has no use for it

        tape = with_squares(self.tape)
        # itself would be a cycle, and memory is freed with the evaluator
        same = tape is self.tape
        return None if same else CompiledEvaluator(tape, self.inputs, self.dtype, self.meaning)

    @cached_property
    def _real(self) -> CompiledEvaluator:
        """That of the real function."""
        return CompiledEvaluator(self.tape, self.inputs, self.dtype, Meaning.REAL)

    def slope_records(self, along: tuple[str, ...]) -> NDArray[np.uint32]:
        """The records of the program for slopes by up to ``DIRECTIONS`` inputs."""
        found = self._slope_records.get(along)
        if found is None:
            if len(self._slope_records) >= MOST_DUALS:
                self._slope_records = {}
            made = slope_records(self.tape, self._places, self.program.records, along)
            found = self._slope_records[along] = made
        return found

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
    def workspace(self) -> Iterator[BoxWorkspace]:
        """One that no other thread uses; after an exception it is dropped."""
        try:
            taken = self._idle.pop()
        except IndexError:
            taken = BoxWorkspace(self)
        yield taken
        self._idle.append(taken)


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
                work.choose(start, end, sign_only=sign_only)
            for work in others:
                first.choices &= work.choices
            yield from first.tapes(end - start, count - end)
