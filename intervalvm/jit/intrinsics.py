"""What kernels are written with: typed memory, bits, atomics, rows of pixels, tests on lanes."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils, types
from numba.extending import intrinsic

from intervalvm.jit.interpreter import Loop
from intervalvm.jit.lanes import ELEMENT, I1, I64, POINTER, Lane, Lanes, load, mask_word
from intervalvm.jit.layout import BLOCK, INSIDE, OUTSIDE, UNPROVEN


def compile_flags() -> dict[str, Any]:
    """How every kernel is compiled: no fast-math, no contraction, no exceptions, no runtime."""
    return {"error_model": "numpy", "fastmath": False, "boundscheck": False, "_nrt": False}


jit = njit(**compile_flags())


def pointer_to(kind: Any) -> Any:
    @intrinsic
    def pointer(typingctx, address):
        def codegen(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.int64), codegen

    return pointer


uint8_at, uint16_at = pointer_to(types.uint8), pointer_to(types.uint16)
int32_at, uint32_at = pointer_to(types.int32), pointer_to(types.uint32)
int64_at, uint64_at = pointer_to(types.int64), pointer_to(types.uint64)


def call_of(loop: Loop) -> Any:
    """run(records, count, full, axis, truth, numbers, choices): a loop, linked in later."""

    @intrinsic
    def run(typingctx, records, count, full, axis, truth, numbers, choices):
        def codegen(context, builder, signature, args):
            function = cgutils.get_or_insert_function(builder.module, loop.signature, loop.name)
            builder.call(function, args)
            return context.get_dummy_value()

        return types.void(*[types.int64] * len(loop.ARGUMENTS)), codegen

    return run


@intrinsic
def first_bit(typingctx, mask):
    """The place of the lowest bit that is set; the mask is not 0."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(I1, 1))

    return types.int64(types.uint64), codegen


@intrinsic
def count_bits(typingctx, mask):
    def codegen(context, builder, signature, args):
        return builder.ctpop(args[0])

    return types.int64(types.uint64), codegen


@intrinsic
def take_next(typingctx, address):
    """Add 1 to the int64 at an address that threads share; returns what it was."""

    def codegen(context, builder, signature, args):
        place = builder.inttoptr(args[0], POINTER)
        return builder.atomic_rmw("add", place, ir.Constant(I64, 1), "acq_rel")

    return types.int64(types.int64), codegen


@intrinsic
def publish(typingctx, address, value):
    """Store an int64 that other threads wait for, after all that was stored before."""

    def codegen(context, builder, signature, args):
        builder.atomic_rmw("xchg", builder.inttoptr(args[0], POINTER), args[1], "release")
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def published(typingctx, address):
    """The int64 at an address that another thread publishes."""

    def codegen(context, builder, signature, args):
        place = builder.inttoptr(args[0], POINTER)
        return builder.load_atomic(place, "acquire", 8, typ=I64)

    return types.int64(types.int64), codegen


@intrinsic
def fill_bytes(typingctx, address, count, value):
    def codegen(context, builder, signature, args):
        memset = builder.module.declare_intrinsic("llvm.memset", [POINTER, I64])
        byte = builder.trunc(args[2], ir.IntType(8))
        builder.call(
            memset, [builder.inttoptr(args[0], POINTER), byte, args[1], ir.Constant(I1, 0)]
        )
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def copy_bytes(typingctx, out, source, count):
    """Copy ``count`` bytes between addresses that do not overlap."""

    def codegen(context, builder, signature, args):
        memcpy = builder.module.declare_intrinsic("llvm.memcpy", [POINTER, POINTER, I64])
        places = [builder.inttoptr(address, POINTER) for address in args[:2]]
        builder.call(memcpy, [*places, args[2], ir.Constant(I1, 0)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def write_row(typingctx, out, bits):
    """16 bytes, 255 for each bit that is set, else 0; returns how many are set."""

    def codegen(context, builder, signature, args):
        word = builder.trunc(args[1], ir.IntType(BLOCK))
        mask = builder.bitcast(word, ir.VectorType(I1, BLOCK))
        pixels = builder.sext(mask, ir.VectorType(ir.IntType(8), BLOCK))
        builder.store(pixels, builder.inttoptr(args[0], POINTER), align=1)
        return builder.zext(builder.ctpop(word), I64)

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def write_verdicts(typingctx, out, inside, outside):
    """16 bytes: 255 for each bit of ``inside``, 0 for one of ``outside``, else ``UNPROVEN``."""

    def codegen(context, builder, signature, args):
        row = ir.VectorType(ir.IntType(8), BLOCK)
        words = [builder.trunc(bits, ir.IntType(BLOCK)) for bits in args[1:]]
        is_inside, is_outside = (builder.bitcast(w, ir.VectorType(I1, BLOCK)) for w in words)
        white, grey, black = (
            ir.Constant(row, [int(shade)] * BLOCK) for shade in (INSIDE, UNPROVEN, OUTSIDE)
        )
        pixels = builder.select(is_inside, white, builder.select(is_outside, black, grey))
        builder.store(pixels, builder.inttoptr(args[0], POINTER), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


def copy_block_of(dtype: str) -> Any:
    """copy_block(out, source): 16 numbers."""
    block, align = ir.VectorType(ELEMENT[dtype], BLOCK), np.dtype(dtype).itemsize

    @intrinsic
    def copy_block(typingctx, out, source):
        def codegen(context, builder, signature, args):
            out, source = (builder.inttoptr(a, POINTER) for a in args)
            builder.store(builder.load(source, align=align, typ=block), out, align=align)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return copy_block


def tame_test(dtype: str, width: int) -> Any:
    """is_tame(slot): all bounds are finite, with room to spare, and none may be NaN."""
    limit = float(np.finfo(dtype).max) / 4

    @intrinsic
    def is_tame(typingctx, slot):
        def codegen(context, builder, signature, args):
            xp = Lanes(builder, dtype, width, tame=False)
            span = width * xp.itemsize
            lower = Lane(builder, load(builder, args[0], 0, xp.vector))
            upper = Lane(builder, load(builder, args[0], span, xp.vector))
            fits = mask_word(~((lower > -limit) & (upper < limit)))
            nan = load(builder, args[0], 2 * span, I64)
            return builder.icmp_unsigned("==", builder.or_(fits, nan), ir.Constant(I64, 0))

        return types.boolean(types.int64), codegen

    return is_tame
