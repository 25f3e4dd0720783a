"""Functions on depths: of the pixels of a leaf, which one draws, and of 4 x 4 leaves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

from llvmlite import ir

from intervalvm.jit.lanes import (
    I1,
    I32,
    I64,
    POINTER,
    Lane,
    load,
    mask_word,
    shuffle,
    splat,
    spread_number,
)
from intervalvm.jit.voxels.layout import TILE

LAYER = TILE * TILE
LINE, LINE_MASK = ir.VectorType(I32, TILE), ir.VectorType(I1, TILE)
FARTHER = splat(I32, 2**31 - 1, TILE)
"""Where there is no pixel, for the least of them."""


@dataclass(frozen=True)
class Drawing:
    """draw_voxels(pixels, stride, inside, depth, columns, lines): the least depth afterwards.

    ``pixels`` is the address of the leaf's first pixel, ``stride`` the bytes of a line; ``inside``
    has a bit a voxel, layer by layer from that of ``depth`` on. Only the leaf's own pixels are read
    or written, since its neighbours' may be those of other threads.
    """

    name: ClassVar[str] = "intervalvm_draw_voxels"
    signature: ClassVar[ir.FunctionType] = ir.FunctionType(I64, [I64] * 6)

    def write(self, module: ir.Module) -> None:
        """Add the function to a module."""
        function = ir.Function(module, self.signature, self.name)
        builder = ir.IRBuilder(function.append_basic_block())
        pixels, stride, inside, depth, columns, lines = function.args
        found = self._nearest(builder, inside, builder.trunc(depth, I32))
        read, write = _masked(module)
        numbers = ir.Constant(LINE, list(range(TILE)))
        count = spread_number(builder, builder.trunc(columns, I32), TILE).value
        within = builder.icmp_unsigned("<", numbers, count)
        least = []
        for line in range(TILE):
            is_there = builder.icmp_unsigned("<", I64(line), lines)
            mask = builder.and_(within, spread_number(builder, is_there, TILE).value)
            at = builder.inttoptr(builder.add(pixels, builder.mul(stride, I64(line))), POINTER)
            before = builder.call(read, [at, I32(4), mask, FARTHER])
            new = shuffle(found, list(range(TILE * line, TILE * line + TILE))).value
            after = builder.select(builder.icmp_signed(">", new, before), new, before)
            builder.call(write, [after, at, I32(4), mask])
            least.append(after)
        every = reduce(lambda a, b: builder.select(builder.icmp_signed("<", a, b), a, b), least)
        kind = ir.FunctionType(I32, [LINE])
        lowest = ir.Function(module, kind, f"llvm.vector.reduce.smin.v{TILE}i32")
        builder.ret(builder.sext(builder.call(lowest, [every]), I64))

    def _nearest(self, builder: ir.IRBuilder, inside: ir.Value, depth: ir.Value) -> Lane:
        """Of each pixel the depth of the nearest layer inside, 0 if none is."""
        found = splat(I32, 0, LAYER)
        for layer in reversed(range(TILE)):
            word = builder.trunc(builder.lshr(inside, I64(LAYER * layer)), ir.IntType(LAYER))
            mask = builder.bitcast(word, ir.VectorType(I1, LAYER))
            here = spread_number(builder, builder.sub(depth, I32(layer)), LAYER).value
            found = builder.select(mask, here, found)
        return Lane(builder, found)


@dataclass(frozen=True)
class Nearer:
    """nearer_than(least, stride, depth): the bits of those of 4 x 4 leaves with a lesser depth.

    ``least`` is the address of the first one's least depth, ``stride`` the bytes of a line. Beyond
    the last leaf there is room to read others.
    """

    name: ClassVar[str] = "intervalvm_nearer_than"
    signature: ClassVar[ir.FunctionType] = ir.FunctionType(I64, [I64] * 3)

    def write(self, module: ir.Module) -> None:
        """Add the function to a module."""
        function = ir.Function(module, self.signature, self.name)
        builder = ir.IRBuilder(function.append_basic_block())
        least, stride, depth = function.args
        limit, found = spread_number(builder, builder.trunc(depth, I32), TILE).value, I64(0)
        for line in range(TILE):
            at = builder.add(least, builder.mul(stride, I64(line)))
            mask = builder.icmp_signed("<", load(builder, at, 0, LINE), limit)
            bits = builder.shl(mask_word(Lane(builder, mask)), I64(TILE * line))
            found = builder.or_(found, bits)
        builder.ret(found)


def _masked(module: ir.Module) -> tuple[ir.Function, ir.Function]:
    """The loads and stores of some of a line's pixels."""
    read = ir.FunctionType(LINE, [POINTER, I32, LINE_MASK, LINE])
    write = ir.FunctionType(ir.VoidType(), [LINE, POINTER, I32, LINE_MASK])
    suffix = f"v{TILE}i32.p0"
    return (
        ir.Function(module, read, f"llvm.masked.load.{suffix}"),
        ir.Function(module, write, f"llvm.masked.store.{suffix}"),
    )
