"""Intrinsics of kernels: typed memory, bits, atomics, rows of pixels, tests on lanes."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

from llvmlite import ir
from numba import njit
from numba.core import cgutils, types
from numba.extending import intrinsic

from intervalvm.jit.lanes import DOUBLE, I1, I32, I64, POINTER
from intervalvm.jit.layout import BLOCK, INSIDE, OUTSIDE, UNPROVEN

DOUBLE_BYTES = 8
"""The size of a float64."""
NUMBA_TYPES = {ir.VoidType(): types.void, I64: types.int64, DOUBLE: types.float64}
"""By LLVM's."""


def compile_flags() -> dict[str, Any]:
    """How every kernel is compiled: no fast-math, no contraction, no exceptions, no runtime."""
    return {"error_model": "numpy", "fastmath": False, "boundscheck": False, "_nrt": False}


FOR_KERNELS = compile_flags() | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
jit = njit(**FOR_KERNELS)


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


float32_at, float64_at = pointer_to(types.float32), pointer_to(types.float64)
uint8_at, uint16_at = pointer_to(types.uint8), pointer_to(types.uint16)
int32_at, uint32_at = pointer_to(types.int32), pointer_to(types.uint32)
int64_at, uint64_at = pointer_to(types.int64), pointer_to(types.uint64)


def call_of(linked: Any) -> Any:
    """run(*operands): a function with that name and signature, linked in later.

    All numbers are int64 or float64.
    """
    of = linked.signature
    returned = NUMBA_TYPES[of.return_type]

    @emitted(returned, *[NUMBA_TYPES[each] for each in of.args])
    def run(builder, *args):
        function = cgutils.get_or_insert_function(builder.module, of, linked.name)
        found = builder.call(function, args)
        return None if returned is types.void else found

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


@emitted(types.void, types.int64, types.int64)
def copy_64(builder, out, source):
    """Copy 64 bytes between addresses of numbers: a vector, not a call."""
    line = ir.VectorType(I32, 16)
    out, source = (builder.inttoptr(address, POINTER) for address in (out, source))
    builder.store(builder.load(source, align=4, typ=line), out, align=4)


@jit
def copy_block(out, source, itemsize):
    """Copy 16 numbers."""
    copy_64(out, source)
    if itemsize == DOUBLE_BYTES:
        copy_64(out + 64, source + 64)
