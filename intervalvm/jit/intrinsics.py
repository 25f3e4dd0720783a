"""Intrinsics of kernels: typed memory, bits, atomics, rows of pixels, tests on lanes."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils, types
from numba.extending import intrinsic

from intervalvm.arith.arrays import tame_limit
from intervalvm.jit.lanes import ELEMENT, I1, I64, POINTER, Lane, Lanes, load, mask_word
from intervalvm.jit.layout import BLOCK, INSIDE, OUTSIDE, UNPROVEN, interval_offsets


def compile_flags() -> dict[str, Any]:
    """How every kernel is compiled: no fast-math, no contraction, no exceptions, no runtime."""
    return {"error_model": "numpy", "fastmath": False, "boundscheck": False, "_nrt": False}


jit = njit(**compile_flags())


def emitted(result: Any, *operands: Any) -> Callable[[Callable[..., Any]], Any]:
    """Makes an intrinsic of what writes its instructions: ``write(builder, *operands)``.

    The types are numba's. What writes an intrinsic without a result returns nothing.
    """

    def decorate(write: Callable[..., Any]) -> Any:
        def codegen(context: Any, builder: ir.IRBuilder, _: Any, args: Any) -> Any:
            found = write(builder, *args)
            return context.get_dummy_value() if found is None else found

        def typed(typingctx: Any, *_: Any) -> Any:
            del typingctx
            return result(*operands), codegen

        typed.__name__, typed.__doc__ = write.__name__, write.__doc__
        return intrinsic(with_operands(typed, len(operands)))

    return decorate


def with_operands(typed: Any, count: int) -> Any:
    """``typed(typingctx, *operands)`` with a signature of ``count`` operands, as numba asks for."""
    names = ["typingctx", *(f"operand_{i}" for i in range(count))]
    kind = Parameter.POSITIONAL_OR_KEYWORD  # numba passes no others
    typed.__signature__ = Signature([Parameter(name, kind) for name in names])
    return typed


def pointer_to(kind: Any) -> Any:
    @intrinsic
    def pointer(_typingctx, _address):
        def codegen(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.int64), codegen

    return pointer


uint8_at, uint16_at = pointer_to(types.uint8), pointer_to(types.uint16)
int32_at, uint32_at = pointer_to(types.int32), pointer_to(types.uint32)
int64_at, uint64_at = pointer_to(types.int64), pointer_to(types.uint64)


def call_of(loop: Any) -> Any:
    """run(arguments): a loop, linked in later."""

    @emitted(types.void, *[types.int64] * len(loop.signature.args))
    def run(builder, *args):
        function = cgutils.get_or_insert_function(builder.module, loop.signature, loop.name)
        builder.call(function, args)

    return run


@emitted(types.int64, types.uint64)
def first_bit(builder, mask):
    """The place of the lowest bit that is set; the mask is not 0."""
    return builder.cttz(mask, ir.Constant(I1, 1))


@emitted(types.int64, types.uint64)
def count_bits(builder, mask):
    return builder.ctpop(mask)


@emitted(types.int64, types.int64)
def take_next(builder, address):
    """Atomically add 1 to the int64 at an address; returns the old value."""
    place = builder.inttoptr(address, POINTER)
    return builder.atomic_rmw("add", place, ir.Constant(I64, 1), "acq_rel")


@emitted(types.void, types.int64, types.int64)
def publish(builder, address, value):
    """Store an int64 for other threads, with release order."""
    builder.atomic_rmw("xchg", builder.inttoptr(address, POINTER), value, "release")


@emitted(types.int64, types.int64)
def published(builder, address):
    """Load an int64 of another thread, with acquire order."""
    return builder.load_atomic(builder.inttoptr(address, POINTER), "acquire", 8, typ=I64)


@emitted(types.void, types.int64, types.int64, types.int64)
def fill_bytes(builder, address, count, value):
    memset = builder.module.declare_intrinsic("llvm.memset", [POINTER, I64])
    byte = builder.trunc(value, ir.IntType(8))
    builder.call(memset, [builder.inttoptr(address, POINTER), byte, count, ir.Constant(I1, 0)])


@emitted(types.void, types.int64, types.int64, types.int64)
def copy_bytes(builder, out, source, count):
    """Copy ``count`` bytes between addresses that do not overlap."""
    memcpy = builder.module.declare_intrinsic("llvm.memcpy", [POINTER, POINTER, I64])
    places = [builder.inttoptr(address, POINTER) for address in (out, source)]
    builder.call(memcpy, [*places, count, ir.Constant(I1, 0)])


@emitted(types.int64, types.int64, types.int64)
def write_row(builder, out, bits):
    """16 bytes, 255 for each bit that is set, else 0; returns how many are set."""
    word = builder.trunc(bits, ir.IntType(BLOCK))
    mask = builder.bitcast(word, ir.VectorType(I1, BLOCK))
    pixels = builder.sext(mask, ir.VectorType(ir.IntType(8), BLOCK))
    builder.store(pixels, builder.inttoptr(out, POINTER), align=1)
    return builder.zext(builder.ctpop(word), I64)


@emitted(types.void, types.int64, types.int64, types.int64)
def write_verdicts(builder, out, inside, outside):
    """16 bytes: 255 for each bit of ``inside``, 0 for one of ``outside``, else ``UNPROVEN``."""
    row = ir.VectorType(ir.IntType(8), BLOCK)
    words = [builder.trunc(bits, ir.IntType(BLOCK)) for bits in (inside, outside)]
    is_inside, is_outside = (builder.bitcast(w, ir.VectorType(I1, BLOCK)) for w in words)
    white, grey, black = (
        ir.Constant(row, [int(shade)] * BLOCK) for shade in (INSIDE, UNPROVEN, OUTSIDE)
    )
    pixels = builder.select(is_inside, white, builder.select(is_outside, black, grey))
    builder.store(pixels, builder.inttoptr(out, POINTER), align=1)


def copy_block_of(dtype: str) -> Any:
    """copy_block(out, source): 16 numbers."""
    block, align = ir.VectorType(ELEMENT[dtype], BLOCK), np.dtype(dtype).itemsize

    @emitted(types.void, types.int64, types.int64)
    def copy_block(builder, out, source):
        out, source = (builder.inttoptr(address, POINTER) for address in (out, source))
        builder.store(builder.load(source, align=align, typ=block), out, align=align)

    return copy_block


def tame_test(dtype: str, width: int) -> Any:
    """is_tame(slot): all bounds are finite, with a margin, and none may be NaN."""
    limit, (*ends, nan_at) = tame_limit(dtype), interval_offsets(dtype, width)

    @emitted(types.boolean, types.int64)
    def is_tame(builder, slot):
        xp = Lanes(builder, dtype, width, tame=False)
        lower, upper = (Lane(builder, load(builder, slot, at, xp.vector)) for at in ends)
        fits = mask_word(~((lower > -limit) & (upper < limit)))
        nan = load(builder, slot, nan_at, I64)
        return builder.icmp_unsigned("==", builder.or_(fits, nan), ir.Constant(I64, 0))

    return is_tame
