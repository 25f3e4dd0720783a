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

from intervalvm.compiler.program import NUMBER, VARIANTS, Variant
from intervalvm.evaluate.arrays import CANONICAL_NAN
from intervalvm.evaluate.interval import CHOICES, RULES, Interval, constant
from intervalvm.ops import OPS

POINTER = ir.PointerType()
I1, I32, I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
FLOAT, DOUBLE = ir.FloatType(), ir.DoubleType()
ELEMENT = {"float32": FLOAT, "float64": DOUBLE}


class Lane:
    """A vector of values, with the operators that the rules use."""

    __slots__ = ("builder", "value")

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder, self.value = builder, value

    def lift(self, other: Any) -> ir.Value:
        """A number as a vector of this one's type; a vector as it is."""
        if isinstance(other, Lane):
            return other.value
        return splat(self.value.type.element, float(other), self.value.type.count)

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


def splat(element: ir.Type, number: float | int, width: int) -> ir.Constant:
    """A vector constant of one number, rounded once to the element type."""
    if element == FLOAT:
        with np.errstate(over="ignore"):
            number = float(np.float32(number))
    return ir.Constant(ir.VectorType(element, width), [ir.Constant(element, number)] * width)


class Lanes:
    """The namespace of the rules: it writes instructions on vectors of ``width`` values."""

    def __init__(self, builder: ir.IRBuilder, dtype: str, width: int, *, tame: bool) -> None:
        self.builder, self.tame, self.width = builder, tame, width
        self.element = ELEMENT[dtype]
        self.bit_type = I32 if dtype == "float32" else I64
        self.itemsize = 4 if dtype == "float32" else 8
        self.vector = self._vector(self.element)
        self.inf, self.nan = self._lift(float("inf")), self._lift(float("nan"))
        self.no = Lane(builder, splat(I1, 0, width))
        # Careful bounds, which prove that a walk may be tame, contain the tame ones in them.
        self.slack = 1.0 if tame else 4.0

    def _vector(self, element: ir.Type) -> ir.VectorType:
        return ir.VectorType(element, self.width)

    def _lift(self, a: Any, element: ir.Type | None = None) -> Lane:
        return (
            a
            if isinstance(a, Lane)
            else Lane(self.builder, splat(element or self.element, a, self.width))
        )

    def _call(self, name: str, *operands: Lane) -> Lane:
        """The LLVM intrinsic ``name`` on vectors."""
        kind = operands[0].value.type
        suffix = f"v{self.width}f{64 if kind.element == DOUBLE else 32}"
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
        return Lane(self.builder, splat(I32, number, self.width))

    def below(self, a: Lane) -> Lane:
        """For a > 0 the bit pattern of the float below is one less."""
        vector = self._vector(self.bit_type)
        bits = self.builder.bitcast(a.value, vector)
        lower = self.builder.sub(bits, splat(self.bit_type, 1, self.width))
        return Lane(self.builder, self.builder.bitcast(lower, self.vector))

    def bits(self, a: Lane) -> Lane:
        single = a.value
        if self.element == DOUBLE:
            single = self.builder.fptrunc(single, self._vector(FLOAT))
        raw = self.builder.bitcast(single, self._vector(I32))
        nan = self.builder.fcmp_unordered("uno", single, single)
        return Lane(
            self.builder, self.builder.select(nan, splat(I32, CANONICAL_NAN, self.width), raw)
        )

    def from_bits(self, bits: Lane) -> Lane:
        single = self.builder.bitcast(bits.value, self._vector(FLOAT))
        if self.element == DOUBLE:
            single = self.builder.fpext(single, self.vector)
        return Lane(self.builder, single)

    def wide(self, a: Lane) -> Lane:
        if self.element == DOUBLE:
            return a
        return Lane(self.builder, self.builder.fpext(a.value, self._vector(DOUBLE)))

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
        wide = self._vector(DOUBLE)
        slots = [cgutils.alloca_once(self.builder, wide) for _ in operands]
        for slot, operand in zip(slots, operands, strict=True):
            self.builder.store(operand.value, slot)
        loop = _libm_loop(self.builder.module, name, len(operands), self.width)
        pointers = [self.builder.bitcast(slot, POINTER) for slot in slots]
        self.builder.call(loop, pointers)
        return Lane(self.builder, self.builder.load(slots[0], typ=wide))


def _libm_loop(module: ir.Module, name: str, arity: int, width: int) -> ir.Function:
    """A function that applies libm's ``name`` to ``width`` float64, over its first operand."""
    symbol = f"intervalvm_{name}_{width}"
    if symbol in module.globals:
        return module.globals[symbol]
    kind = ir.FunctionType(DOUBLE, [DOUBLE] * arity)
    scalar = cgutils.get_or_insert_function(module, kind, name)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER] * arity), symbol)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    with cgutils.for_range(builder, ir.Constant(I64, width)) as loop:
        places = [builder.gep(p, [loop.index], source_etype=DOUBLE) for p in function.args]
        result = builder.call(scalar, [builder.load(place, typ=DOUBLE) for place in places])
        builder.store(result, places[0])
    builder.ret_void()
    return function


# --- steps: one record of a program -------------------------------------------------------------

SIDE, LANES = 8, 64
"""A region has 8 x 8 children: 8 values of what depends on one axis alone, 64 of the rest."""
BLOCK = 16
"""A leaf has 16 x 16 points."""


def interval_bytes(dtype: str, width: int) -> int:
    """The size of an interval slot: lower bounds, upper bounds, a mask of maybe-NaN."""
    return 2 * width * np.dtype(dtype).itemsize + 64


def _place(builder: ir.IRBuilder, base: ir.Value, index: ir.Value, stride: int) -> ir.Value:
    return builder.add(base, builder.mul(index, ir.Constant(I64, stride)))


def _load(builder: ir.IRBuilder, address: ir.Value, offset: int, kind: ir.Type) -> ir.Value:
    place = builder.add(address, ir.Constant(I64, offset))
    return builder.load(builder.inttoptr(place, POINTER), align=4, typ=kind)


def _store(builder: ir.IRBuilder, value: ir.Value, address: ir.Value, offset: int) -> None:
    place = builder.add(address, ir.Constant(I64, offset))
    builder.store(value, builder.inttoptr(place, POINTER), align=4)


def _shuffle(lane: Lane, places: list[int]) -> Lane:
    """The lanes of ``lane`` at ``places``."""
    order = ir.Constant(ir.VectorType(I32, len(places)), places)
    empty = ir.Constant(lane.value.type, ir.Undefined)
    return Lane(lane.builder, lane.builder.shuffle_vector(lane.value, empty, order))


def _spread_number(builder: ir.IRBuilder, number: ir.Value, width: int) -> Lane:
    """A vector of one number."""
    vector = ir.VectorType(number.type, 1)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.Constant(I32, 0))
    return _shuffle(Lane(builder, first), [0] * width)


def mask_word(mask: Lane) -> ir.Value:
    """A vector of truth values as the low bits of an int64."""
    width = mask.value.type.count
    bits = mask.builder.bitcast(mask.value, ir.IntType(width))
    return bits if width == LANES else mask.builder.zext(bits, I64)


Arm = Callable[[Variant, list[ir.Value]], None]


def _is_cold(variant: Variant) -> bool:
    return variant.op in OPS and OPS[variant.op].temporaries > 1


def _switch(builder: ir.IRBuilder, variants: Any, args: Any, arms: Callable[..., Arm]) -> None:
    """``switch (variant)`` with one arm for each of ``variants``, written by ``arms(builder)``.

    Operations of many instructions stand in a function of their own: in the loop they would take
    registers from the others, and their constants would be loaded whether they are met or not.
    """
    cold = _cold_function(builder.module, [v for v in variants if _is_cold(v)], args, arms)
    _write_arms(builder, [v for v in variants if not _is_cold(v)], args, arms(builder), cold)


def _cold_function(
    module: ir.Module, variants: Any, args: Any, arms: Callable[..., Arm]
) -> ir.Function:
    kind = ir.FunctionType(ir.VoidType(), [arg.type for arg in args])
    function = ir.Function(module, kind, module.get_unique_name("intervalvm_cold"))
    function.linkage = "internal"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    _write_arms(builder, variants, list(function.args), arms(builder), None)
    builder.ret_void()
    return function


def _write_arms(
    builder: ir.IRBuilder, variants: Any, args: Any, arm: Arm, other: ir.Function | None
) -> None:
    """The switch itself; what is none of ``variants`` is passed to ``other``, or impossible."""
    function = builder.function
    end = function.append_basic_block("next")
    default = function.append_basic_block("other")
    switch = builder.switch(args[0], default)
    for variant in variants:
        block = function.append_basic_block(str(variant).replace(" ", "_"))
        switch.add_case(ir.Constant(args[0].type, NUMBER[variant]), block)
        builder.position_at_end(block)
        arm(variant, list(args[1:]))
        builder.branch(end)
    builder.position_at_end(default)
    if other is None:
        builder.unreachable()
    else:
        builder.call(other, list(args))
        builder.branch(end)
    builder.position_at_end(end)


def _step(write: Callable[[ir.IRBuilder, list[ir.Value]], None], n_args: int) -> Any:
    """A numba intrinsic of ``n_args`` int64 arguments whose code is written by ``write``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        write(builder, args)
        return context.get_dummy_value()

    @intrinsic
    def step(typingctx, variant, out, left, right, third, full, axis, truth, numbers, choices):
        return types.void(*[types.int64] * n_args), codegen

    return step


class _IntervalArms:
    """Arms over ``width`` regions: 64 children, or 1 for the bounds of a whole box."""

    def __init__(self, builder: ir.IRBuilder, dtype: str, width: int, *, tame: bool) -> None:
        self.builder, self.dtype, self.width, self.tame = builder, dtype, width, tame
        self.itemsize = np.dtype(dtype).itemsize

    def namespace(self, width: int) -> Lanes:
        return Lanes(self.builder, self.dtype, width, tame=self.tame)

    def read(
        self, letter: str, index: ir.Value, width: int, bases: dict[str, ir.Value]
    ) -> Interval:
        """An operand as an interval of ``width`` lanes."""
        builder = self.builder
        if letter == "k":
            place = _place(builder, bases["k"], index, self.itemsize)
            number = _load(builder, place, 0, ELEMENT[self.dtype])
            return constant(self.namespace(width), _spread_number(builder, number, width))
        stored = self.width if letter == "f" else SIDE
        xp = self.namespace(stored)
        base = bases["f" if letter == "f" else "a"]
        place = _place(builder, base, index, interval_bytes(self.dtype, stored))
        span = stored * self.itemsize
        lower, upper = (Lane(builder, _load(builder, place, at, xp.vector)) for at in (0, span))
        nan = xp.no
        if not self.tame:
            word = builder.trunc(_load(builder, place, 2 * span, I64), ir.IntType(stored))
            nan = Lane(builder, builder.bitcast(word, ir.VectorType(I1, stored)))
        if stored == width:
            return Interval(lower, upper, nan)
        return Interval(*(_shuffle(part, OVER_CHILDREN[letter]) for part in (lower, upper, nan)))

    def write(
        self, result: Interval, out: ir.Value, bases: dict[str, ir.Value], letter: str
    ) -> None:
        builder, width = self.builder, self.width if letter == "f" else SIDE
        xp, span = self.namespace(width), width * self.itemsize
        place = _place(builder, bases[letter], out, interval_bytes(self.dtype, width))
        _store(builder, xp._lift(result.lower).value, place, 0)
        _store(builder, xp._lift(result.upper).value, place, span)
        if not self.tame:
            _store(builder, mask_word(result.maybe_nan), place, 2 * span)

    def __call__(self, variant: Variant, args: list[ir.Value]) -> None:
        builder = self.builder
        out, left, right, third, full, axis, truth, numbers, choices = args
        bases = {"k": numbers, "f": full, "a": axis}
        if variant.out == "t":
            self.truth(variant, out, (left, right, third), bases, truth, choices)
            return
        width = self.width if variant.out == "f" else SIDE
        operands = [
            self.read(letter, index, width, bases)
            for letter, index in zip(variant.kinds, (left, right), strict=False)
        ]
        xp = self.namespace(width)
        rule = RULES["copy" if variant.op == "spread" else variant.op]
        self.write(rule(xp, *operands), out, bases, variant.out)
        if variant.has_choice:
            place = _place(builder, choices, out, 16)
            for at, only in zip((0, 8), CHOICES[variant.op](xp, *operands), strict=True):
                word = mask_word(only)
                if variant.out == "a":
                    # Which axis it is does not matter to the rule, but to the children's masks.
                    word = self.axis_word(only, third)
                _store(builder, word, place, at)

    def axis_word(self, mask: Lane, is_y: ir.Value) -> ir.Value:
        """The children's mask of a mask over one axis, x or y as ``is_y`` says."""
        x, y = (mask_word(_shuffle(mask, OVER_CHILDREN[letter])) for letter in "xy")
        return self.builder.select(self.builder.icmp_signed("==", is_y, ir.Constant(I64, 0)), x, y)

    def truth(
        self,
        variant: Variant,
        out: ir.Value,
        places: tuple[ir.Value, ...],
        bases: dict[str, ir.Value],
        truth: ir.Value,
        choices: ir.Value,
    ) -> None:
        """Which children's truth is proven: two words, always and never."""
        builder = self.builder
        here = _place(builder, truth, out, 16)
        if variant.kinds == "tt":
            (always_a, always_b), (never_a, never_b) = (
                [_load(builder, _place(builder, truth, p, 16), at, I64) for p in places[:2]]
                for at in (0, 8)
            )
            # A false side of an ``or`` leaves the other, and so does a true side of an ``and``.
            if variant.op == "or":
                always_word = builder.or_(always_a, always_b)
                never_word = builder.and_(never_a, never_b)
                left_only, right_only = never_b, never_a
            else:
                always_word = builder.and_(always_a, always_b)
                never_word = builder.or_(never_a, never_b)
                left_only, right_only = always_b, always_a
            place = _place(builder, choices, out, 16)
            _store(builder, left_only, place, 0)
            _store(builder, right_only, place, 8)
        else:
            letters = variant.kinds
            on_axis = next((axis for axis in "xy" if set(letters) <= {axis, "k"}), None)
            width = SIDE if on_axis else self.width
            xp = self.namespace(width)
            values = [
                self.read("a" if on_axis and letter == on_axis else letter, place, width, bases)
                for letter, place in zip(letters, places, strict=False)
            ]
            if variant.op == "sum_less":
                at = letters.index("x")
                total = RULES["add"](xp, values[at], values[at + 1])
                values = [total, values[2]] if at == 0 else [values[0], total]
            a, b = values
            proven = [(a.upper < b.lower) & ~(a.maybe_nan | b.maybe_nan), a.lower >= b.upper]
            if on_axis:
                proven = [_shuffle(mask, OVER_CHILDREN[on_axis]) for mask in proven]
            always_word, never_word = map(mask_word, proven)
        _store(builder, always_word, here, 0)
        _store(builder, never_word, here, 8)


OVER_CHILDREN = {
    "x": [lane % SIDE for lane in range(LANES)],
    "y": [lane // SIDE for lane in range(LANES)],
}
"""For each of the 64 children, its place among the 8 columns or rows."""


def interval_step(dtype: str, *, tame: bool, width: int = LANES) -> Any:
    """step(variant, out, left, right, third, full, axis, truth, numbers, choices).

    One record over ``width`` regions. Places in the arrays ``full`` and ``axis`` (interval slots),
    ``truth`` (two words: always, never), ``numbers`` and ``choices`` (two words a record).
    """
    variants = [v for v in VARIANTS if width == LANES or set(v.kinds + v.out) <= {"f", "k"}]

    def write(builder: ir.IRBuilder, args: list[ir.Value]) -> None:
        _switch(builder, variants, args, lambda b: _IntervalArms(b, dtype, width, tame=tame))

    return _step(write, 10)


class _PointArms:
    """Arms over the 16 x 16 points of a leaf: 16 values of one axis, 16 rows of 16 of the rest."""

    def __init__(self, builder: ir.IRBuilder, dtype: str, *, tame: bool) -> None:
        self.builder, self.dtype, self.tame = builder, dtype, tame
        self.itemsize = np.dtype(dtype).itemsize

    def __call__(self, variant: Variant, args: list[ir.Value]) -> None:
        builder = self.builder
        out, left, right, third, full, axis, truth, numbers, _ = args
        if variant.kinds == "tt":
            words = ir.VectorType(I64, 4)
            a, b = (
                _load(builder, _place(builder, truth, p, TRUTH_BYTES), 0, words)
                for p in (left, right)
            )
            both = builder.or_(a, b) if variant.op == "or" else builder.and_(a, b)
            _store(builder, both, _place(builder, truth, out, TRUTH_BYTES), 0)
            return
        letters = variant.kinds
        pure = set(letters) <= {"f", "k"}  # no rows to tell apart: longer vectors
        width = LANES if pure and variant.out == "f" else BLOCK
        xp = Lanes(builder, self.dtype, width, tame=self.tame)
        bases = {"k": (numbers, self.itemsize), "f": (full, BLOCK * BLOCK * self.itemsize)}
        places = [
            _place(builder, base, place, stride)
            for letter, place in zip(letters, (left, right, third), strict=False)
            for base, stride in [bases.get(letter, (axis, BLOCK * self.itemsize))]
        ]
        on_axis = variant.out == "t" and any(set(letters) <= {axis, "k"} for axis in "xy")
        fixed: dict[int, Lane] = {}
        for side, (letter, place) in enumerate(zip(letters, places, strict=True)):
            if letter == "k":
                number = _load(builder, place, 0, xp.element)
                fixed[side] = _spread_number(builder, number, width)
            elif letter in "ax" or on_axis:
                fixed[side] = Lane(builder, _load(builder, place, 0, xp.vector))

        def value(row: ir.Value | None) -> Lane:
            operands = []
            for side, (letter, place) in enumerate(zip(letters, places, strict=True)):
                if side in fixed:
                    operands.append(fixed[side])
                    continue
                assert row is not None
                step = width if letter == "f" else 1
                at = builder.add(place, builder.mul(row, ir.Constant(I64, step * self.itemsize)))
                if letter == "y":
                    number = _load(builder, at, 0, xp.element)
                    operands.append(_spread_number(builder, number, width))
                else:
                    operands.append(Lane(builder, _load(builder, at, 0, xp.vector)))
            return self.result(variant, xp, operands)

        if variant.out == "a":
            place = _place(builder, axis, out, BLOCK * self.itemsize)
            _store(builder, value(None).value, place, 0)
            return
        if on_axis:
            self.write_axis_truth(value(None), letters, _place(builder, truth, out, TRUTH_BYTES))
            return
        stride = TRUTH_BYTES if variant.out == "t" else BLOCK * BLOCK * self.itemsize
        target = _place(builder, truth if variant.out == "t" else full, out, stride)
        rows = BLOCK * BLOCK // width
        with cgutils.for_range(builder, ir.Constant(I64, rows)) as loop:
            result = value(loop.index)
            size = 2 if variant.out == "t" else width * self.itemsize
            at = builder.add(target, builder.mul(loop.index, ir.Constant(I64, size)))
            if variant.out == "t":
                bits = builder.bitcast(result.value, ir.IntType(BLOCK))
                builder.store(bits, builder.inttoptr(at, POINTER), align=2)
            else:
                _store(builder, result.value, at, 0)

    def result(self, variant: Variant, xp: Lanes, operands: list[Lane]) -> Lane:
        if variant.op == "spread":
            return operands[0]
        if variant.op == "less":
            return operands[0] < operands[1]
        if variant.op == "sum_less":
            if variant.kinds[0] == "k":
                return operands[0] < operands[1] + operands[2]
            return operands[0] + operands[1] < operands[2]
        rule = OPS[variant.op].point
        assert rule is not None
        return xp._lift(rule(xp, *operands))

    def write_axis_truth(self, mask: Lane, letters: str, place: ir.Value) -> None:
        """The truth of 16 columns, or of 16 rows, at all 256 points."""
        builder, words = self.builder, ir.VectorType(ir.IntType(BLOCK), BLOCK)
        if "x" in letters:
            row = builder.bitcast(mask.value, ir.IntType(BLOCK))
            spread = _spread_number(builder, row, BLOCK).value
        else:
            spread = builder.sext(mask.value, words)
        _store(builder, spread, place, 0)


TRUTH_BYTES = BLOCK * BLOCK // 8


def points_step(dtype: str, *, tame: bool) -> Any:
    """step(variant, out, left, right, third, full, axis, truth, numbers, 0): at 16 x 16 points.

    ``full`` has 256 values a record, ``axis`` 16, ``truth`` 256 bits.
    """

    def write(builder: ir.IRBuilder, args: list[ir.Value]) -> None:
        _switch(builder, VARIANTS, args, lambda b: _PointArms(b, dtype, tame=tame))

    return _step(write, 10)
