"""The arms of the compiled loops that work on a block of 16 x 16 pixels, an operation at a time.

A value at points is a vector; over pixels to prove it is an interval, and a truth is two masks,
always and never. So a slot of a block holds

=======  ==================================  ====================================================
kind     points                              pixels
=======  ==================================  ====================================================
x, y     16 values                           16 lower bounds, 16 upper bounds, 16 bits of maybe-NaN
f        256 values, row by row              the same, 256 of each
t        256 bits                            256 bits of always, 256 bits of never
=======  ==================================  ====================================================
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from intervalvm.compiler.program import Variant
from intervalvm.compiler.records import interval_value, point_value, proven
from intervalvm.evaluate.boxes import REAL_RULES
from intervalvm.jit import layout as c
from intervalvm.jit.lanes import (
    I1,
    I64,
    POINTER,
    Lane,
    Lanes,
    load,
    load_number,
    slot_at,
    spread_number,
    store,
)
from intervalvm.jit.layout import AREA, BLOCK, LANES, TRUTH_BYTES, Each, block_bytes
from intervalvm.ops.row import Interval, constant


class _BlockArms(ABC):
    """The base of both kinds of block: operands and loops over rows."""

    each: Each

    def __init__(self, builder: ir.IRBuilder, dtype: str, *, tame: bool) -> None:
        self.builder, self.dtype, self.tame = builder, dtype, tame
        self.itemsize = np.dtype(dtype).itemsize
        self.full_bytes = block_bytes(dtype, AREA, self.each)
        self.axis_bytes = block_bytes(dtype, BLOCK, self.each)
        self.truth_bytes = c.truth_bytes(self.each)

    @abstractmethod
    def read(self, xp: Lanes, place: ir.Value, count: int, first: ir.Value | None) -> Any:
        """Values from ``first`` on, as many as ``xp`` has lanes, of a slot of ``count``."""

    @abstractmethod
    def spread(self, xp: Lanes, place: ir.Value, row: ir.Value) -> Any:
        """One value of a slot of 16, in every lane."""

    @abstractmethod
    def number(self, xp: Lanes, index: ir.Value, constants: ir.Value) -> Any:
        """A constant of the pool, in every lane."""

    @abstractmethod
    def write(self, xp: Lanes, value: Any, place: ir.Value, count: int, first: Any) -> None:
        """The inverse of ``read``."""

    @abstractmethod
    def result(self, variant: Variant, xp: Lanes, operands: list[Any]) -> Any:
        """The value of a record."""

    @abstractmethod
    def masks(self, variant: Variant, xp: Lanes, operands: list[Any]) -> list[Lane]:
        """The bits of a comparison."""

    def at(self, place: ir.Value, index: ir.Value | None, stride: int, offset: int = 0) -> ir.Value:
        """The address ``index`` strides and ``offset`` bytes after ``place``."""
        if index is not None:
            place = self.builder.add(place, self.builder.mul(index, ir.Constant(I64, stride)))
        return self.builder.add(place, ir.Constant(I64, offset)) if offset else place

    def __call__(self, variant: Variant, args: list[ir.Value]) -> None:
        builder, letters = self.builder, variant.kinds
        _first, out, left, right, third, full, axis, truth, constants, _ = args
        target = slot_at(builder, truth, out, self.truth_bytes)
        if letters == "tt":
            self.combine(variant.op, truth, (left, right), target)
            return
        pure = set(letters) <= {"f", "k"}  # no rows to tell apart: longer vectors
        width = LANES if pure and variant.out == "f" else BLOCK
        xp = Lanes(builder, self.dtype, width, tame=self.tame)
        on_axis = variant.out == "t" and any(set(letters) <= {axis, "k"} for axis in "xy")
        places: list[ir.Value] = []
        fixed: dict[int, Any] = {}
        for side, (letter, index) in enumerate(zip(letters, (left, right, third), strict=False)):
            if letter == "k":
                places.append(index)
                fixed[side] = self.number(xp, index, constants)
                continue
            base, stride = (full, self.full_bytes) if letter == "f" else (axis, self.axis_bytes)
            places.append(slot_at(builder, base, index, stride))
            if letter in "ax" or on_axis:
                fixed[side] = self.read(xp, places[-1], BLOCK, None)

        def operands(row: ir.Value) -> list[Any]:
            found = []
            for side, (letter, place) in enumerate(zip(letters, places, strict=True)):
                if side in fixed:
                    found.append(fixed[side])
                elif letter == "y":
                    found.append(self.spread(xp, place, row))
                else:
                    first = builder.mul(row, ir.Constant(I64, width))
                    found.append(self.read(xp, place, AREA, first))
            return found

        if variant.out == "a":
            place = slot_at(builder, axis, out, self.axis_bytes)
            self.write(xp, self.result(variant, xp, list(fixed.values())), place, BLOCK, None)
        elif on_axis:
            for k, mask in enumerate(self.masks(variant, xp, list(fixed.values()))):
                self.write_axis_truth(mask, letters, self.at(target, None, 0, k * TRUTH_BYTES))
        else:
            place = slot_at(builder, full, out, self.full_bytes)
            with cgutils.for_range(builder, ir.Constant(I64, AREA // width)) as loop:
                if variant.out == "f":
                    first = builder.mul(loop.index, ir.Constant(I64, width))
                    found = self.result(variant, xp, operands(loop.index))
                    self.write(xp, found, place, AREA, first)
                else:
                    found = self.masks(variant, xp, operands(loop.index))
                    self.write_row_truth(found, loop.index, target)

    def combine(
        self, op: str, truth: ir.Value, places: tuple[ir.Value, ir.Value], target: ir.Value
    ) -> None:
        """``or`` or ``and`` of truths: what is never true is combined the other way."""
        builder, words = self.builder, ir.VectorType(I64, TRUTH_BYTES // 8)
        slots = [slot_at(builder, truth, p, self.truth_bytes) for p in places]
        for at in range(0, self.truth_bytes, TRUTH_BYTES):
            a, b = (load(builder, slot, at, words) for slot in slots)
            both = builder.or_(a, b) if (op == "or") == (at == 0) else builder.and_(a, b)
            store(builder, both, target, at)

    def write_row_truth(self, masks: list[Lane], row: ir.Value, target: ir.Value) -> None:
        for k, mask in enumerate(masks):
            bits = self.builder.bitcast(mask.value, ir.IntType(BLOCK))
            at = self.at(target, row, BLOCK // 8, k * TRUTH_BYTES)
            self.builder.store(bits, self.builder.inttoptr(at, POINTER), align=2)

    def write_axis_truth(self, mask: Lane, letters: str, place: ir.Value) -> None:
        """The truth of 16 columns, or of 16 rows, at all 256 places."""
        builder, words = self.builder, ir.VectorType(ir.IntType(BLOCK), BLOCK)
        if "x" in letters:
            row = builder.bitcast(mask.value, ir.IntType(BLOCK))
            spread = spread_number(builder, row, BLOCK).value
        else:
            spread = builder.sext(mask.value, words)
        store(builder, spread, place, 0)


class PointArms(_BlockArms):
    """At points: the rules of ``ops``."""

    each = "sample"

    def read(self, xp: Lanes, place: ir.Value, _: int, first: ir.Value | None) -> Lane:
        at = self.at(place, first, self.itemsize)
        return Lane(self.builder, load(self.builder, at, 0, xp.vector))

    def spread(self, xp: Lanes, place: ir.Value, row: ir.Value) -> Lane:
        at = self.at(place, row, self.itemsize)
        return load_number(self.builder, at, 0, xp.element, xp.width)

    def number(self, xp: Lanes, index: ir.Value, constants: ir.Value) -> Lane:
        at = slot_at(self.builder, constants, index, self.itemsize)
        return load_number(self.builder, at, 0, xp.element, xp.width)

    def write(self, _: Lanes, value: Lane, place: ir.Value, __: int, first: Any) -> None:
        store(self.builder, value.value, self.at(place, first, self.itemsize), 0)

    def result(self, variant: Variant, xp: Lanes, operands: list[Lane]) -> Lane:
        return xp._lift(point_value(variant, xp, operands))

    def masks(self, variant: Variant, xp: Lanes, operands: list[Lane]) -> list[Lane]:
        return [point_value(variant, xp, operands)]


class PixelArms(_BlockArms):
    """Over pixels: the real rules of ``boxes``."""

    each = "pixel"

    def read(self, xp: Lanes, place: ir.Value, count: int, first: ir.Value | None) -> Interval:
        builder, (*ends, nan_at) = self.builder, c.interval_offsets(self.dtype, count)
        lower, upper = (
            Lane(builder, load(builder, self.at(place, first, self.itemsize, at), 0, xp.vector))
            for at in ends
        )
        if self.tame:
            return Interval(lower, upper, xp.no)
        bits = builder.load(self.nan_bits(place, nan_at, first), align=2, typ=ir.IntType(xp.width))
        mask = builder.bitcast(bits, ir.VectorType(I1, xp.width))
        return Interval(lower, upper, Lane(builder, mask))

    def spread(self, xp: Lanes, place: ir.Value, row: ir.Value) -> Interval:
        builder, (*ends, nan_at) = self.builder, c.interval_offsets(self.dtype, BLOCK)
        lower, upper = (
            load_number(builder, self.at(place, row, self.itemsize, at), 0, xp.element, xp.width)
            for at in ends
        )
        if self.tame:
            return Interval(lower, upper, xp.no)
        word = load(builder, place, nan_at, I64)
        bit = builder.trunc(builder.lshr(word, row), I1)
        return Interval(lower, upper, spread_number(builder, bit, xp.width))

    def number(self, xp: Lanes, index: ir.Value, constants: ir.Value) -> Interval:
        place = slot_at(self.builder, constants, index, 2 * self.itemsize)
        lower, upper = (
            load_number(self.builder, place, at, xp.element, xp.width) for at in (0, self.itemsize)
        )
        return constant(xp, lower, upper)

    def write(self, xp: Lanes, value: Interval, place: ir.Value, count: int, first: Any) -> None:
        builder, (*ends, nan_at) = self.builder, c.interval_offsets(self.dtype, count)
        for end, at in zip((value.lower, value.upper), ends, strict=True):
            store(builder, xp._lift(end).value, self.at(place, first, self.itemsize, at), 0)
        if not self.tame:
            at = self.nan_bits(place, nan_at, first)
            bits = builder.bitcast(value.maybe_nan.value, ir.IntType(xp.width))
            builder.store(bits, at, align=2)

    def nan_bits(self, place: ir.Value, nan_at: int, first: ir.Value | None) -> ir.Value:
        """Where the bits of maybe-NaN are from ``first`` on; ``nan_at``: those of the slot."""
        eighth = None if first is None else self.builder.lshr(first, ir.Constant(I64, 3))
        return self.builder.inttoptr(self.at(place, eighth, 1, nan_at), POINTER)

    def result(self, variant: Variant, xp: Lanes, operands: list[Interval]) -> Interval:
        return interval_value(variant, xp, operands, REAL_RULES)

    def masks(self, variant: Variant, xp: Lanes, operands: list[Interval]) -> list[Lane]:
        return list(proven(variant, xp, operands, REAL_RULES))
