"""Functions that sort points into cells: bounding boxes, and the number of each point's cell.

They read 16 numbers at a time, up to 15 beyond the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from intervalvm.jit.lanes import (
    DOUBLE,
    I32,
    I64,
    POINTER,
    Lane,
    Lanes,
    load,
    shuffle,
    slot_at,
    spread_number,
    store,
)
from intervalvm.jit.request import GROUP

IDS = ir.Constant(ir.VectorType(I64, GROUP), list(range(GROUP)))


@dataclass(frozen=True)
class Extremes:
    """extremes(source, count, out): three float64, the least and the greatest, and 1 if any is NaN.

    Without a number they are infinity and -infinity.
    """

    dtype: str

    name: ClassVar[str] = "intervalvm_extremes"
    signature: ClassVar[ir.FunctionType] = ir.FunctionType(ir.VoidType(), [I64] * 3)

    def write(self, module: ir.Module) -> None:
        """Add the function to a module."""
        function = ir.Function(module, self.signature, self.name)
        builder = ir.IRBuilder(function.append_basic_block())
        (source, count, out), size = function.args, np.dtype(self.dtype).itemsize
        xp = Lanes(builder, self.dtype, GROUP, tame=False)
        found = [cgutils.alloca_once(builder, xp.vector) for _ in range(3)]
        for place, start in zip(found, (xp.inf, -xp.inf, xp.scalar(0.0)), strict=True):
            builder.store(start.value, place)
        groups = builder.sdiv(builder.add(count, I64(GROUP - 1)), I64(GROUP))
        with cgutils.for_range(builder, groups) as loop:
            at = slot_at(builder, source, loop.index, GROUP * size)
            given = Lane(builder, load(builder, at, 0, xp.vector))
            left = builder.sub(count, builder.mul(loop.index, I64(GROUP)))
            is_there = Lane(
                builder, builder.icmp_signed("<", IDS, spread_number(builder, left, GROUP).value)
            )
            low, high, nan = (Lane(builder, builder.load(p, typ=xp.vector)) for p in found)
            for place, lane in zip(
                found,
                (
                    xp.where(is_there & (given < low), given, low),
                    xp.where(is_there & (given > high), given, high),
                    xp.where(is_there & xp.isnan(given), 1.0, nan),
                ),
                strict=True,
            ):
                builder.store(lane.value, place)
        low, high, nan = (Lane(builder, builder.load(p, typ=xp.vector)) for p in found)
        for k, (lane, is_less) in enumerate(((low, True), (high, False), (nan, False))):
            one = _folded(lane, is_less)
            store(builder, one, out, 8 * k)
        builder.ret_void()


def _folded(lane: Lane, is_less: bool) -> ir.Value:
    """The least or the greatest of a vector, as a float64."""
    width = lane.value.type.count
    while width > 1:
        width //= 2
        a, b = (shuffle(lane, list(range(start, start + width))) for start in (0, width))
        first = a < b if is_less else a > b
        lane = Lane(a.builder, a.builder.select(first.value, a.value, b.value))
    number = lane.builder.extract_element(lane.value, ir.Constant(I32, 0))
    return number if number.type == DOUBLE else lane.builder.fpext(number, DOUBLE)


@dataclass(frozen=True)
class Keys:
    """write_keys(source, count, keys, low, scale, cells, is_first): a uint8 of each number.

    The cell of ``x`` is ``(x - low) * scale``, limited to 0 to ``cells - 1``; 0 for NaN. It is the
    key, or the last part of what the keys were before.
    """

    dtype: str

    name: ClassVar[str] = "intervalvm_write_keys"
    signature: ClassVar[ir.FunctionType] = ir.FunctionType(
        ir.VoidType(), [I64, I64, I64, DOUBLE, DOUBLE, I64, I64]
    )

    def write(self, module: ir.Module) -> None:
        """Add the function to a module."""
        function = ir.Function(module, self.signature, self.name)
        builder = ir.IRBuilder(function.append_basic_block())
        source, count, keys, low, scale, cells, is_first = function.args
        byte, size = ir.IntType(8), np.dtype(self.dtype).itemsize
        xp, row = Lanes(builder, self.dtype, GROUP, tame=False), ir.VectorType(byte, GROUP)

        def spread(number: ir.Value) -> Lane:
            if xp.element != DOUBLE:
                number = builder.fptrunc(number, xp.element)
            return spread_number(builder, number, GROUP)

        lowest, per_cell = spread(low), spread(scale)
        most = spread(builder.sitofp(builder.sub(cells, I64(1)), DOUBLE))
        times = builder.select(builder.icmp_signed("!=", is_first, I64(0)), I64(0), cells)
        times = spread_number(builder, builder.trunc(times, byte), GROUP).value
        groups = builder.sdiv(builder.add(count, I64(GROUP - 1)), I64(GROUP))
        with cgutils.for_range(builder, groups) as loop:
            at = slot_at(builder, source, loop.index, GROUP * size)
            cell = (Lane(builder, load(builder, at, 0, xp.vector)) - lowest) * per_cell
            cell = xp.where(cell > 0.0, cell, 0.0)
            cell = xp.where(cell < most, cell, most)
            number = builder.trunc(builder.fptosi(cell.value, ir.VectorType(I32, GROUP)), row)
            place = builder.inttoptr(slot_at(builder, keys, loop.index, GROUP), POINTER)
            before = builder.mul(builder.load(place, align=1, typ=row), times)
            builder.store(builder.add(before, number), place, align=1)
        builder.ret_void()
