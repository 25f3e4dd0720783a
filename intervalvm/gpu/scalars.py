"""The rules of ``ops`` as code of one CUDA thread.

``Scalars`` is the namespace ``Lanes`` with scalars for vectors. Every rounding is explicit: a GPU's
compiler may contract a plain addition and a multiplication to ``fma``, which rounds once instead of
twice, and numba-cuda cannot disable that. Functions of libdevice with a rounding mode
(``__nv_fadd_rn``) become instructions that neither libNVVM nor ptxas contracts. There are no
addresses, so the code is valid in both LLVM dialects of libNVVM.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir

from intervalvm.jit.lanes import DOUBLE, FLOAT, I32, I64, Lane, Lanes, number

ROUNDED = {"fadd": "add_rn", "fmul": "mul_rn", "fdiv": "div_rn"}
"""Instructions and their replacements in libdevice. A difference is the sum with the negative, bit
for bit."""
EXACT = ("fabs", "floor", "ceil", "trunc", "copysign", "fmod")
LIBDEVICE = {"sqrt": "sqrt_rn"} | dict(zip(EXACT, EXACT, strict=True))
"""Exact or correctly rounded functions by the names of LLVM's intrinsics."""


def declared(module: ir.Module, name: str, result: ir.Type, operands: list[ir.Type]) -> Any:
    """The function ``name`` of a module, declared if necessary."""
    found = module.globals.get(name)
    return found or ir.Function(module, ir.FunctionType(result, operands), name)


def call_libdevice(builder: ir.IRBuilder, name: str, operands: list[ir.Value]) -> ir.Value:
    """Call a function of libdevice: ``__nv_fsqrt_rn`` and ``__nv_dsqrt_rn``, or ``__nv_floorf``."""
    kind = operands[0].type
    prefix, suffix = ("f", "f") if kind == FLOAT else ("d", "")
    symbol = f"__nv_{prefix}{name}" if name.endswith("_rn") else f"__nv_{name}{suffix}"
    function = declared(builder.module, symbol, kind, [kind] * len(operands))
    return builder.call(function, operands)


class Scalar(Lane):
    """A value of a thread, with the operators of the rules."""

    __slots__ = ()

    @property
    def element(self) -> ir.Type:
        return self.value.type

    def lift(self, other: Any) -> ir.Value:
        return other.value if isinstance(other, Lane) else number(self.element, float(other))

    def _arithmetic(self, name: str, a: ir.Value, b: ir.Value) -> Lane:
        if name == "fsub":
            name, b = "fadd", self._new(b).__neg__().value
        if name in ROUNDED:
            return self._new(call_libdevice(self.builder, ROUNDED[name], [a, b]))
        return super()._arithmetic(name, a, b)

    def __neg__(self) -> Lane:
        """By its sign bit: the older of the dialects has no instruction for it."""
        integer = I32 if self.element == FLOAT else I64
        bits = self.builder.bitcast(self.value, integer)
        flipped = self.builder.xor(bits, ir.Constant(integer, 1 << integer.width - 1))
        return self._new(self.builder.bitcast(flipped, self.element))


class Scalars(Lanes):
    """The namespace of the rules for one thread: it writes instructions on single numbers."""

    def __init__(self, builder: ir.IRBuilder, dtype: str, *, tame: bool) -> None:
        super().__init__(builder, dtype, 1, tame=tame)

    def _vector(self, element: ir.Type) -> ir.Type:
        return element

    def _lane(self, value: ir.Value) -> Lane:
        return Scalar(self.builder, value)

    def _constant(self, element: ir.Type, value: float | int) -> Lane:
        return self._lane(number(element, value))

    def _call(self, name: str, *operands: Lane) -> Lane:
        return self._lane(
            call_libdevice(self.builder, LIBDEVICE[name], [o.value for o in operands])
        )

    def take(self, table: tuple[int, ...], places: Lane) -> Lane:
        return self._lane(self.builder.call(_lookup(self.builder.module, table), [places.value]))

    def rarely(
        self, mask: Lane, compute: Callable[[], tuple[Lane, ...]], other: tuple[Lane, ...]
    ) -> tuple[Lane, ...]:
        builder, before = self.builder, self.builder.block
        with builder.if_then(mask.value, likely=False):
            chosen = compute()
            computed = builder.block
        return self._merged(chosen, computed, other, before)

    def fmod(self, a: Lane, b: Lane) -> Lane:
        """The exact remainder; through float64 also for float32, where it is no less exact."""

        def remainder(xp: Scalars, a: Lane, b: Lane) -> Lane:
            return xp._call("fmod", a, b)

        return self.narrow(self.call(remainder, self.wide(a), self.wide(b)))

    def call(self, function: Any, *operands: Lane, results: int = 1, rare: bool = False) -> Any:
        """``function`` of float64 numbers; its code stands in the module once."""
        del rare
        written = _function(self.builder.module, function, len(operands), results)
        value = self.builder.call(written, [operand.value for operand in operands])
        if results == 1:
            return self._lane(value)
        return tuple(self._lane(self.builder.extract_value(value, i)) for i in range(results))


def own_function(
    module: ir.Module, name: str, result: ir.Type, operands: list[ir.Type]
) -> tuple[ir.Function, bool]:
    """A function of the module by name, and whether it is new, without a body.

    It is not inlined, so that rare calls do not cost registers.
    """
    is_new = name not in module.globals
    function = declared(module, name, result, operands)
    if is_new:
        function.linkage = "linkonce_odr"
        function.attributes.add("noinline")
    return function, is_new


def packed(builder: ir.IRBuilder, values: Sequence[ir.Value]) -> ir.Value:
    """A structure of several results."""
    together = ir.Constant(ir.LiteralStructType([value.type for value in values]), ir.Undefined)
    for i, value in enumerate(values):
        together = builder.insert_value(together, value, i)
    return together


def _function(module: ir.Module, function: Any, arity: int, results: int) -> ir.Function:
    result = DOUBLE if results == 1 else ir.LiteralStructType([DOUBLE] * results)
    name = f"intervalvm_{function.__name__}"
    written, is_new = own_function(module, name, result, [DOUBLE] * arity)
    if is_new:
        builder = ir.IRBuilder(written.append_basic_block())
        xp = Scalars(builder, "float64", tame=False)
        found = function(xp, *(Scalar(builder, arg) for arg in written.args))
        if results == 1:
            builder.ret(found.value)
        else:
            builder.ret(packed(builder, [xp._lift(lane).value for lane in found]))
    return written


def _lookup(module: ir.Module, words: tuple[int, ...]) -> ir.Function:
    """The function from a place in ``words`` to the word there; 0 beyond them."""
    written, is_new = own_function(module, f"intervalvm_words_{len(words)}", I64, [I64])
    if is_new:
        builder = ir.IRBuilder(written.append_basic_block())
        end = written.append_basic_block()
        switch = builder.switch(written.args[0], end)
        start = builder.block
        builder.position_at_end(end)
        found = builder.phi(I64)
        found.add_incoming(ir.Constant(I64, 0), start)
        for place, word in enumerate(words):
            block = written.append_basic_block()
            switch.add_case(ir.Constant(I64, place), block)
            ir.IRBuilder(block).branch(end)
            found.add_incoming(ir.Constant(I64, word), block)
        builder.ret(found)
    return written
