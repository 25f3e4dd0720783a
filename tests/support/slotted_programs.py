"""The kernels of evaluators on a GPU by their definition: slotted programs, record by record.

A record is computed for all points or boxes at once, by the rows' rules on NumPy's arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from intervalvm.arith.arrays import IntervalArrays
from intervalvm.compiler.program import LEFT_PLACE, RIGHT_PLACE, VARIANT_MASK, VARIANTS
from intervalvm.gpu import layout as c
from intervalvm.gpu.kernels import Kernel
from intervalvm.gpu.kinds import Function
from intervalvm.gpu.points import JUMP, KINK, PARTS
from intervalvm.gpu.slots import SLOT_SHIFT
from intervalvm.jit.request import DIRECTIONS
from intervalvm.ops.row import constant

Parts = Sequence[Any]
"""Of a slot: arrays or single ones of numbers, and of truths."""


class Slots:
    """The slots of a kernel, whose first have the ``inputs``; ``run`` computes the others.

    ``parts_of`` makes the parts of a constant.
    """

    def __init__(self, name: str, kernel: Kernel, inputs: list[Parts], parts_of: Any) -> None:
        self.function = Function(name, kernel.dtype, tame=False)
        self.xp = IntervalArrays(np.dtype(kernel.dtype))
        self.parts, self.parts_of = dict(enumerate(inputs)), parts_of

    def run(self, records: Any, constants: Any) -> list[Parts]:
        """The results of all records."""
        found, size = [], len(self.function.kind.operand)
        with np.errstate(all="ignore"):
            for first, left, right, third in records.reshape(-1, c.WORDS).tolist():
                variant = VARIANTS[first & VARIANT_MASK]
                sides = ((first & LEFT_PLACE, left), (first & RIGHT_PLACE, right))
                operands = [
                    self.parts[word] if is_slot else self.parts_of(constants[word])
                    for is_slot, word in sides[: len(variant.kinds)]
                ]
                parts = [part for operand in operands for part in operand]
                bits = [np.bool_(third >> k & 1) for k in range(self.function.kind.bits)]
                found.append(self.function.compute(self.xp, variant, parts, bits))
                self.parts[third >> SLOT_SHIFT] = found[-1][:size]
        return found


def define_values(
    kernel: Kernel, blocks: int, programs: Any, constants: Any, inputs: Any, scratch: Any, out: Any,
    record_count: int, input_count: int, slots: int, result: int, count: int, first: int,
) -> None:  # fmt: skip
    assert len(scratch) >= 256 * blocks * PARTS["values"] * slots
    rows = inputs.reshape(-1, count)[:input_count]
    held = Slots("point", kernel, [(row,) for row in rows], lambda number: (number,))
    held.run(programs[: c.WORDS * record_count], constants)
    out[first : first + count] = held.parts[result][0]


def define_duals(
    kernel: Kernel, blocks: int, programs: Any, constants: Any, inputs: Any, scratch: Any, out: Any,
    marks: Any, record_count: int, input_count: int, slots: int, result: int, count: int,
    first: int, total: int, *rows: int,
) -> None:  # fmt: skip
    assert len(scratch) >= 256 * blocks * PARTS["duals"] * slots
    number = np.dtype(kernel.dtype).type
    along = programs[c.WORDS * record_count :][:input_count].tolist()
    duals = [
        (row, *(number(bits >> k & 1) for k in range(DIRECTIONS)), np.False_)
        for row, bits in zip(inputs.reshape(-1, count), along, strict=False)
    ]
    held = Slots("dual", kernel, duals, lambda k: (k, *[number(0)] * DIRECTIONS, np.False_))
    records = held.run(programs[: c.WORDS * record_count], constants)
    value, *slopes, kink = held.parts[result]
    some = slice(first, first + count)
    out[some] = value
    steep = np.zeros(count, np.bool_)
    for row, slope in zip(rows, slopes, strict=True):
        steep |= ~np.isfinite(slope)
        if row:
            out[total * row :][some] = slope
    marks[some] |= np.where(kink | (steep & ~np.isnan(value)), np.uint8(KINK), np.uint8(0))
    for *_, jump in records:
        marks[some] |= np.where(jump, np.uint8(JUMP), np.uint8(0))


def define_boxes(
    kernel: Kernel, blocks: int, programs: Any, constants: Any, inputs: Any, scratch: Any, out: Any,
    flags: Any, record_count: int, input_count: int, slots: int, result: int, count: int,
    first: int, total: int,
) -> None:  # fmt: skip
    assert len(scratch) >= 256 * blocks * PARTS["boxes"] * slots
    sides = inputs.reshape(-1, count)[: 3 * input_count].reshape(input_count, 3, count)
    boxes = [(lower, upper, maybe_nan != 0) for lower, upper, maybe_nan in sides]
    held = Slots("strict", kernel, boxes, None)
    held.parts_of = lambda number: constant(held.xp, number, number)
    held.run(programs[: c.WORDS * record_count], constants)
    some = slice(first, first + count)
    out[some], out[total:][some], flags[some] = held.parts[result]
