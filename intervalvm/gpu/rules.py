"""Device functions that compute one record: at a point, or over a box.

Each is one ``switch`` over the variants of ``compiler.program``, its arms made by the rules of
``compiler.records``: as instructions for the GPU, and as NumPy scalars in the simulator. A call has
three operands, of which an arm uses its arity.

==========================  ====================================================================
``point(v, a, b, c)``       the value at a point; a truth is 1 or 0
``bounds(v, *operands)``    (lower, upper, maybe_nan, left_only, right_only), operands likewise as
                            lower, upper, maybe_nan, three times
``literal(v, *operands)``   (always, never)
``constant(number)``        (lower, upper, maybe_nan)
==========================  ====================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import cuda

from intervalvm.arith.arrays import IntervalArrays
from intervalvm.compiler.program import VARIANTS, Variant
from intervalvm.compiler.records import (
    COMBINATIONS,
    LITERALS,
    choice,
    interval_value,
    is_combination,
    is_long,
    point_value,
    proven,
)
from intervalvm.gpu.scalars import Scalar, Scalars, own_function, packed
from intervalvm.gpu.target import SIMULATED, intrinsic, types
from intervalvm.jit.intrinsics import with_operands
from intervalvm.jit.lanes import ELEMENT, I1
from intervalvm.ops.row import Interval, constant

MOST_OPERANDS = 3


@dataclass(frozen=True)
class DeviceFunctions:
    """The device functions for a dtype, careful or tame."""

    point: Any
    bounds: Any
    literal: Any
    constant: Any


@lru_cache
def device_functions(dtype: str, *, tame: bool) -> DeviceFunctions:
    make = _simulated if SIMULATED else _compiled
    return DeviceFunctions(**{name: make(Function(name, dtype, tame)) for name in KINDS})


# --- what the functions compute, over any namespace -----------------------------------------------


def _point(variant: Variant, xp: Any, operands: list[Any]) -> tuple[Any, ...]:
    if is_combination(variant):
        a, b = (operand != 0.0 for operand in operands)
        value = COMBINATIONS[variant.op](a, ~a, b, ~b)[0]
    else:
        value = point_value(variant, xp, operands)
    return (xp.where(value, 1.0, 0.0) if variant.out == "t" else value,)


def _bounds(variant: Variant, xp: Any, operands: list[Any]) -> tuple[Any, ...]:
    found = interval_value(variant, xp, operands)
    only = choice(variant, xp, operands) if variant.has_choice else (xp.no, xp.no)
    return (*found, *only)


def _constant(_variant: None, xp: Any, operands: list[Any]) -> tuple[Any, ...]:
    return tuple(constant(xp, operands[0], operands[0]))


@dataclass(frozen=True)
class Function:
    """One device function: ``name`` of ``KINDS``."""

    name: str
    dtype: str
    tame: bool

    @property
    def kind(self) -> Kind:
        return KINDS[self.name]

    @property
    def symbol(self) -> str:
        manner = "tame" if self.tame else "careful"
        return f"intervalvm_{self.name}_{self.dtype}_{manner}"

    def operands(self, numbers: Iterable[Any], variant: Variant | None) -> list[Any]:
        """The operands of a variant: numbers, or intervals."""
        given = list(numbers)
        if self.kind.over_boxes:
            given = [Interval(*given[i : i + 3]) for i in range(0, len(given), 3)]
        return given if variant is None else given[: len(variant.kinds)]


@dataclass(frozen=True)
class Kind:
    """``compute(variant, namespace, operands)`` for ``variants``; ``result`` counts the numbers and
    the truths of a result, ``over_boxes`` is set for operands that are intervals."""

    compute: Callable[..., tuple[Any, ...]]
    variants: list[Variant]
    result: tuple[int, int]
    over_boxes: bool = True


KINDS = {
    "point": Kind(_point, list(VARIANTS), (1, 0), over_boxes=False),
    "bounds": Kind(_bounds, [v for v in VARIANTS if v.out != "t"], (2, 3)),
    "literal": Kind(proven, [v for v in VARIANTS if v.op in LITERALS], (0, 2)),
    "constant": Kind(_constant, [], (2, 1), over_boxes=False),
}


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
        variant, numbers = None, arguments
        if kind.variants:
            variant, numbers = VARIANTS[int(arguments[0])], arguments[1:]
            assert variant in kind.variants
        with np.errstate(all="ignore"):
            operands = function.operands(map(scalar, numbers), variant)
            found = kind.compute(variant, xp, operands)
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
    taken = [number, number, types.boolean] if kind.over_boxes else [number]
    given = [types.int64, *taken * MOST_OPERANDS] if kind.variants else taken
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
    xp = Scalars(builder, function.dtype, tame=function.tame)
    if function.tame and function.kind.over_boxes:  # no operand is NaN
        args = [xp.no.value if arg.type == I1 else arg for arg in args]
    operands = function.operands((Scalar(builder, arg) for arg in args), variant)
    found = function.kind.compute(variant, xp, operands)
    n_numbers = function.kind.result[0]
    return [xp._lift(part, None if i < n_numbers else I1).value for i, part in enumerate(found)]
