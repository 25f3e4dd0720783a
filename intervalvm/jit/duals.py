"""Arms over duals: the value of a record at 16 points and its slopes along some directions.

A direction is an input by which a tape is differentiated; a slot holds, a group after the other, 16
values and then 16 slopes along each of ``DIRECTIONS``. Rules are those of the rows, as in
``evaluate.gradients``, of which these are the same bits. There a slope that is 0 everywhere is
absent, and adds no term. Here it is 0, and bits of a record's third word say what is absent: they
are those of the whole tape, also where a program was shortened.

Of each place there are bits of the points where branches meet (``kinks``, 16 a group). Place
``JUMPS`` has those where some clause may jump.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from llvmlite import ir

from intervalvm.compiler.program import Variant
from intervalvm.compiler.records import point_value
from intervalvm.jit.groups import BITS, BoundArms, GroupArms, GroupLoop
from intervalvm.jit.lanes import I1, I64, POINTER, Lane, Lanes, load, mask_word, store
from intervalvm.jit.request import DIRECTIONS, GROUP, JUMPS, MOVES, RIGHT_TERMS
from intervalvm.ops import OPS
from intervalvm.ops.rays import is_same
from intervalvm.ops.row import Interval, Op


class Dual(NamedTuple):
    """An operand; ``slot`` is the address of a group's part, None for a constant."""

    value: Lane
    slot: ir.Value | None
    kink: Lane | None


class DualArms(GroupArms):
    """The value and slopes at points."""

    parts = 1 + DIRECTIONS

    def number(self, ends: tuple[Lane, Lane]) -> Dual:
        return Dual(ends[0], None, None)

    def read(self, place: ir.Value, group: ir.Value, at: dict[str, ir.Value]) -> Dual:
        slot = self.slot(place, group, at)
        value = Lane(self.builder, load(self.builder, slot, 0, self.xp.vector))
        return Dual(value, slot, self._kinks(place, group, at))

    def evaluate(self, variant: Variant, operands: list[Any], group: ir.Value, at: Any) -> None:
        builder, xp = self.builder, self.xp
        op = OPS["copy" if variant.op == "spread" else variant.op]
        numbers = [operand.value for operand in operands]
        value = xp._lift(point_value(variant, xp, numbers))
        slot = self.slot(at["out"], group, at)
        store(builder, value.value, slot, 0)
        slopes = [self._slopes(operand) for operand in operands]
        if op.choice is not None:
            is_left = op.choice.takes_left(*numbers)
            found = [xp.where(is_left, a, b) for a, b in zip(*slopes, strict=True)]
        else:
            found = self._chain(op, value, operands, slopes, at["third"])
        for k, slope in enumerate(found):
            store(builder, slope.value, slot, (k + 1) * self._span)
        kink = self._kink(op, operands, slopes)
        self._write_kinks(kink, at["out"], group, at)
        if op.slope.jumps is not None:
            with builder.if_then(self._bit(at["third"], MOVES), likely=False):
                jump, place = op.slope.jumps(xp, value, *numbers), I64(JUMPS)
                self._write_kinks(self._kinks(place, group, at) | jump, place, group, at)

    def _chain(
        self, op: Op, value: Lane, operands: list[Dual], slopes: list[list[Lane]], third: ir.Value
    ) -> list[Lane]:
        """The sums of the terms of both operands, as far as they are there."""
        builder, zero = self.builder, self.xp.scalar(0.0)
        numbers, terms = [operand.value for operand in operands], []
        for side, (partial, operand) in enumerate(
            zip(op.slope.partials or (), operands, strict=True)
        ):
            if operand.slot is None or partial == 0:
                continue
            factor = partial if isinstance(partial, int) else partial(self.xp, value, *numbers)
            first = RIGHT_TERMS if side else 0
            terms.append(
                [
                    (slope if partial == 1 else factor * slope, self._bit(third, first + k))
                    for k, slope in enumerate(slopes[side])
                ]
            )
        found = []
        for along in zip(*terms, strict=True):
            total, is_there = along[0]
            total = Lane(builder, builder.select(is_there, total.value, zero.value))
            for term, is_also in along[1:]:
                both = builder.select(is_there, (total + term).value, term.value)
                total = Lane(builder, builder.select(is_also, both, total.value))
            found.append(total)
        return found or [zero] * DIRECTIONS

    def _kink(self, op: Op, operands: list[Dual], slopes: list[list[Lane]]) -> Lane:
        """Where branches meet with different slopes, here or in an operand that the value is."""
        xp, found = self.xp, self.xp.no
        numbers = [operand.value for operand in operands]
        if op.slope.kinks is not None:
            others = slopes[1] if len(slopes) > 1 else [xp.scalar(0.0)] * DIRECTIONS

            def differ() -> tuple[Lane]:
                same = [is_same(xp, a, b) for a, b in zip(slopes[0], others, strict=True)]
                return (~(same[0] & same[1] & same[2]),)

            (found,) = xp.rarely(op.slope.kinks(*numbers), differ, (found,))
        for side, operand in enumerate(operands):
            if operand.kink is not None:
                taken = op.choice.taken[side](*numbers) if op.choice else None
                found = found | (operand.kink if taken is None else operand.kink & taken)
        return found

    @property
    def _span(self) -> int:
        return GROUP * self.itemsize

    def _slopes(self, operand: Dual) -> list[Lane]:
        if operand.slot is None:
            return [self.xp.scalar(0.0)] * DIRECTIONS
        return [
            Lane(
                self.builder, load(self.builder, operand.slot, (k + 1) * self._span, self.xp.vector)
            )
            for k in range(DIRECTIONS)
        ]

    def _bit(self, word: ir.Value, bit: int) -> ir.Value:
        builder = self.builder
        return builder.trunc(builder.lshr(word, ir.Constant(I64, bit)), I1)

    def _kinks(self, place: ir.Value, group: ir.Value, at: dict[str, ir.Value]) -> Lane:
        address = self.builder.inttoptr(self.bits("nans", place, group, at), POINTER)
        word = self.builder.load(address, align=2, typ=BITS)
        return Lane(self.builder, self.builder.bitcast(word, ir.VectorType(I1, GROUP)))

    def _write_kinks(
        self, mask: Lane, place: ir.Value, group: ir.Value, at: dict[str, ir.Value]
    ) -> None:
        address = self.builder.inttoptr(self.bits("nans", place, group, at), POINTER)
        self.builder.store(self.builder.bitcast(mask.value, BITS), address, align=2)


class StrictBoundArms(BoundArms):
    """Bounds, and the choices that hold for slopes too.

    Where the operands of ``min`` are equal both may matter, and where one is NaN.
    """

    def chosen(self, variant: Variant, operands: list[Interval]) -> tuple[Lane, Lane]:
        left_only, right_only = super().chosen(variant, operands)
        if OPS[variant.op].slope.kinks is None:
            return left_only, right_only
        a, b = operands
        apart = ((a.upper < b.lower) | (b.upper < a.lower)) & ~(a.maybe_nan | b.maybe_nan)
        return left_only & apart, right_only & apart


ARMS: dict[str, type[GroupArms]] = {"dual": DualArms, "strict_box": StrictBoundArms}


@dataclass(frozen=True)
class DualLoop(GroupLoop):
    """A loop over duals, with kinks as ``nans``, or over boxes with strict choices."""

    def _arms(self, builder: ir.IRBuilder) -> GroupArms:
        return ARMS[self.each](builder, self.dtype, self.meaning)


@dataclass(frozen=True)
class Steep:
    """steep(slot): of 16 points the bits of those whose value is a number but a slope is not.

    Infinite slopes are none either. ``slot`` is the address of a group's part.
    """

    dtype: str

    name: ClassVar[str] = "intervalvm_steep"
    signature: ClassVar[ir.FunctionType] = ir.FunctionType(I64, [I64])

    def write(self, module: ir.Module) -> None:
        """Add the function to a module."""
        function = ir.Function(module, self.signature, self.name)
        builder = ir.IRBuilder(function.append_basic_block())
        xp, (slot,) = Lanes(builder, self.dtype, GROUP, tame=False), function.args
        size = GROUP * np.dtype(self.dtype).itemsize
        value, *slopes = (
            Lane(builder, load(builder, slot, size * part, xp.vector))
            for part in range(DualArms.parts)
        )
        found = xp.no
        for slope in slopes:
            found = found | xp.isnan(slope) | xp.isinf(slope)
        builder.ret(mask_word(found & ~xp.isnan(value)))
