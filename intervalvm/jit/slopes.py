"""Arms that bound derivatives over boxes: those of ``evaluate.slopes``, of the same bits.

A slot holds, a group after the other, 16 lower and 16 upper bounds of the value, then the same of
the slope along each of ``DIRECTIONS``, then for each the sum of squares that a norm needs. Bits of
a record's third word say along which directions its operands have slopes; these are those of the
whole tape, also where a program was shortened. Elsewhere a slope is 0. Place ``SOLID`` of ``nans``
has the boxes that are not flat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from llvmlite import ir

from intervalvm.compiler.program import Variant
from intervalvm.compiler.records import interval_value
from intervalvm.evaluate.slopes import Ends, Numbers, Truth
from intervalvm.jit.groups import BoundArms, GroupArms, GroupLoop, each_below
from intervalvm.jit.lanes import I1, I64, Lane, load, store
from intervalvm.jit.request import (
    DIRECTIONS,
    FIRST_SLOPE,
    FIRST_SQUARES,
    GROUP,
    NORM,
    RIGHT_TERMS,
    SLOPE_PARTS,
    SOLID,
)
from intervalvm.ops import OPS
from intervalvm.ops.row import Interval, Op, has_zero


class Slopes(NamedTuple):
    """An operand; ``slot`` is the address of a group's part, None for a constant."""

    value: Interval
    slot: ir.Value | None


class SlopeArms(BoundArms):
    """Bounds of values and slopes; no choices are noted."""

    parts = SLOPE_PARTS

    def number(self, ends: tuple[Lane, Lane]) -> Any:
        return Slopes(super().number(ends), None)

    def read(self, place: ir.Value, group: ir.Value, at: dict[str, ir.Value]) -> Any:
        return Slopes(super().read(place, group, at), self.slot(place, group, at))

    def evaluate(self, variant: Variant, operands: list[Any], group: ir.Value, at: Any) -> None:
        builder, xp = self.builder, self.xp
        op = OPS["copy" if variant.op == "spread" else variant.op]
        value = interval_value(variant, xp, [operand.value for operand in operands], self.rules)
        self.write_value(value, group, at)
        numbers = Numbers(xp, self.mask(I64(SOLID), group, at))
        clause = Clause.of(self, numbers, op, value, operands, at["third"])
        slot, zero = self.slot(at["out"], group, at), xp.scalar(0.0)
        with each_below(builder, I64(DIRECTIONS)) as k:
            has = clause.has(k)
            moves = has[0] if len(has) == 1 else builder.or_(*has)
            found = self.when(moves, partial(clause.slope, k, has), (zero, zero))
            for end, lane in enumerate(found):
                store(builder, lane.value, self.part(slot, FIRST_SLOPE + end, k, 2), 0)
            if op.name in ("square", "add"):
                with builder.if_then(builder.and_(moves, clause.is_norm), likely=False):
                    squares = clause.squares(k, has)
                    store(builder, squares.value, self.part(slot, FIRST_SQUARES, k, 1), 0)

    def part(self, slot: ir.Value, first: int, k: ir.Value, step: int) -> ir.Value:
        """The address of vector ``first + step * k`` of a group's part."""
        span = GROUP * self.itemsize
        start = self.builder.add(slot, I64(first * span))
        return self.builder.add(start, self.builder.mul(k, I64(step * span)))

    def vector(self, address: ir.Value) -> Lane:
        return Lane(self.builder, load(self.builder, address, 0, self.xp.vector))

    def when(self, condition: ir.Value, compute: Callable[[], Ends], other: Ends) -> Ends:
        """A branch around ``compute``, for all lanes."""
        builder, before = self.builder, self.builder.block
        with builder.if_then(condition):
            found = compute()
            computed = builder.block
        low, high = self.xp._merged(found, computed, other, before)
        return low, high


class Clause(NamedTuple):
    """How the slope of a record along a direction is made."""

    arms: SlopeArms
    numbers: Numbers
    op: Op
    value: Interval
    operands: Sequence[Slopes]
    third: ir.Value
    truth: Truth | None
    """Of a choice: whether it takes the left operand."""
    factors: Sequence[Any]
    """Else the derivatives by each operand."""
    jumps: Lane | None

    @classmethod
    def of(
        cls,
        arms: SlopeArms,
        numbers: Numbers,
        op: Op,
        value: Interval,
        operands: Sequence[Slopes],
        third: ir.Value,
    ) -> Clause:
        inner = [operand.value for operand in operands]
        truth = op.choice.takes_left(*map(numbers.number, inner)) if op.choice else None
        partials = op.slope.partials or ()
        factors = [numbers.factor(partial, value, inner) for partial in partials]
        jumps = numbers.jumps(op, inner)
        return cls(arms, numbers, op, value, operands, third, truth, factors, jumps)

    def has(self, k: ir.Value) -> list[ir.Value]:
        """Whether each operand has a slope along direction ``k``."""
        sides = range(len(self.operands))
        return [self._bit(self.arms.builder.add(k, I64(side * RIGHT_TERMS))) for side in sides]

    @property
    def is_norm(self) -> ir.Value:
        return self._bit(I64(NORM))

    def slope(self, k: ir.Value, has: Sequence[ir.Value]) -> Ends:
        """The slope along ``k``, if an operand has one."""
        inner, numbers, arms = (
            [self._slope_of(o, k) for o in self.operands],
            self.numbers,
            self.arms,
        )
        if self.truth is None:
            found = self._chain(inner, has)
        else:
            found = numbers.chosen(self.truth, *inner)
        if self.op.name == "sqrt":
            squares = partial(self._squares_of, self.operands[0], k)
            found = arms.when(self.is_norm, lambda: numbers.within_norm(squares(), found), found)
        return numbers.settled(self.value.maybe_nan, self.jumps, found, inner)

    def squares(self, k: ir.Value, has: Sequence[ir.Value]) -> Any:
        """Of a sum of squares the sum of the squares of slopes."""
        if self.op.name == "square":
            return self.numbers.squared(self._slope_of(self.operands[0], k))
        a, b = (self._squares_of(operand, k) for operand in self.operands)
        return self._joined(a, b, self.numbers.added(a, b), has)

    def _chain(self, inner: Sequence[Ends], has: Sequence[ir.Value]) -> Ends:
        """The sum of the terms that there are."""
        numbers, zero = self.numbers, self.arms.xp.scalar(0.0)
        terms = []
        for side, (operand, factor) in enumerate(zip(self.operands, self.factors, strict=True)):
            if operand.slot is not None and not (isinstance(factor, int) and factor == 0):
                term = partial(numbers.term, factor, inner[side])
                terms.append(self.arms.when(has[side], term, (zero, zero)))
        if len(terms) < 2:
            return terms[0] if terms else (zero, zero)
        (a, c), (b, d) = terms
        low, high = numbers.sum(*terms)
        return self._joined(a, b, low, has), self._joined(c, d, high, has)

    def _joined(self, a: Lane, b: Lane, both: Lane, has: Sequence[ir.Value]) -> Lane:
        """``both`` if both operands have a slope, else that of one."""
        select, (left, right) = self.arms.builder.select, has
        with_left = select(right, both.value, a.value)
        return Lane(self.arms.builder, select(left, with_left, b.value))

    def _slope_of(self, operand: Slopes, k: ir.Value) -> Ends:
        arms = self.arms
        if operand.slot is None:
            return (arms.xp.scalar(0.0),) * 2
        low, high = (
            arms.vector(arms.part(operand.slot, FIRST_SLOPE + end, k, 2)) for end in range(2)
        )
        return low, high

    def _squares_of(self, operand: Slopes, k: ir.Value) -> Lane:
        arms = self.arms
        if operand.slot is None:  # a constant: it has no slope, and this is not read
            return arms.xp.scalar(0.0)
        return arms.vector(arms.part(operand.slot, FIRST_SQUARES, k, 1))

    def _bit(self, bit: ir.Value) -> ir.Value:
        builder = self.arms.builder
        return builder.trunc(builder.lshr(self.third, bit), I1)


class HullArms(BoundArms):
    """Bounds over hulls of boxes, which hold those over the boxes, and the choices they prove.

    Functions are not quite inclusion isotonic: four times the slack makes them (see
    ``ops.functions``). So a program that is shortened by these choices has the same bits.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.xp.slack = 4.0


class StrictHullArms(HullArms):
    """The choices that hold for slopes too.

    The operands are apart, also on the border of the hull; and neither is 0 where that jumps.
    """

    def chosen(self, variant: Variant, operands: list[Interval]) -> tuple[Lane, Lane]:
        left_only, right_only = super().chosen(variant, operands)
        a, b = operands
        apart = (a.upper < b.lower) | (b.upper < a.lower)
        if OPS[variant.op].slope.jumps is not None:
            apart = ~has_zero(a)
        apart = apart & ~(a.maybe_nan | b.maybe_nan)
        return left_only & apart, right_only & apart


ARMS: dict[str, type[GroupArms]] = {
    "box": BoundArms, "slope": SlopeArms, "hull": HullArms, "strict_hull": StrictHullArms,
}  # fmt: skip


@dataclass(frozen=True)
class BoxLoop(GroupLoop):
    """A loop over boxes, or over hulls of boxes: what it is called by is the same for all."""

    @property
    def name(self) -> str:
        return f"intervalvm_groups_{'hulls' if 'hull' in self.each else 'leaves'}"

    def _arms(self, builder: ir.IRBuilder) -> GroupArms:
        return ARMS[self.each](builder, self.dtype, self.meaning)
