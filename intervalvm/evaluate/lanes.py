"""The rules of ``ops`` and ``interval`` as LLVM vector code: a namespace that writes instructions.

``Lanes`` stands for the namespace ``xp`` of the rules, ``Lane`` for their arrays: 64 values side by
side, one vector that LLVM lowers to whatever the processor has. Running a rule on them once, while
numba compiles, writes its instructions; the compiled step functions below are one LLVM ``switch``
each, with an arm for every variant of every operation.

A *tame* namespace assumes that no NaN and no infinity can arise, which the walk has proven for the
whole region before it uses one: every test for them is then a constant, and LLVM drops what hangs
on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from intervalvm.compiler.pack import VARIANTS, Variant
from intervalvm.evaluate.arrays import CANONICAL_NAN
from intervalvm.evaluate.interval import CHOICES, RULES, SIGN_CHOICES, Interval, constant
from intervalvm.ops import OPS

WIDTH = 64
POINTER = ir.PointerType()
I1, I32, I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
FLOAT, DOUBLE = ir.FloatType(), ir.DoubleType()
ELEMENT = {"float32": FLOAT, "float64": DOUBLE}


class Lane:
    """A vector of ``WIDTH`` values, with the operators that the rules use."""

    __slots__ = ("builder", "value")

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder, self.value = builder, value

    def lift(self, other: Any) -> ir.Value:
        """A number as a vector of this one's type; a vector as it is."""
        if isinstance(other, Lane):
            return other.value
        return splat(self.value.type.element, float(other))

    def _new(self, value: ir.Value) -> Lane:
        return Lane(self.builder, value)

    def _arithmetic(self, name: str, a: ir.Value, b: ir.Value) -> Lane:
        return self._new(getattr(self.builder, name)(a, b))

    def _is_float(self) -> bool:
        return not isinstance(self.value.type.element, ir.IntType)

    def __add__(self, other: Any) -> Lane:
        return self._arithmetic("fadd" if self._is_float() else "add", self.value, self.lift(other))

    def __sub__(self, other: Any) -> Lane:
        return self._arithmetic("fsub" if self._is_float() else "sub", self.value, self.lift(other))

    def __mul__(self, other: Any) -> Lane:
        return self._arithmetic("fmul" if self._is_float() else "mul", self.value, self.lift(other))

    def __truediv__(self, other: Any) -> Lane:
        return self._arithmetic("fdiv", self.value, self.lift(other))

    def __rtruediv__(self, other: Any) -> Lane:
        return self._arithmetic("fdiv", self.lift(other), self.value)

    def __neg__(self) -> Lane:
        return self._new(self.builder.fneg(self.value))

    def __rshift__(self, other: Lane) -> Lane:
        return self._arithmetic("lshr", self.value, other.value)

    def __xor__(self, other: Lane) -> Lane:
        return self._arithmetic("xor", self.value, other.value)

    def __and__(self, other: Lane) -> Lane:
        return self._arithmetic("and_", self.value, other.value)

    def __or__(self, other: Lane) -> Lane:
        return self._arithmetic("or_", self.value, other.value)

    def __invert__(self) -> Lane:
        return self._new(self.builder.not_(self.value))

    def _compare(self, test: str, other: Any) -> Lane:
        return self._new(self.builder.fcmp_ordered(test, self.value, self.lift(other)))

    def __lt__(self, other: Any) -> Lane:
        return self._compare("<", other)

    def __le__(self, other: Any) -> Lane:
        return self._compare("<=", other)

    def __gt__(self, other: Any) -> Lane:
        return self._compare(">", other)

    def __ge__(self, other: Any) -> Lane:
        return self._compare(">=", other)

    def __eq__(self, other: object) -> Lane:  # type: ignore[override]
        return self._compare("==", other)

    def __ne__(self, other: object) -> Lane:  # type: ignore[override]
        return self._new(self.builder.fcmp_unordered("!=", self.value, self.lift(other)))

    __hash__ = None  # type: ignore[assignment]


def splat(element: ir.Type, number: float | int) -> ir.Constant:
    """A vector constant of one number, rounded once to the element type."""
    if element == FLOAT:
        with np.errstate(over="ignore"):
            number = float(np.float32(number))
    return ir.Constant(ir.VectorType(element, WIDTH), [ir.Constant(element, number)] * WIDTH)


class Lanes:
    """The namespace of the rules, writing vector instructions through ``builder``."""

    def __init__(self, builder: ir.IRBuilder, dtype: str, *, tame: bool) -> None:
        self.builder, self.tame = builder, tame
        self.element = ELEMENT[dtype]
        self.bit_type = I32 if dtype == "float32" else I64
        self.itemsize = 4 if dtype == "float32" else 8
        self.vector = ir.VectorType(self.element, WIDTH)
        self.inf, self.nan = self._lift(float("inf")), self._lift(float("nan"))
        self.no = Lane(builder, splat(I1, 0))
        # Careful bounds, which prove that a walk may be tame, contain the tame ones in them.
        self.slack = 1.0 if tame else 4.0

    def _lift(self, a: Any, element: ir.Type | None = None) -> Lane:
        return a if isinstance(a, Lane) else Lane(self.builder, splat(element or self.element, a))

    def _call(self, name: str, *operands: Lane) -> Lane:
        """The LLVM intrinsic ``name`` on vectors."""
        kind = operands[0].value.type
        suffix = f"v{WIDTH}f{64 if kind.element == DOUBLE else 32}"
        signature = ir.FunctionType(kind, [kind] * len(operands))
        function = cgutils.get_or_insert_function(
            self.builder.module, signature, f"llvm.{name}.{suffix}"
        )
        return Lane(self.builder, self.builder.call(function, [o.value for o in operands]))

    def where(self, condition: Lane, a: Any, b: Any) -> Lane:
        known = next((v for v in (a, b) if isinstance(v, Lane)), None)
        element = known.value.type.element if known else self.element
        chosen = self.builder.select(
            condition.value, self._lift(a, element).value, self._lift(b, element).value
        )
        return Lane(self.builder, chosen)

    def isnan(self, a: Lane) -> Lane:
        if self.tame:
            return self.no
        return Lane(self.builder, self.builder.fcmp_unordered("uno", a.value, a.value))

    def isinf(self, a: Lane) -> Lane:
        return self.no if self.tame else self.abs(a) == float("inf")

    def abs(self, a: Lane) -> Lane:
        return self._call("fabs", a)

    def floor(self, a: Lane) -> Lane:
        return self._call("floor", a)

    def ceil(self, a: Lane) -> Lane:
        return self._call("ceil", a)

    def trunc(self, a: Lane) -> Lane:
        return self._call("trunc", a)

    def sqrt(self, a: Lane) -> Lane:
        return self._call("sqrt", a)

    def copysign(self, a: Any, b: Lane) -> Lane:
        return self._call("copysign", self._lift(a), b)

    def lesser(self, a: Lane, b: Any) -> Lane:
        b = self._lift(b, a.value.type.element)
        return self.where(a < b, a, b)

    def greater(self, a: Lane, b: Any) -> Lane:
        b = self._lift(b, a.value.type.element)
        return self.where(a > b, a, b)

    def minimum(self, a: Lane, b: Lane) -> Lane:
        return self.where((a < b) | self.isnan(a), a, b)

    def maximum(self, a: Lane, b: Lane) -> Lane:
        return self.where((a > b) | self.isnan(a), a, b)

    def uint32(self, number: int) -> Lane:
        return Lane(self.builder, splat(I32, number))

    def below(self, a: Lane) -> Lane:
        """For a > 0 the bit pattern of the float below is one less."""
        vector = ir.VectorType(self.bit_type, WIDTH)
        bits = self.builder.bitcast(a.value, vector)
        lower = self.builder.sub(bits, splat(self.bit_type, 1))
        return Lane(self.builder, self.builder.bitcast(lower, self.vector))

    def bits(self, a: Lane) -> Lane:
        single = a.value
        if self.element == DOUBLE:
            single = self.builder.fptrunc(single, ir.VectorType(FLOAT, WIDTH))
        raw = self.builder.bitcast(single, ir.VectorType(I32, WIDTH))
        nan = self.builder.fcmp_unordered("uno", single, single)
        return Lane(self.builder, self.builder.select(nan, splat(I32, CANONICAL_NAN), raw))

    def from_bits(self, bits: Lane) -> Lane:
        single = self.builder.bitcast(bits.value, ir.VectorType(FLOAT, WIDTH))
        if self.element == DOUBLE:
            single = self.builder.fpext(single, self.vector)
        return Lane(self.builder, single)

    def wide(self, a: Lane) -> Lane:
        if self.element == DOUBLE:
            return a
        return Lane(self.builder, self.builder.fpext(a.value, ir.VectorType(DOUBLE, WIDTH)))

    def narrow(self, a: Lane) -> Lane:
        if self.element == DOUBLE:
            return a
        return Lane(self.builder, self.builder.fptrunc(a.value, self.vector))

    def fmod(self, a: Lane, b: Lane) -> Lane:
        """The exact remainder; through float64 also for float32, where it is no less exact."""
        return self.narrow(self.libm_wide("fmod", self.wide(a), self.wide(b)))

    def libm(self, name: str, *operands: Lane) -> Lane:
        return self.narrow(self.libm_wide(name, *(self.wide(operand) for operand in operands)))

    def libm_wide(self, name: str, *operands: Lane) -> Lane:
        """Call libm's ``name`` lane by lane, through memory: one loop a function and module."""
        wide = ir.VectorType(DOUBLE, WIDTH)
        slots = [cgutils.alloca_once(self.builder, wide) for _ in operands]
        for slot, operand in zip(slots, operands, strict=True):
            self.builder.store(operand.value, slot)
        loop = _libm_loop(self.builder.module, name, len(operands))
        pointers = [self.builder.bitcast(slot, POINTER) for slot in slots]
        self.builder.call(loop, pointers)
        return Lane(self.builder, self.builder.load(slots[0], typ=wide))


def _libm_loop(module: ir.Module, name: str, arity: int) -> ir.Function:
    """A function that applies libm's ``name`` to ``WIDTH`` float64, over its first operand."""
    symbol = f"intervalvm_{name}_{WIDTH}"
    if symbol in module.globals:
        return module.globals[symbol]
    kind = ir.FunctionType(DOUBLE, [DOUBLE] * arity)
    scalar = cgutils.get_or_insert_function(module, kind, name)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER] * arity), symbol)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    with cgutils.for_range(builder, ir.Constant(I64, WIDTH)) as loop:
        places = [builder.gep(p, [loop.index], source_etype=DOUBLE) for p in function.args]
        result = builder.call(scalar, [builder.load(place, typ=DOUBLE) for place in places])
        builder.store(result, places[0])
    builder.ret_void()
    return function


# --- steps: one clause of a packed tape --------------------------------------------------------


def _load(builder: ir.IRBuilder, address: ir.Value, offset: int, kind: ir.Type) -> ir.Value:
    place = builder.add(address, ir.Constant(I64, offset))
    return builder.load(builder.inttoptr(place, POINTER), align=8, typ=kind)


def _store(builder: ir.IRBuilder, value: ir.Value, address: ir.Value, offset: int) -> None:
    place = builder.add(address, ir.Constant(I64, offset))
    builder.store(value, builder.inttoptr(place, POINTER), align=8)


def _splat_from(builder: ir.IRBuilder, address: ir.Value, element: ir.Type) -> ir.Value:
    """A vector of the one number at ``address``."""
    number = builder.load(builder.inttoptr(address, POINTER), align=4, typ=element)
    vector = ir.VectorType(element, WIDTH)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.Constant(I32, 0))
    zeros = ir.Constant(ir.VectorType(I32, WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)


Arm = Callable[[Lanes, Variant, list[ir.Value]], None]


def _switch(builder: ir.IRBuilder, make: Callable[[], Lanes], args: Any, arm: Arm) -> None:
    """``switch (variant)`` with one arm a variant, each written by ``arm``."""
    function = builder.function
    end = function.append_basic_block("next")
    unreachable = function.append_basic_block("no_such_variant")
    switch = builder.switch(args[0], unreachable)
    for code, variant in enumerate(VARIANTS):
        block = function.append_basic_block(str(variant).replace(" ", "_"))
        switch.add_case(ir.Constant(args[0].type, code), block)
        builder.position_at_end(block)
        arm(make(), variant, list(args[1:]))
        builder.branch(end)
    builder.position_at_end(unreachable)
    builder.unreachable()
    builder.position_at_end(end)


def interval_bytes(dtype: str) -> int:
    """The size of a value over 64 regions: lower bounds, upper bounds, a mask of maybe-NaN."""
    return 2 * WIDTH * np.dtype(dtype).itemsize + 64


def interval_step(dtype: str, *, tame: bool) -> Any:
    """step(variant, out, left, right, choices): one clause over 64 regions.

    All but ``variant`` are addresses: of interval slots, or of a number where the variant has a
    constant operand; ``choices`` of two uint64, written by operations that have a choice.
    """
    span = WIDTH * np.dtype(dtype).itemsize

    def read(xp: Lanes, address: ir.Value, is_constant: bool) -> Interval:
        builder = xp.builder
        if is_constant:
            return constant(xp, Lane(builder, _splat_from(builder, address, xp.element)))
        lower, upper = (_load(builder, address, at, xp.vector) for at in (0, span))
        if xp.tame:
            nan = xp.no
        else:
            mask = _load(builder, address, 2 * span, I64)
            nan = Lane(builder, builder.bitcast(mask, ir.VectorType(I1, WIDTH)))
        return Interval(Lane(builder, lower), Lane(builder, upper), nan)

    def arm(xp: Lanes, variant: Variant, args: list[ir.Value]) -> None:
        builder = xp.builder
        out, left, right, choices = args
        operands = [
            read(xp, address, is_constant)
            for address, is_constant in zip((left, right), variant.constant, strict=False)
        ]
        result = RULES[variant.op](xp, *operands)
        _store(builder, xp._lift(result.lower).value, out, 0)
        _store(builder, xp._lift(result.upper).value, out, span)
        if not xp.tame:
            _store(builder, builder.bitcast(result.maybe_nan.value, I64), out, 2 * span)
        if OPS[variant.op].has_choice:
            choose = SIGN_CHOICES[variant.op] if variant.sign else CHOICES[variant.op]
            for at, only in zip((0, 8), choose(xp, *operands), strict=True):
                _store(builder, builder.bitcast(only.value, I64), choices, at)

    @intrinsic
    def step(typingctx, variant, out, left, right, choices):
        def codegen(context, builder, signature, args):
            _switch(builder, lambda: Lanes(builder, dtype, tame=tame), args, arm)
            return context.get_dummy_value()

        return types.void(types.int64, *[types.int64] * 4), codegen

    return step


def points_step(dtype: str, *, tame: bool, chunks: int) -> Any:
    """step(variant, out, left, right): one clause at ``64 * chunks`` points."""
    span = WIDTH * np.dtype(dtype).itemsize

    def arm(xp: Lanes, variant: Variant, args: list[ir.Value]) -> None:
        builder = xp.builder
        rule = OPS[variant.op].point
        assert rule is not None
        fixed = {
            side: Lane(builder, _splat_from(builder, args[1 + side], xp.element))
            for side, is_constant in enumerate(variant.constant)
            if is_constant
        }
        with cgutils.for_range(builder, ir.Constant(I64, chunks)) as loop:
            offset = builder.mul(loop.index, ir.Constant(I64, span))
            operands = [
                fixed[side]
                if is_constant
                else Lane(
                    builder, _load(builder, builder.add(args[1 + side], offset), 0, xp.vector)
                )
                for side, is_constant in enumerate(variant.constant)
            ]
            result = xp._lift(rule(xp, *operands))
            _store(builder, result.value, builder.add(args[0], offset), 0)

    @intrinsic
    def step(typingctx, variant, out, left, right):
        def codegen(context, builder, signature, args):
            _switch(builder, lambda: Lanes(builder, dtype, tame=tame), args, arm)
            return context.get_dummy_value()

        return types.void(types.int64, *[types.int64] * 3), codegen

    return step
