"""The rules of ``ops`` as LLVM vector code: a namespace that writes instructions.

``Lanes`` is the namespace ``xp`` of the rules, ``Lane`` an array: a vector of 64 values, which LLVM
lowers to the processor's vectors. Running a rule on them emits its instructions; ``interpreter``
makes an arm of each operation.

A *tame* namespace assumes that no NaN or infinity arises, which the walk has proven for the region:
tests for them are constants, and LLVM removes the dead code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from intervalvm.arith.arrays import CANONICAL_NAN
from intervalvm.jit.layout import LANES

POINTER = ir.PointerType()
I1, I32, I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
FLOAT, DOUBLE = ir.FloatType(), ir.DoubleType()
ELEMENT = {"float32": FLOAT, "float64": DOUBLE}

CHUNK = 8
"""The float64 of a call: one or two registers of any processor."""


Operator = Callable[["Lane", Any], "Lane"]


def _operator(of_floats: str, of_integers: str = "", *, swapped: bool = False) -> Operator:
    """An operator of lanes: the builder's instruction, and another for integers if there is."""

    def method(self: Lane, other: Any) -> Lane:
        is_integer = of_integers and isinstance(self.element, ir.IntType)
        a, b = self.value, self.lift(other)
        name = of_integers if is_integer else of_floats
        return self._arithmetic(name, *((b, a) if swapped else (a, b)))

    return method


def _comparison(test: str, how: str = "fcmp_ordered") -> Operator:
    """A comparison; with NaN only != holds."""

    def method(self: Lane, other: Any) -> Lane:
        return self._new(getattr(self.builder, how)(test, self.value, self.lift(other)))

    return method


class Lane:
    """A vector of values, with the operators that the rules use."""

    __slots__ = ("builder", "value")

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder, self.value = builder, value

    @property
    def element(self) -> ir.Type:
        """The type of one of the values."""
        return self.value.type.element

    def lift(self, other: Any) -> ir.Value:
        """A number as a vector of this one's type; a vector as it is."""
        if isinstance(other, Lane):
            return other.value
        return splat(self.element, float(other), self.value.type.count)

    def _new(self, value: ir.Value) -> Lane:
        return type(self)(self.builder, value)

    def _arithmetic(self, name: str, a: ir.Value, b: ir.Value) -> Lane:
        return self._new(getattr(self.builder, name)(a, b))

    __add__ = __radd__ = _operator("fadd", "add")
    __sub__, __rsub__ = _operator("fsub", "sub"), _operator("fsub", swapped=True)
    __mul__ = __rmul__ = _operator("fmul", "mul")
    __truediv__, __rtruediv__ = _operator("fdiv"), _operator("fdiv", swapped=True)
    __rshift__, __lshift__ = _operator("lshr"), _operator("shl")
    __and__, __or__ = _operator("and_"), _operator("or_")
    __xor__ = _operator("xor")
    __lt__, __le__ = _comparison("<"), _comparison("<=")
    __gt__, __ge__ = _comparison(">"), _comparison(">=")
    __eq__, __ne__ = _comparison("=="), _comparison("!=", "fcmp_unordered")  # type: ignore[assignment]

    def __neg__(self) -> Lane:
        return self._new(self.builder.fneg(self.value))

    def __invert__(self) -> Lane:
        return self._new(self.builder.not_(self.value))

    __hash__ = None  # type: ignore[assignment]


def number(element: ir.Type, value: float | int) -> ir.Constant:
    """A constant, rounded once to the element type."""
    if element == FLOAT:
        with np.errstate(over="ignore"):
            value = float(np.float32(value))
    return ir.Constant(element, value)


def splat(element: ir.Type, value: float | int, width: int) -> ir.Constant:
    """A vector constant of one number."""
    return _repeated(number(element, value), width)


@lru_cache(1024)  # formatting them would take half of the time in which loops are written
def _repeated(value: ir.Constant, width: int) -> ir.Constant:
    return ir.Constant(ir.VectorType(value.type, width), [value] * width)


def _function(name: str) -> Callable[[Lanes, Lane], Lane]:
    """A function of lanes by its LLVM intrinsic."""

    def method(self: Lanes, a: Lane) -> Lane:
        return self._call(name, a)

    return method


class Lanes:
    """The namespace of the rules: it writes instructions on vectors of ``width`` values."""

    def __init__(self, builder: ir.IRBuilder, dtype: str, width: int, *, tame: bool) -> None:
        self.builder, self.tame, self.width = builder, tame, width
        self.element = ELEMENT[dtype]
        self.bit_type = I32 if dtype == "float32" else I64
        self.itemsize = 4 if dtype == "float32" else 8
        self.vector = self._vector(self.element)
        self.inf, self.nan = self._lift(float("inf")), self._lift(float("nan"))
        self.no = self._constant(I1, 0)
        # careful bounds, which prove that a walk is tame, contain the tame ones
        self.slack = 1.0 if tame else 4.0

    def _vector(self, element: ir.Type) -> ir.VectorType:
        return ir.VectorType(element, self.width)

    def _lift(self, a: Any, element: ir.Type | None = None) -> Lane:
        return a if isinstance(a, Lane) else self._constant(element or self.element, a)

    def _lane(self, value: ir.Value) -> Lane:
        return Lane(self.builder, value)

    def _constant(self, element: ir.Type, number: float | int) -> Lane:
        return self._lane(splat(element, number, self.width))

    def _call(self, name: str, *operands: Lane) -> Lane:
        """The LLVM intrinsic ``name`` on vectors."""
        kind = operands[0].value.type
        suffix = f"v{self.width}f{64 if kind.element == DOUBLE else 32}"
        signature = ir.FunctionType(kind, [kind] * len(operands))
        function = cgutils.get_or_insert_function(
            self.builder.module, signature, f"llvm.{name}.{suffix}"
        )
        return self._lane(self.builder.call(function, [o.value for o in operands]))

    def scalar(self, number: float) -> Lane:
        return self._lift(number)

    def where(self, condition: Lane, a: Any, b: Any) -> Lane:
        known = next((v for v in (a, b) if isinstance(v, Lane)), None)
        element = known.element if known else self.element
        chosen = self.builder.select(
            condition.value, self._lift(a, element).value, self._lift(b, element).value
        )
        return self._lane(chosen)

    def isnan(self, a: Lane) -> Lane:
        if self.tame:
            return self.no
        return self._lane(self.builder.fcmp_unordered("uno", a.value, a.value))

    def isinf(self, a: Lane) -> Lane:
        return self.no if self.tame else self.abs(a) == float("inf")

    abs, sqrt = _function("fabs"), _function("sqrt")
    floor, ceil, trunc = _function("floor"), _function("ceil"), _function("trunc")

    def copysign(self, a: Any, b: Lane) -> Lane:
        return self._call("copysign", self._lift(a), b)

    def lesser(self, a: Lane, b: Any) -> Lane:
        b = self._lift(b, a.element)
        return self.where(a < b, a, b)

    def greater(self, a: Lane, b: Any) -> Lane:
        b = self._lift(b, a.element)
        return self.where(a > b, a, b)

    def minimum(self, a: Lane, b: Lane) -> Lane:
        return self.where((a < b) | self.isnan(a), a, b)

    def maximum(self, a: Lane, b: Lane) -> Lane:
        return self.where((a > b) | self.isnan(a), a, b)

    def uint32(self, number: int) -> Lane:
        return self._constant(I32, number)

    def below(self, a: Lane) -> Lane:
        """For a > 0 the bit pattern of the float below is one less."""
        vector = self._vector(self.bit_type)
        bits = self.builder.bitcast(a.value, vector)
        lower = self.builder.sub(bits, self._constant(self.bit_type, 1).value)
        return self._lane(self.builder.bitcast(lower, self.vector))

    def next_above(self, a: Lane) -> Lane:
        """The next float upwards: one more in its bits, or one less below 0; inf stays."""
        builder, vector = self.builder, self._vector(self.bit_type)
        number = a + 0.0  # -0 becomes 0
        bits = builder.bitcast(number.value, vector)
        sign = builder.ashr(bits, splat(self.bit_type, 8 * self.itemsize - 1, self.width))
        step = builder.or_(sign, splat(self.bit_type, 1, self.width))
        above = Lane(builder, builder.bitcast(builder.add(bits, step), self.vector))
        return above if self.tame else self.where(a == float("inf"), a, above)

    def next_below(self, a: Lane) -> Lane:
        return -self.next_above(-a)

    def bits(self, a: Lane) -> Lane:
        single = a.value
        if self.element == DOUBLE:
            single = self.builder.fptrunc(single, self._vector(FLOAT))
        raw = self.builder.bitcast(single, self._vector(I32))
        nan = self.builder.fcmp_unordered("uno", single, single)
        canonical = self._constant(I32, CANONICAL_NAN).value
        return self._lane(self.builder.select(nan, canonical, raw))

    def from_bits(self, bits: Lane) -> Lane:
        single = self.builder.bitcast(bits.value, self._vector(FLOAT))
        if self.element == DOUBLE:
            single = self.builder.fpext(single, self.vector)
        return self._lane(single)

    @property
    def is_single(self) -> bool:
        """Whether numbers are float32."""
        return bool(self.element == FLOAT)

    def wide(self, a: Lane) -> Lane:
        if self.element == DOUBLE:
            return a
        return self._lane(self.builder.fpext(a.value, self._vector(DOUBLE)))

    def narrow(self, a: Lane) -> Lane:
        if self.element == DOUBLE:
            return a
        return self._lane(self.builder.fptrunc(a.value, self.vector))

    def uint64(self, number: int) -> Lane:
        return self._constant(I64, number)

    def bits64(self, a: Lane) -> Lane:
        return self._lane(self.builder.bitcast(a.value, self._vector(I64)))

    def from_bits64(self, bits: Lane) -> Lane:
        return self._lane(self.builder.bitcast(bits.value, self._vector(DOUBLE)))

    def take(self, table: tuple[int, ...], places: Lane) -> Lane:
        base = _table(self.builder.module, table)
        found = ir.Constant(places.value.type, ir.Undefined)
        for lane in range(self.width):
            index = ir.Constant(I32, lane)
            place = self.builder.extract_element(places.value, index)
            word = self.builder.load(self.builder.gep(base, [place], source_etype=I64), typ=I64)
            found = self.builder.insert_element(found, word, index)
        return self._lane(found)

    def rarely(
        self, mask: Lane, compute: Callable[[], tuple[Lane, ...]], other: tuple[Lane, ...]
    ) -> tuple[Lane, ...]:
        """A branch around ``compute``, taken if no lane needs it."""
        builder = self.builder
        word = builder.bitcast(mask.value, ir.IntType(self.width))
        before = builder.block
        with builder.if_then(builder.icmp_unsigned("!=", word, word.type(0)), likely=False):
            chosen = [self.where(mask, a, b) for a, b in zip(compute(), other, strict=True)]
            computed = builder.block
        return self._merged(chosen, computed, other, before)

    def _merged(
        self, chosen: Iterable[Lane], computed: ir.Block, other: Iterable[Lane], before: ir.Block
    ) -> tuple[Lane, ...]:
        """The phi of two blocks: ``chosen`` from one, ``other`` from the other."""
        merged = []
        for lane, without in zip(chosen, other, strict=True):
            phi = self.builder.phi(lane.value.type)
            phi.add_incoming(lane.value, computed)
            phi.add_incoming(without.value, before)
            merged.append(self._lane(phi))
        return tuple(merged)

    def fmod(self, a: Lane, b: Lane) -> Lane:
        """The exact remainder; through float64 also for float32, where it is no less exact."""
        module = self.builder.module
        scalar = cgutils.get_or_insert_function(
            module, ir.FunctionType(DOUBLE, [DOUBLE, DOUBLE]), "fmod"
        )

        def remainder(xp: Lanes, a: Lane, b: Lane) -> Lane:
            first = ir.Constant(I32, 0)
            numbers = [xp.builder.extract_element(lane.value, first) for lane in (a, b)]
            return spread_number(xp.builder, xp.builder.call(scalar, numbers), 1)

        return self.narrow(self.call(remainder, self.wide(a), self.wide(b), rare=True))

    def call(self, function: Any, *operands: Lane, results: int = 1, rare: bool = False) -> Any:
        """``function`` of float64 vectors, through memory: its code stands in the module once.

        It goes over the values by ``CHUNK``; a ``rare`` one by one, which is shorter. One result is
        a vector, more are a tuple.
        """
        builder, vector = self.builder, self._vector(DOUBLE)
        chunk = 1 if rare else CHUNK
        width = max(self.width, chunk)
        slots = [
            cgutils.alloca_once(builder, ir.VectorType(DOUBLE, width))
            for _ in range(max(len(operands), results))
        ]
        for slot, operand in zip(slots, operands, strict=False):
            whole = operand
            if self.width < chunk:  # the lanes beyond repeat the others
                whole = shuffle(operand, [lane % self.width for lane in range(width)])
            builder.store(whole.value, slot)
        loop = vector_loop(builder.module, function, len(operands), len(slots), chunk)
        pointers = [builder.bitcast(slot, POINTER) for slot in slots]
        builder.call(loop, [*pointers, ir.Constant(I64, width // chunk)])
        found = tuple(Lane(builder, builder.load(slot, typ=vector)) for slot in slots[:results])
        return found[0] if results == 1 else found


def vector_loop(
    module: ir.Module, function: Any, arity: int, slots: int, chunk: int
) -> ir.Function:
    """A function that applies a rule to float64 vectors in memory, and writes over its operands."""
    symbol = f"intervalvm_{function.__name__}"
    if symbol in module.globals:
        return module.globals[symbol]
    kind = ir.FunctionType(ir.VoidType(), [POINTER] * slots + [I64])
    written = ir.Function(module, kind, symbol)
    written.linkage = "linkonce_odr"
    written.attributes.add("noinline")
    builder = ir.IRBuilder(written.append_basic_block())
    *pointers, count = written.args
    with cgutils.for_range(builder, count) as loop:
        vector = ir.VectorType(DOUBLE, chunk)
        places = [builder.gep(p, [loop.index], source_etype=vector) for p in pointers]
        operands = [
            Lane(builder, builder.load(place, typ=vector, align=8)) for place in places[:arity]
        ]
        found = function(Lanes(builder, "float64", chunk, tame=False), *operands)
        for lane, place in zip(
            found if isinstance(found, tuple) else (found,), places, strict=False
        ):
            builder.store(lane.value, place, align=8)
    builder.ret_void()
    return written


def _table(module: ir.Module, words: tuple[int, ...]) -> ir.Value:
    """The address of constant words."""
    symbol = f"intervalvm_words_{len(words)}"
    if symbol not in module.globals:
        kind = ir.ArrayType(I64, len(words))
        constant = ir.GlobalVariable(module, kind, symbol)
        constant.linkage = "internal"
        constant.global_constant = True
        constant.initializer = ir.Constant(kind, list(words))
    return module.globals[symbol]


# --- memory and masks -----------------------------------------------------------------------------


def slot_at(builder: ir.IRBuilder, base: ir.Value, index: ir.Value, stride: int) -> ir.Value:
    """The address of slot ``index`` of an array whose slots are ``stride`` bytes apart."""
    return builder.add(base, builder.mul(index, ir.Constant(I64, stride)))


def load(builder: ir.IRBuilder, address: ir.Value, offset: int, kind: ir.Type) -> ir.Value:
    """A ``kind`` from memory, aligned to 4 bytes."""
    place = builder.add(address, ir.Constant(I64, offset))
    return builder.load(builder.inttoptr(place, POINTER), align=4, typ=kind)


def store(builder: ir.IRBuilder, value: ir.Value, address: ir.Value, offset: int) -> None:
    """Write a value to memory, aligned to 4 bytes."""
    place = builder.add(address, ir.Constant(I64, offset))
    builder.store(value, builder.inttoptr(place, POINTER), align=4)


def shuffle(lane: Lane, places: list[int]) -> Lane:
    """The lanes of ``lane`` at ``places``."""
    order = ir.Constant(ir.VectorType(I32, len(places)), places)
    empty = ir.Constant(lane.value.type, ir.Undefined)
    return Lane(lane.builder, lane.builder.shuffle_vector(lane.value, empty, order))


def spread_number(builder: ir.IRBuilder, number: ir.Value, width: int) -> Lane:
    """A vector of one number."""
    vector = ir.VectorType(number.type, 1)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.Constant(I32, 0))
    return shuffle(Lane(builder, first), [0] * width)


def load_number(
    builder: ir.IRBuilder, address: ir.Value, offset: int, kind: ir.Type, width: int
) -> Lane:
    """A vector of one number from memory."""
    return spread_number(builder, load(builder, address, offset, kind), width)


def mask_word(mask: Lane) -> ir.Value:
    """A vector of truth values as the low bits of an int64."""
    width = mask.value.type.count
    bits = mask.builder.bitcast(mask.value, ir.IntType(width))
    return bits if width == LANES else mask.builder.zext(bits, I64)
