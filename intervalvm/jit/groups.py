"""The arms of loops over groups of 16 points or boxes, and the loops, for an evaluator.

Such a loop runs a plain program (see ``compiler.assemble``): all values are of kind f. The number
of groups is an argument, so that one point costs a group and a block many. A slot holds, a group
after the other,

======  ===========================================================================================
points  16 values
boxes   16 lower bounds, then 16 upper bounds
======  ===========================================================================================

Of boxes two bits a lane stand apart, a group's 16 beside those of the next, so that up to 64 boxes
have a uint64: ``nans``, one a place, for values that may be NaN; and ``choices``, two a place as in
the walk.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from intervalvm.compiler.program import (
    INPUTS,
    RECORD_BYTES,
    SIGN_DEMANDED,
    VARIANT_MASK,
    VARIANTS,
    Variant,
)
from intervalvm.compiler.records import choice, interval_value, point_value
from intervalvm.evaluate.boxes import RULES
from intervalvm.jit import layout as c
from intervalvm.jit.interpreter import switch
from intervalvm.jit.lanes import (
    I1,
    I32,
    I64,
    POINTER,
    Lane,
    Lanes,
    load,
    load_number,
    slot_at,
    store,
)
from intervalvm.jit.request import GROUP
from intervalvm.ops.row import Interval, constant
from intervalvm.words import Meaning

BITS = ir.IntType(GROUP)
GROUP_VARIANTS = [v for v in VARIANTS if v.out == "f" and set(v.kinds) <= {"f", "k"}]
"""The variants of plain programs."""


class GroupArms(ABC):
    """The base: what a record reads and writes of each group, and the loop over groups."""

    parts: int
    """Vectors of a slot, a group."""

    def __init__(self, builder: ir.IRBuilder, dtype: str, meaning: Meaning) -> None:
        self.builder, self.dtype, self.rules = builder, dtype, RULES[meaning]
        self.itemsize = np.dtype(dtype).itemsize
        # a constant is between two floats, or is one
        self.ends = 2 if meaning is Meaning.REAL else 1
        self.xp = Lanes(builder, dtype, GROUP, tame=False)
        self.xp.slack = 1.0  # that of NumPy, whose bits these are

    @abstractmethod
    def number(self, ends: tuple[Lane, Lane]) -> Any:
        """A constant between two floats as an operand."""

    @abstractmethod
    def read(self, place: ir.Value, group: ir.Value, bases: dict[str, ir.Value]) -> Any:
        """The operand at a place."""

    @abstractmethod
    def evaluate(self, variant: Variant, operands: list[Any], group: ir.Value, at: Any) -> None:
        """Write the results of a record; ``at`` has the loop's arguments by name."""

    def __call__(self, variant: Variant, args: list[ir.Value]) -> None:
        builder, at = self.builder, dict(zip(GroupLoop.OPERANDS, args, strict=True))
        places = at["left"], at["right"]
        fixed = {
            side: self._constant(places[side], at)
            for side, letter in enumerate(variant.kinds)
            if letter == "k"
        }
        with each_below(builder, at["groups"]) as group:
            operands = [
                fixed[side] if side in fixed else self.read(places[side], group, at)
                for side in range(len(variant.kinds))
            ]
            self.evaluate(variant, operands, group, at)

    def _constant(self, index: ir.Value, at: dict[str, ir.Value]) -> Any:
        place = slot_at(self.builder, at["constants"], index, self.ends * self.itemsize)
        lower, upper = (
            load_number(self.builder, place, offset, self.xp.element, GROUP)
            for offset in (0, (self.ends - 1) * self.itemsize)
        )
        return self.number((lower, upper))

    def slot(self, place: ir.Value, group: ir.Value, at: dict[str, ir.Value]) -> ir.Value:
        """The address of a group's part of a slot."""
        builder = self.builder
        first = builder.add(at["slots"], builder.mul(place, at["stride"]))
        return slot_at(builder, first, group, self.parts * GROUP * self.itemsize)

    def bits(self, name: str, place: ir.Value, group: ir.Value, at: dict[str, ir.Value]) -> Any:
        """The address of a group's bits at a place of ``nans`` or ``choices``."""
        size = {"nans": 8, "choices": c.CHOICE_BYTES}[name]
        return slot_at(
            self.builder, slot_at(self.builder, at[name], place, size), group, GROUP // 8
        )


class ValueArms(GroupArms):
    """The values at points."""

    parts = 1

    def number(self, ends: tuple[Lane, Lane]) -> Lane:
        return ends[0]

    def read(self, place: ir.Value, group: ir.Value, at: dict[str, ir.Value]) -> Lane:
        slot = self.slot(place, group, at)
        return Lane(self.builder, load(self.builder, slot, 0, self.xp.vector))

    def evaluate(self, variant: Variant, operands: list[Any], group: ir.Value, at: Any) -> None:
        value = point_value(variant, self.xp, operands)
        store(self.builder, value.value, self.slot(at["out"], group, at), 0)


class BoundArms(GroupArms):
    """Bounds over boxes, and the choices that they prove."""

    parts = 2

    def number(self, ends: tuple[Lane, Lane]) -> Interval:
        return constant(self.xp, *ends)

    def read(self, place: ir.Value, group: ir.Value, at: dict[str, ir.Value]) -> Interval:
        builder, slot = self.builder, self.slot(place, group, at)
        lower, upper = (
            Lane(builder, load(builder, slot, offset, self.xp.vector)) for offset in self._offsets()
        )
        return Interval(lower, upper, self.mask(place, group, at))

    def mask(self, place: ir.Value, group: ir.Value, at: dict[str, ir.Value]) -> Lane:
        """A group's bits at a place of ``nans``."""
        builder = self.builder
        bits = builder.inttoptr(self.bits("nans", place, group, at), POINTER)
        word = builder.load(bits, align=2, typ=BITS)
        return Lane(builder, builder.bitcast(word, ir.VectorType(I1, GROUP)))

    def evaluate(self, variant: Variant, operands: list[Any], group: ir.Value, at: Any) -> None:
        builder, xp = self.builder, self.xp
        self.write_value(interval_value(variant, xp, operands, self.rules), group, at)
        if variant.has_choice:
            chosen = self.bits("choices", at["out"], group, at)
            self._write_choice(self.chosen(variant, operands), chosen)
            asks_sign = builder.and_(at["flags"], ir.Constant(I64, SIGN_DEMANDED))
            with builder.if_then(builder.icmp_unsigned("!=", asks_sign, I64(0)), likely=False):
                for_sign = self.rules.sign_choices[variant.op](xp, *operands)
                self._write_choice(for_sign, chosen)

    def write_value(self, found: Interval, group: ir.Value, at: dict[str, ir.Value]) -> None:
        """Write the bounds of a record's value."""
        slot = self.slot(at["out"], group, at)
        for end, offset in zip((found.lower, found.upper), self._offsets(), strict=True):
            store(self.builder, self.xp._lift(end).value, slot, offset)
        self._write_bits(found.maybe_nan, self.bits("nans", at["out"], group, at), 0)

    def chosen(self, variant: Variant, operands: list[Interval]) -> tuple[Lane, Lane]:
        """Where only the left, and where only the right operand matters."""
        return choice(variant, self.xp, operands, self.rules)

    def _offsets(self) -> tuple[int, int]:
        return 0, GROUP * self.itemsize

    def _write_choice(self, masks: tuple[Lane, Lane], address: ir.Value) -> None:
        for mask, offset in zip(masks, c.PAIR_OFFSETS, strict=True):
            self._write_bits(mask, address, offset)

    def _write_bits(self, mask: Lane, address: ir.Value, offset: int) -> None:
        builder = self.builder
        place = builder.inttoptr(builder.add(address, I64(offset)), POINTER)
        builder.store(builder.bitcast(mask.value, BITS), place, align=2)


ARMS: dict[str, type[GroupArms]] = {"point": ValueArms, "box": BoundArms}


@dataclass(frozen=True)
class GroupLoop:
    """One loop: a plain program over ``groups`` of 16 points or boxes.

    It is called with the address and the number of records, the number of groups, the bytes from
    one slot to the next, and the addresses of slots, constants, ``nans`` and ``choices``; the last
    two are those of boxes. With ``Meaning.REAL`` bounds are those of the real function, and a
    constant is two floats.
    """

    each: Literal["point", "box", "dual", "strict_box", "slope", "hull", "strict_hull"]
    dtype: str
    meaning: Meaning = Meaning.FLOAT

    ARGUMENTS: ClassVar[tuple[str, ...]] = (
        "records", "count", "groups", "stride", "slots", "constants", "nans", "choices",
    )  # fmt: skip
    OPERANDS: ClassVar[tuple[str, ...]] = ("out", "flags", "left", "right", "third", *ARGUMENTS[2:])
    """What an arm is given."""

    @property
    def name(self) -> str:
        """Its symbol: the same for all loops that a kernel may call there."""
        return f"intervalvm_groups_{'boxes' if 'box' in self.each else 'points'}"

    @property
    def signature(self) -> ir.FunctionType:
        return ir.FunctionType(ir.VoidType(), [I64] * len(self.ARGUMENTS))

    def write(self, module: ir.Module) -> None:
        """Add the loop to a module."""
        function = ir.Function(module, self.signature, self.name)
        builder = ir.IRBuilder(function.append_basic_block())
        records, count, *bases = function.args
        with cgutils.for_range(builder, count) as loop:
            at = slot_at(builder, records, loop.index, RECORD_BYTES)
            words = [builder.zext(load(builder, at, 4 * k, I32), I64) for k in range(4)]
            variant = builder.and_(words[0], ir.Constant(I64, VARIANT_MASK))
            out = builder.add(loop.index, ir.Constant(I64, INPUTS))
            switch(builder, GROUP_VARIANTS, [variant, out, *words, *bases], self._arms)
        builder.ret_void()

    def _arms(self, builder: ir.IRBuilder) -> GroupArms:
        return ARMS[self.each](builder, self.dtype, self.meaning)


@contextmanager
def each_below(builder: ir.IRBuilder, count: ir.Value) -> Iterator[ir.Value]:
    """A loop over 0 to ``count - 1``, which is at least one turn."""
    before, body = builder.block, builder.append_basic_block("group")
    builder.branch(body)
    builder.position_at_end(body)
    index = builder.phi(I64)
    index.add_incoming(I64(0), before)
    yield index
    following = builder.add(index, I64(1))
    index.add_incoming(following, builder.block)
    after = builder.append_basic_block("groups_done")
    builder.cbranch(builder.icmp_signed("<", following, count), body, after)
    builder.position_at_end(after)
