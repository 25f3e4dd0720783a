"""Instructions for ``compiler.thresholds``: floats tried a lane each, by the rows' rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from intervalvm.compiler import thresholds
from intervalvm.compiler.thresholds import (
    DOUBLE_INFINITY,
    MONOTONE,
    REAL,
    SINGLE,
    SINGLE_INFINITY,
    is_searched,
)
from intervalvm.evaluate.boxes import REAL_RULES
from intervalvm.jit.intrinsics import emitted, jit
from intervalvm.jit.lanes import DOUBLE, FLOAT, I32, I64, Lane, Lanes, spread_number
from intervalvm.ops.row import Interval, Op

DIGIT = 4
"""A divisor of 64, so that bits beyond those of a float are no float's."""
WIDTH = 1 << DIGIT
SYSTEMS = {thresholds.SINGLE: "float32", thresholds.DOUBLE: "float64", REAL: "float64"}
"""The dtypes of number systems."""
ARGUMENTS = (I64, I64, I64, DOUBLE, DOUBLE, DOUBLE, I64, I64, I64, I64)
"""Those of ``thresholds.count_floats``."""


@dataclass(frozen=True)
class CountFloats:
    """``thresholds.count_floats`` of a number system and a side of its bounds, as a function."""

    system: int
    side: int = 0

    @property
    def name(self) -> str:
        """Its symbol."""
        return f"intervalvm_count_floats_{self.system}_{self.side}"

    @property
    def signature(self) -> ir.FunctionType:
        return ir.FunctionType(I64, ARGUMENTS)

    def write(self, module: ir.Module) -> None:
        """Add the function to a module."""
        function = ir.Function(module, self.signature, self.name)
        builder = ir.IRBuilder(function.append_basic_block())
        _, _, code, *numbers, t, greater, negative, first, shift = function.args
        is_greater, is_negative = (self._mask(builder, flag) for flag in (greater, negative))
        bits, v = self._floats(builder, first, shift, is_negative)
        value = self._values(builder, code, v, numbers)
        target = self._number(builder, t)
        reaches = (value > target) & is_greater | (value >= target) & ~is_greater
        infinity = SINGLE_INFINITY if self.system == SINGLE else DOUBLE_INFINITY
        most = spread_number(builder, ir.Constant(I64, infinity), WIDTH)
        is_float = builder.icmp_unsigned("<=", bits.value, most.value)
        counted = builder.and_((~(reaches ^ is_negative)).value, is_float)
        word = builder.bitcast(counted, ir.IntType(WIDTH))
        builder.ret(builder.zext(builder.ctpop(word), I64))

    def _mask(self, builder: ir.IRBuilder, flag: ir.Value) -> Lane:
        bit = builder.icmp_signed("!=", flag, ir.Constant(I64, 0))
        return spread_number(builder, bit, WIDTH)

    def _number(self, builder: ir.IRBuilder, number: ir.Value) -> Lane:
        if self.system == SINGLE:
            number = builder.fptrunc(number, FLOAT)
        return spread_number(builder, number, WIDTH)

    def _floats(
        self, builder: ir.IRBuilder, first: ir.Value, shift: ir.Value, is_negative: Lane
    ) -> tuple[Lane, Lane]:
        """The bits that are tried, and those that are floats."""
        steps = ir.Constant(ir.VectorType(I64, WIDTH), list(range(1, WIDTH + 1)))
        shifts = spread_number(builder, shift, WIDTH)
        before = builder.sub(first, ir.Constant(I64, 1))
        bits = Lane(builder, builder.shl(steps, shifts.value))
        bits = bits + spread_number(builder, before, WIDTH)
        raw, element = bits.value, DOUBLE
        if self.system == SINGLE:
            raw, element = builder.trunc(raw, ir.VectorType(I32, WIDTH)), FLOAT
        v = Lane(builder, builder.bitcast(raw, ir.VectorType(element, WIDTH)))
        chosen = builder.select(is_negative.value, (-v).value, v.value)
        return bits, Lane(builder, chosen)

    def _values(
        self,
        builder: ir.IRBuilder,
        code: ir.Value,
        v: Lane,
        numbers: list[ir.Value],
    ) -> Lane:
        """The operation's values, or bounds on the side, by a switch over the codes."""
        low, high = (self._number(builder, number) for number in numbers)
        function = builder.function
        other, end = function.append_basic_block("other"), function.append_basic_block("end")
        switch, found = builder.switch(code, other), []
        for number, op in MONOTONE.items():
            if not is_searched(op, self.system):
                continue
            block = function.append_basic_block(op.name)
            switch.add_case(ir.Constant(I64, number), block)
            builder.position_at_end(block)
            value = self._value(builder, op, v, Interval(low, high, None))
            found.append((value.value, builder.block))
            builder.branch(end)
        builder.position_at_end(other)
        builder.unreachable()
        builder.position_at_end(end)
        phi = builder.phi(v.value.type)
        for value, block in found:
            phi.add_incoming(value, block)
        return Lane(builder, phi)

    def _value(self, builder: ir.IRBuilder, op: Op, v: Lane, k: Interval) -> Lane:
        xp = Lanes(builder, SYSTEMS[self.system], WIDTH, tame=False)
        if self.system != REAL:
            return xp._lift(op.point(xp, *(v, k.lower)[: op.arity]))
        operands = Interval(v, v, xp.no), Interval(k.lower, k.upper, xp.no)
        bounds = REAL_RULES.intervals[op.name](xp, *operands[: op.arity])
        return xp._lift(bounds[self.side])


FUNCTIONS = (
    CountFloats(SINGLE),
    CountFloats(thresholds.DOUBLE),
    CountFloats(REAL, 0),
    CountFloats(REAL, 1),
)
"""What is linked in."""


@emitted(types.int64, *[types.int64] * 3, *[types.float64] * 3, *[types.int64] * 4)
def count_floats(builder, *args):
    found = []
    end = builder.function.append_basic_block("counted")
    other = builder.function.append_basic_block("other")
    system, side, *_ = args
    switch = builder.switch(builder.add(builder.shl(system, ir.Constant(I64, 1)), side), other)
    for each in FUNCTIONS:
        block = builder.function.append_basic_block(each.name)
        for own in (each.side,) if each.system == REAL else (0, 1):
            switch.add_case(ir.Constant(I64, 2 * each.system + own), block)
        builder.position_at_end(block)
        function = cgutils.get_or_insert_function(builder.module, each.signature, each.name)
        found.append((builder.call(function, args), block))
        builder.branch(end)
    builder.position_at_end(other)
    builder.unreachable()
    builder.position_at_end(end)
    phi = builder.phi(I64)
    for value, block in found:
        phi.add_incoming(value, block)
    return phi


def _is_single(builder: ir.IRBuilder, system: ir.Value) -> ir.Value:
    return builder.icmp_signed("==", system, ir.Constant(I64, SINGLE))


@emitted(types.int64, types.int64, types.float64)
def float_bits(builder, system, v):
    single = builder.sext(builder.bitcast(builder.fptrunc(v, FLOAT), I32), I64)
    return builder.select(_is_single(builder, system), single, builder.bitcast(v, I64))


@emitted(types.float64, types.int64, types.int64)
def float_at(builder, system, bits):
    single = builder.fpext(builder.bitcast(builder.trunc(bits, I32), FLOAT), DOUBLE)
    return builder.select(_is_single(builder, system), single, builder.bitcast(bits, DOUBLE))


@jit
def digit_bits():
    return DIGIT


INSTRUCTIONS: dict[Callable[..., Any], Any] = {
    thresholds.count_floats: count_floats,
    thresholds.float_bits: float_bits,
    thresholds.float_at: float_at,
    thresholds.digit_bits: digit_bits,
}
"""By the functions that they replace."""
