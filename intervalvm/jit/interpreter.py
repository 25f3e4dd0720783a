"""The interpreters: loops over a program's records, one LLVM ``switch`` with an arm a variant.

An interval loop evaluates a program over 64 regions (or over one box); one of ``blocks`` at the
points of a leaf, or over its pixels for a proof. The arms are the rules of ``compiler.records`` on
``lanes``. Loops are in a separate LLVM module, since numba would compile them again for every
function that calls one indirectly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from intervalvm.arith.arrays import tame_limit
from intervalvm.compiler.program import (
    ABSORBS,
    INPUTS,
    OPCODE,
    RECORD_BYTES,
    VARIANT_MASK,
    VARIANTS,
    Variant,
)
from intervalvm.compiler.records import (
    COMBINATIONS,
    absorbed,
    choice,
    interval_value,
    is_long,
    proven,
)
from intervalvm.evaluate.boxes import RULES
from intervalvm.jit import layout as c
from intervalvm.jit.blocks import PixelArms, PointArms
from intervalvm.jit.lanes import (
    I1,
    I32,
    I64,
    Lane,
    Lanes,
    load,
    load_number,
    mask_word,
    shuffle,
    slot_at,
    store,
)
from intervalvm.jit.layout import LANES, SIDE, Each, interval_bytes
from intervalvm.ops.row import Interval, constant
from intervalvm.words import Meaning

Arm = Callable[[Variant, list[ir.Value]], None]


def switch(builder: ir.IRBuilder, variants: Any, args: Any, arms: Callable[..., Arm]) -> None:
    """``switch (variant)`` with one arm for each of ``variants``, written by ``arms(builder)``.

    Operations of many instructions are functions: in the loop they would cost registers, and their
    constants would always be loaded.
    """
    cold = _cold_function(builder.module, [v for v in variants if is_long(v)], args, arms)
    _write_arms(builder, [v for v in variants if not is_long(v)], args, arms(builder), cold)


def _cold_function(
    module: ir.Module, variants: Any, args: Any, arms: Callable[..., Arm]
) -> ir.Function:
    kind = ir.FunctionType(ir.VoidType(), [arg.type for arg in args])
    function = ir.Function(module, kind, module.get_unique_name("intervalvm_cold"))
    function.linkage = "internal"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    _write_arms(builder, variants, list(function.args), arms(builder), None)
    builder.ret_void()
    return function


def _write_arms(
    builder: ir.IRBuilder, variants: Any, args: Any, arm: Arm, other: ir.Function | None
) -> None:
    """The switch; other variants branch to ``other``, or are unreachable."""
    function = builder.function
    end = function.append_basic_block("next")
    default = function.append_basic_block("other")
    switch = builder.switch(args[0], default)
    for variant in variants:
        block = function.append_basic_block(str(variant).replace(" ", "_"))
        switch.add_case(ir.Constant(args[0].type, OPCODE[variant]), block)
        builder.position_at_end(block)
        arm(variant, list(args[1:]))
        builder.branch(end)
    builder.position_at_end(default)
    if other is None:
        builder.unreachable()
    else:
        builder.call(other, list(args))
        builder.branch(end)
    builder.position_at_end(end)


@dataclass(frozen=True)
class Loop:
    """One loop: a program at ``each`` of ``width`` regions (64 or 1), or 256 points or pixels.

    It is called with the address and the number of records, and the addresses of what they read and
    write: the slots ``full``, ``axis`` and ``truth`` by kind, ``constants``, and
    ``choices`` (two words a record: where only the left, the right operand matters; of regions).
    Slots of regions are intervals, and two words a truth: always, never. Those of points and pixels
    are told in ``blocks``. With ``Meaning.REAL``, as for pixels, bounds are those of
    the real function, and a constant is two floats.
    """

    each: Each
    dtype: str
    tame: bool
    width: int = LANES
    meaning: Meaning = Meaning.FLOAT
    is_volume: bool = False
    """Whether no value is an x-term or a y-term."""

    ARGUMENTS = ("records", "count", "full", "axis", "truth", "constants", "choices")

    @property
    def name(self) -> str:
        """Its symbol: the same for all loops that a walk may call there."""
        return f"intervalvm_{'regions' if self.each == 'region' else 'blocks'}"

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
            first, *places = (builder.zext(load(builder, at, 4 * k, I32), I64) for k in range(4))
            variant = builder.and_(first, ir.Constant(I64, VARIANT_MASK))
            out = builder.add(loop.index, ir.Constant(I64, INPUTS))
            switch(builder, self._variants(), [variant, first, out, *places, *bases], self._arms)
        builder.ret_void()

    def _variants(self) -> list[Variant]:
        one_box = self.each == "region" and self.width != LANES
        letters = "fk" if one_box else "fkt" if self.is_volume else "fktaxy"
        return [v for v in VARIANTS if set(v.kinds + v.out) <= set(letters)]

    def _arms(self, builder: ir.IRBuilder) -> Arm:
        if self.each != "region":
            arms = PointArms if self.each == "sample" else PixelArms
            return arms(builder, self.dtype, tame=self.tame)
        return _IntervalArms(builder, self.dtype, self.width, self.meaning, tame=self.tame)


@dataclass(frozen=True)
class TameTest:
    """is_tame(slot): whether all bounds are finite, with a margin, and none may be NaN."""

    dtype: str
    width: int

    signature = ir.FunctionType(I64, [I64])

    @property
    def name(self) -> str:
        """Its symbol."""
        return f"intervalvm_is_tame_{self.width}"

    def write(self, module: ir.Module) -> None:
        """Add the test to a module."""
        function = ir.Function(module, self.signature, self.name)
        builder = ir.IRBuilder(function.append_basic_block())
        (slot,), xp = function.args, Lanes(builder, self.dtype, self.width, tame=False)
        limit, (*ends, nan_at) = tame_limit(self.dtype), c.interval_offsets(self.dtype, self.width)
        lower, upper = (Lane(builder, load(builder, slot, at, xp.vector)) for at in ends)
        wild = mask_word(~((lower > -limit) & (upper < limit)))
        nan = load(builder, slot, nan_at, I64)
        fits = builder.icmp_unsigned("==", builder.or_(wild, nan), ir.Constant(I64, 0))
        builder.ret(builder.zext(fits, I64))


def if_flag(builder: ir.IRBuilder, first: ir.Value, flag: int) -> AbstractContextManager[Any]:
    """A branch that is taken for few records, whose first word has a flag."""
    found = builder.and_(first, ir.Constant(I64, flag))
    return builder.if_then(builder.icmp_unsigned("!=", found, I64(0)), likely=False)  # type: ignore[no-any-return]


class _IntervalArms:
    """Arms over ``width`` regions: 64 children, or 1 box."""

    def __init__(
        self, builder: ir.IRBuilder, dtype: str, width: int, meaning: Meaning, *, tame: bool
    ) -> None:
        self.builder, self.dtype, self.width, self.tame = builder, dtype, width, tame
        self.itemsize = np.dtype(dtype).itemsize
        self.rules = RULES[meaning]
        # a constant is between two floats, or is one
        self.ends = 2 if meaning is Meaning.REAL else 1

    def namespace(self, width: int) -> Lanes:
        return Lanes(self.builder, self.dtype, width, tame=self.tame)

    def read(
        self, letter: str, index: ir.Value, width: int, bases: dict[str, ir.Value]
    ) -> Interval:
        """An operand as an interval of ``width`` lanes."""
        builder = self.builder
        if letter == "k":
            place = slot_at(builder, bases["k"], index, self.ends * self.itemsize)
            xp = self.namespace(width)
            lower, upper = (
                load_number(builder, place, at, xp.element, width)
                for at in (0, (self.ends - 1) * self.itemsize)
            )
            return constant(xp, lower, upper)
        stored = self.width if letter == "f" else SIDE
        xp = self.namespace(stored)
        base = bases["f" if letter == "f" else "a"]
        place = slot_at(builder, base, index, interval_bytes(self.dtype, stored))
        *ends, nan_at = c.interval_offsets(self.dtype, stored)
        lower, upper = (Lane(builder, load(builder, place, at, xp.vector)) for at in ends)
        nan = xp.no
        if not self.tame:
            word = builder.trunc(load(builder, place, nan_at, I64), ir.IntType(stored))
            nan = Lane(builder, builder.bitcast(word, ir.VectorType(I1, stored)))
        if stored == width:
            return Interval(lower, upper, nan)
        return Interval(*(shuffle(part, OVER_CHILDREN[letter]) for part in (lower, upper, nan)))

    def write(
        self, result: Interval, out: ir.Value, bases: dict[str, ir.Value], letter: str
    ) -> None:
        builder, width = self.builder, self.width if letter == "f" else SIDE
        xp = self.namespace(width)
        lower_at, upper_at, nan_at = c.interval_offsets(self.dtype, width)
        place = slot_at(builder, bases[letter], out, interval_bytes(self.dtype, width))
        store(builder, xp._lift(result.lower).value, place, lower_at)
        store(builder, xp._lift(result.upper).value, place, upper_at)
        if not self.tame:
            store(builder, mask_word(result.maybe_nan), place, nan_at)

    def __call__(self, variant: Variant, args: list[ir.Value]) -> None:
        first, out, left, right, third, full, axis, truth, constants, choices = args
        bases = {"k": constants, "f": full, "a": axis, "t": truth, "choices": choices}
        if variant.out == "t":
            self.truth(variant, out, (left, right, third), bases)
            return
        width = self.width if variant.out == "f" else SIDE
        operands = [
            self.read(letter, index, width, bases)
            for letter, index in zip(variant.kinds, (left, right), strict=False)
        ]
        xp = self.namespace(width)
        self.write(interval_value(variant, xp, operands, self.rules), out, bases, variant.out)
        # the axis only matters for the children's masks
        word = partial(self.axis_word, is_y=third) if variant.out == "a" else mask_word
        place = slot_at(self.builder, choices, out, c.CHOICE_BYTES)
        if variant.has_choice:
            self.write_words(map(word, choice(variant, xp, operands, self.rules)), place)
        elif variant.may_absorb and self.rules.absorptions:
            with if_flag(self.builder, first, ABSORBS):
                self.write_words(map(word, absorbed(variant, xp, operands, self.rules)), place)

    def write_words(self, words: Iterable[ir.Value], place: ir.Value) -> None:
        """Two words of a record: always and never, or only left and only right."""
        for at, word in zip(c.PAIR_OFFSETS, words, strict=True):
            store(self.builder, word, place, at)

    def axis_word(self, mask: Lane, is_y: ir.Value) -> ir.Value:
        """The children's mask of a mask over one axis, x or y as ``is_y`` says."""
        x, y = (mask_word(shuffle(mask, OVER_CHILDREN[letter])) for letter in "xy")
        return self.builder.select(self.builder.icmp_signed("==", is_y, ir.Constant(I64, 0)), x, y)

    def truth(
        self,
        variant: Variant,
        out: ir.Value,
        places: tuple[ir.Value, ...],
        bases: dict[str, ir.Value],
    ) -> None:
        """The masks of children whose truth is proven: always and never."""
        builder = self.builder
        slot = partial(slot_at, builder, bases["t"], stride=c.REGION_TRUTH_BYTES)
        here = slot(out)
        if variant.kinds == "tt":
            (always_a, always_b), (never_a, never_b) = (
                [load(builder, slot(place), at, I64) for place in places[:2]]
                for at in c.PAIR_OFFSETS
            )
            words = (always_a, never_a, always_b, never_b)
            lanes = COMBINATIONS[variant.op](*(Lane(builder, word) for word in words))
            combined = [lane.value for lane in lanes]
            self.write_words(combined[2:], slot_at(builder, bases["choices"], out, c.CHOICE_BYTES))
            self.write_words(combined[:2], here)
        else:
            letters = variant.kinds
            on_axis = next((axis for axis in "xy" if set(letters) <= {axis, "k"}), None)
            width = SIDE if on_axis else self.width
            xp = self.namespace(width)
            values = [
                self.read("a" if on_axis and letter == on_axis else letter, place, width, bases)
                for letter, place in zip(letters, places, strict=False)
            ]
            masks = list(proven(variant, xp, values, self.rules))
            if on_axis:
                masks = [shuffle(mask, OVER_CHILDREN[on_axis]) for mask in masks]
            self.write_words([mask_word(mask) for mask in masks], here)


OVER_CHILDREN = {
    "x": [lane % SIDE for lane in range(LANES)],
    "y": [lane // SIDE for lane in range(LANES)],
}
"""For each of the 64 children, its place among the 8 columns or rows."""
