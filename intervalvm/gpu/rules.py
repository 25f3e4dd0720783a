"""Device functions that compute one record: at a point, or over a box.

Each is one ``switch`` over the variants of ``compiler.program``, its arms made by the rules of
``compiler.records``: as instructions for the GPU, and as NumPy scalars in the simulator. ``kinds``
has them by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import cuda

from intervalvm.arith.arrays import IntervalArrays
from intervalvm.compiler.program import VARIANTS, Variant
from intervalvm.compiler.records import is_combination, is_long
from intervalvm.gpu.kinds import KINDS, Function
from intervalvm.gpu.scalars import Scalar, Scalars, own_function, packed
from intervalvm.gpu.target import SIMULATED, intrinsic, types
from intervalvm.jit.intrinsics import with_operands
from intervalvm.jit.lanes import ELEMENT, I1, I64


@dataclass(frozen=True)
class DeviceFunctions:
    """The device functions for a dtype, careful or tame."""

    point: Any
    bounds: Any
    strict: Any
    literal: Any
    constant: Any
    dual: Any


@lru_cache
def device_functions(dtype: str, *, tame: bool) -> DeviceFunctions:
    make = _simulated if SIMULATED else _compiled
    return DeviceFunctions(**{name: make(Function(name, dtype, tame)) for name in KINDS})


# --- in the simulator -----------------------------------------------------------------------------


def _simulated(function: Function) -> Any:
    """The same as a Python function of NumPy scalars."""
    dtype = np.dtype(function.dtype)
    xp, kind = IntervalArrays(dtype), function.kind
    n_numbers = kind.result[0]

    def scalar(value: Any) -> Any:
        return np.bool_(value) if isinstance(value, (bool, np.bool_)) else dtype.type(value)

    @cuda.jit(device=True)
    def run(*arguments: Any) -> Any:
        variant, bits, numbers = None, [], list(arguments)
        if kind.variants:
            variant = VARIANTS[int(numbers.pop(0))]
            assert variant in kind.variants
        if kind.bits:
            word = numbers.pop(0)
            bits = [np.bool_(int(word) >> k & 1) for k in range(kind.bits)]
        with np.errstate(all="ignore"):
            found = function.compute(xp, variant, [scalar(part) for part in numbers], bits)
        typed = [dtype.type(part) for part in found[:n_numbers]]
        typed += [bool(part) for part in found[n_numbers:]]
        return typed[0] if len(typed) == 1 else tuple(typed)

    return run


# --- for the GPU ----------------------------------------------------------------------------------


def _compiled(function: Function) -> Any:
    """The same as an intrinsic, which calls a function of the kernel's module."""
    kind, number = function.kind, types.float32 if function.dtype == "float32" else types.float64
    n_numbers, n_truths = kind.result
    parts = [number] * n_numbers + [types.boolean] * n_truths
    result = parts[0] if len(parts) == 1 else types.Tuple(parts)
    letters = {"n": number, "t": types.boolean}
    given = [types.int64] * (bool(kind.variants) + bool(kind.bits))
    given += [letters[letter] for letter in kind.operand * kind.count]
    signature = result(*given)

    def codegen(context: Any, builder: ir.IRBuilder, _signature: Any, args: Any) -> Any:
        found = written(function, builder, list(args))
        return found[0] if len(found) == 1 else context.make_tuple(builder, result, found)

    def typed(typingctx, *_):
        return signature, codegen

    return intrinsic(with_operands(typed, len(given)))


def written(function: Function, builder: ir.IRBuilder, args: list[ir.Value]) -> list[ir.Value]:
    """The code of a device function, where it is called: a switch, with the results merged."""
    kind = function.kind
    if not kind.variants:
        return _arm(function, builder, None, args)
    # long operations have a function of their own, or their registers would be the kernel's
    hot = [v for v in kind.variants if not is_long(v)]
    cold = [v for v in kind.variants if is_long(v)]
    return _switch(function, builder, hot, args, cold)


def _types(function: Function) -> list[ir.Type]:
    n_numbers, n_truths = function.kind.result
    return [ELEMENT[function.dtype]] * n_numbers + [I1] * n_truths


def _call_cold(
    function: Function, variants: Sequence[Variant], builder: ir.IRBuilder, args: list[ir.Value]
) -> list[ir.Value]:
    result = ir.LiteralStructType(_types(function))
    others, is_new = own_function(
        builder.module, f"{function.symbol}_cold", result, [arg.type for arg in args]
    )
    if is_new:
        inside = ir.IRBuilder(others.append_basic_block())
        args_inside = list(others.args)
        found = _switch(function, inside, variants, args_inside)
        inside.ret(packed(inside, found))
    called = builder.call(others, args)
    return [builder.extract_value(called, i) for i in range(len(_types(function)))]


def _switch(
    function: Function,
    builder: ir.IRBuilder,
    variants: Sequence[Variant],
    args: list[ir.Value],
    cold: Sequence[Variant] = (),
) -> list[ir.Value]:
    """One arm for the variants of each meaning, ``cold`` ones are called; phis merge results."""
    end = builder.function.append_basic_block("next")
    default = builder.function.append_basic_block("other")
    switch = builder.switch(args[0], default)
    incoming = []
    for same in _by_meaning(variants):
        block = builder.function.append_basic_block(str(same[0]).replace(" ", "_"))
        for variant in same:
            switch.add_case(ir.Constant(args[0].type, VARIANTS.index(variant)), block)
        builder.position_at_end(block)
        incoming.append((_arm(function, builder, same[0], args[1:]), builder.block))
        builder.branch(end)
    builder.position_at_end(default)
    others = [ir.Constant(kind, ir.Undefined) for kind in _types(function)]  # unreachable
    if cold:
        others = _call_cold(function, cold, builder, args)
    incoming.append((others, builder.block))
    builder.branch(end)
    builder.position_at_end(end)
    merged = []
    for i, kind in enumerate(_types(function)):
        phi = builder.phi(kind)
        for values, block in incoming:
            phi.add_incoming(values[i], block)
        merged.append(phi)
    return merged


def _by_meaning(variants: Sequence[Variant]) -> list[list[Variant]]:
    """Variants grouped by meaning: to a thread all kinds of operands are numbers."""
    groups: dict[tuple[Any, ...], list[Variant]] = {}
    for variant in variants:
        at = variant.kinds.index("x") if variant.op == "sum_less" else 0
        name = "copy" if variant.op == "spread" else variant.op
        groups.setdefault((name, at, is_combination(variant)), []).append(variant)
    return list(groups.values())


def _arm(
    function: Function, builder: ir.IRBuilder, variant: Variant | None, args: list[ir.Value]
) -> list[ir.Value]:
    kind, bits = function.kind, []
    if kind.bits:
        word, *args = args
        shifted = (builder.lshr(word, ir.Constant(I64, k)) for k in range(kind.bits))
        bits = [Scalar(builder, builder.trunc(each, I1)) for each in shifted]
    xp = Scalars(builder, function.dtype, tame=function.tame)
    if function.tame and kind.is_of_boxes:  # no operand is NaN
        args = [xp.no.value if arg.type == I1 else arg for arg in args]
    found = function.compute(xp, variant, [Scalar(builder, arg) for arg in args], bits)
    n_numbers = kind.result[0]
    return [xp._lift(part, None if i < n_numbers else I1).value for i, part in enumerate(found)]
