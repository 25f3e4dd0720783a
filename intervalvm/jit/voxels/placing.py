"""Functions that write model coordinates to slots: bounds over regions, values at voxels.

A coordinate is the sum of three terms, (column + line) + layer, divided by another such sum in a
perspective view: see ``voxel.volume``. Here are the same operations in the same order; a sum's
bounds are those of its terms, since rounding is monotone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

from llvmlite import ir

from intervalvm.evaluate.boxes import FLOAT_RULES
from intervalvm.jit.lanes import I64, Lane, Lanes, load, mask_word, shuffle, slot_at, store
from intervalvm.jit.layout import AREA, LANES, interval_bytes, interval_offsets
from intervalvm.jit.voxels.layout import AXES, CUBE, SHAPES, TILE
from intervalvm.ops.row import Interval

COORDINATES = 3
Children = tuple[ir.Value, list[ir.Value]]
"""Where the terms' bounds are, and the nodes of the first child."""


def _cells(shape: int) -> list[list[int]]:
    """For each axis, the cell of every lane."""
    found, low = [], 0
    for bits in SHAPES[shape]:
        found.append([lane >> low & (1 << bits) - 1 for lane in range(LANES)])
        low += bits
    return found


@dataclass(frozen=True)
class Regions:
    """place_regions(shape, bounds, column, line, layer, full, is_perspective): 64 children.

    Their bounds go to slots 0 to 2. ``bounds`` is the address of those of the terms' bounds by
    node; the nodes are those of the first child.
    """

    dtype: str

    name: ClassVar[str] = "intervalvm_place_regions"
    signature: ClassVar[ir.FunctionType] = ir.FunctionType(ir.VoidType(), [I64] * 7)

    def write(self, module: ir.Module) -> None:
        """Add the function to a module."""
        function = ir.Function(module, self.signature, self.name)
        builder = ir.IRBuilder(function.append_basic_block())
        shape, bounds, *nodes, full, is_perspective = function.args
        end, other = (function.append_basic_block(name) for name in ("end", "other"))
        switch = builder.switch(shape, other)
        for number in range(len(SHAPES)):
            block = function.append_basic_block()
            switch.add_case(I64(number), block)
            builder.position_at_end(block)
            self._place(builder, number, (bounds, nodes), full, is_perspective)
            builder.branch(end)
        builder.position_at_end(other)
        builder.unreachable()
        builder.position_at_end(end)
        builder.ret_void()

    def _place(
        self,
        builder: ir.IRBuilder,
        shape: int,
        children: Children,
        full: ir.Value,
        is_perspective: ir.Value,
    ) -> None:
        xp = Lanes(builder, self.dtype, LANES, tame=False)
        xp.slack = 1.0
        divided, plain, done = (builder.append_basic_block() for _ in range(3))
        builder.cbranch(builder.icmp_signed("!=", is_perspective, I64(0)), divided, plain)
        for block in (divided, plain):
            builder.position_at_end(block)
            divisor = self._sum(xp, shape, children, COORDINATES) if block is divided else None
            for row in range(COORDINATES):
                found = self._sum(xp, shape, children, row)
                if divisor is not None:
                    found = FLOAT_RULES.intervals["div"](xp, found, divisor)
                self._store(xp, found, slot_at(builder, full, I64(row), self._slot_bytes))
            builder.branch(done)
        builder.position_at_end(done)

    @property
    def _slot_bytes(self) -> int:
        return interval_bytes(self.dtype, LANES)

    def _sum(self, xp: Lanes, shape: int, children: Children, row: int) -> Interval:
        builder, ends = xp.builder, []
        bounds, nodes = children
        for end in range(2):
            terms = []
            for axis, cells in enumerate(_cells(shape)):
                base = load(builder, bounds, 8 * (2 * (AXES * row + axis) + end), I64)
                at = slot_at(builder, base, nodes[axis], xp.itemsize)
                few = load(builder, at, 0, ir.VectorType(xp.element, 1 << SHAPES[shape][axis]))
                terms.append(shuffle(Lane(builder, few), cells))
            ends.append(reduce(lambda a, b: a + b, terms))
        lower, upper = ends
        return Interval(lower, upper, xp.no)

    def _store(self, xp: Lanes, found: Interval, slot: ir.Value) -> None:
        lower_at, upper_at, nan_at = interval_offsets(self.dtype, LANES)
        store(xp.builder, xp._lift(found.lower).value, slot, lower_at)
        store(xp.builder, xp._lift(found.upper).value, slot, upper_at)
        store(xp.builder, mask_word(found.maybe_nan), slot, nan_at)


@dataclass(frozen=True)
class Voxels:
    """place_voxels(terms, column, line, layer, full, leaf, is_perspective): 64 voxels' values.

    They go to slots 0 to 2, from place 64 * ``leaf`` on. ``terms`` is the address of those of
    the rows' terms, of which ``TILE`` are read from the first column, line and layer on.
    """

    dtype: str

    name: ClassVar[str] = "intervalvm_place_voxels"
    signature: ClassVar[ir.FunctionType] = ir.FunctionType(ir.VoidType(), [I64] * 7)

    def write(self, module: ir.Module) -> None:
        """Add the function to a module."""
        function = ir.Function(module, self.signature, self.name)
        builder = ir.IRBuilder(function.append_basic_block())
        terms, *first, full, leaf, is_perspective = function.args
        xp = Lanes(builder, self.dtype, LANES, tame=False)
        at = slot_at(builder, full, leaf, LANES * xp.itemsize)
        slots = [slot_at(builder, at, I64(row), AREA * xp.itemsize) for row in range(COORDINATES)]
        divided, plain, done = (builder.append_basic_block() for _ in range(3))
        builder.cbranch(builder.icmp_signed("!=", is_perspective, I64(0)), divided, plain)
        for block in (divided, plain):
            builder.position_at_end(block)
            divisor = self._sum(xp, terms, first, COORDINATES) if block is divided else None
            for row, slot in enumerate(slots):
                found = self._sum(xp, terms, first, row)
                if divisor is not None:
                    found = found / divisor
                store(builder, found.value, slot, 0)
            builder.branch(done)
        builder.position_at_end(done)
        builder.ret_void()

    def _sum(self, xp: Lanes, terms: ir.Value, first: list[ir.Value], row: int) -> Lane:
        builder, parts = xp.builder, []
        for axis, cells in enumerate(_cells(CUBE)):
            base = load(builder, terms, 8 * (AXES * row + axis), I64)
            at = slot_at(builder, base, first[axis], xp.itemsize)
            few = load(builder, at, 0, ir.VectorType(xp.element, TILE))
            parts.append(shuffle(Lane(builder, few), cells))
        return reduce(lambda a, b: a + b, parts)
