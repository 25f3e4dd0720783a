"""The kernels of an evaluator, a thread each point or box: values, derivatives, bounds.

They run a plain program (``compiler.plain``). A slot holds the ``PARTS`` of a result: part p of
slot s is at ``base + stride * (parts * s + p)`` of the scratch memory, so the threads of a block
read and write side by side. What all kernels take:

=====================  ============================================================================
``programs``           the records of a ``slots.SlottedProgram``, uint32, ``record_count`` of them;
                       for ``duals`` a word follows for each input: bits of the directions along it
``constants``          its pool
``inputs``             [rows, count]: the numbers of each input, ``input_count`` inputs
``scratch``            ``slots`` slots for each thread
``out``                results, rows of ``total`` numbers, each written from ``first`` on
=====================  ============================================================================
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda

from intervalvm.compiler.program import LEFT_PLACE, RIGHT_PLACE, VARIANT_MASK
from intervalvm.gpu import layout as c
from intervalvm.gpu.rules import device_functions
from intervalvm.gpu.slots import SLOT_SHIFT
from intervalvm.gpu.target import device
from intervalvm.jit.request import DIRECTIONS

VALUE_PARTS, BOX_PARTS, DUAL_PARTS = 1, 3, DIRECTIONS + 2
"""A value; lower and upper bound, and 1 where NaN is possible; a value, its slopes, and 1 where
branches meet."""
PARTS = {"values": VALUE_PARTS, "boxes": BOX_PARTS, "duals": DUAL_PARTS}
KINK, JUMP = 1, 2
"""Bits of ``marks``: branches meet, or a slope is no finite number; some clause may jump."""


@device
def enter(inputs, count, i, rows, scratch, base, stride):
    """Write the rows of numbers of point or box ``i`` to the first slots."""
    for k in range(rows):
        scratch[base + stride * k] = inputs[count * k + i]


@device
def place_of(programs, record, number, first_place, is_slotted):
    """Where a record's result is: the slot in its third word, or its number after the inputs."""
    if is_slotted:
        return np.int64(programs[record + 3]) >> SLOT_SHIFT
    return np.int64(number + first_place)


@lru_cache
def value_interpreter(dtype: str, inputs: int | None = None) -> Any:
    """evaluate(programs, at, count, constants, values, base, stride): a plain program at a point.

    ``programs[at:]`` has ``count`` records. The result of each is written to the slot in its third
    word; or, if the program has ``inputs`` places of inputs, to the place after them that is its
    number. The inputs are written already.
    """
    point = device_functions(dtype, tame=False).point
    is_slotted, first_place = inputs is None, inputs or 0

    @device
    def evaluate(programs, at, count, constants, values, base, stride):
        for i in range(count):
            record = at + c.WORDS * i
            first, left = np.int64(programs[record]), np.int64(programs[record + 1])
            right = np.int64(programs[record + 2])
            left_value = values[base + stride * left] if first & LEFT_PLACE else constants[left]
            right_value = values[base + stride * right] if first & RIGHT_PLACE else constants[right]
            value = point(first & VARIANT_MASK, left_value, right_value, right_value)
            out = place_of(programs, record, i, first_place, is_slotted)
            values[base + stride * out] = value

    return evaluate


@lru_cache
def dual_interpreter(dtype: str, inputs: int | None = None) -> Any:
    """evaluate(programs, at, count, constants, values, base, stride): the same over duals.

    Returns whether some clause may jump. The third words of the records have the bits of
    ``jit.points.dual_program``.
    """
    dual = device_functions(dtype, tame=False).dual
    is_slotted, first_place = inputs is None, inputs or 0
    zero, one = np.dtype(dtype).type(0), np.dtype(dtype).type(1)

    @device
    def read(is_place, word, constants, values, base, stride):
        if is_place:
            at = base + stride * (DUAL_PARTS * word)
            return (
                values[at], values[at + stride], values[at + 2 * stride], values[at + 3 * stride],
                values[at + 4 * stride] != zero,
            )  # fmt: skip
        return constants[word], zero, zero, zero, False

    @device
    def evaluate(programs, at, count, constants, values, base, stride):
        jumps = False
        for i in range(count):
            record = at + c.WORDS * i
            first, left = np.int64(programs[record]), np.int64(programs[record + 1])
            right, bits = np.int64(programs[record + 2]), np.int64(programs[record + 3])
            a, a_0, a_1, a_2, a_kink = read(
                first & LEFT_PLACE, left, constants, values, base, stride
            )
            b, b_0, b_1, b_2, b_kink = read(
                first & RIGHT_PLACE, right, constants, values, base, stride
            )
            value, slope_0, slope_1, slope_2, kink, jump = dual(
                first & VARIANT_MASK, bits, a, a_0, a_1, a_2, a_kink, b, b_0, b_1, b_2, b_kink
            )
            out = place_of(programs, record, i, first_place, is_slotted)
            to = base + stride * (DUAL_PARTS * out)
            values[to] = value
            values[to + stride] = slope_0
            values[to + 2 * stride] = slope_1
            values[to + 3 * stride] = slope_2
            values[to + 4 * stride] = one if kink else zero
            jumps = jumps or jump
        return jumps

    return evaluate


@lru_cache
def box_interpreter(dtype: str) -> Any:
    """evaluate(programs, at, count, constants, values, base, stride): the same over boxes.

    Only of slotted programs.
    """
    rules = device_functions(dtype, tame=False)
    strict, constant = rules.strict, rules.constant
    zero, one = np.dtype(dtype).type(0), np.dtype(dtype).type(1)

    @device
    def read(is_place, word, constants, values, base, stride):
        if is_place:
            at = base + stride * (BOX_PARTS * word)
            return values[at], values[at + stride], values[at + 2 * stride] != zero
        return constant(constants[word])

    @device
    def evaluate(programs, at, count, constants, values, base, stride):
        for i in range(count):
            record = at + c.WORDS * i
            first, left = np.int64(programs[record]), np.int64(programs[record + 1])
            right = np.int64(programs[record + 2])
            low_a, high_a, nan_a = read(first & LEFT_PLACE, left, constants, values, base, stride)
            low_b, high_b, nan_b = read(first & RIGHT_PLACE, right, constants, values, base, stride)
            lower, upper, maybe_nan, _, _ = strict(
                first & VARIANT_MASK,
                low_a, high_a, nan_a, low_b, high_b, nan_b, low_b, high_b, nan_b,
            )  # fmt: skip
            out = place_of(programs, record, i, 0, True)
            to = base + stride * (BOX_PARTS * out)
            values[to] = lower
            values[to + stride] = upper
            values[to + 2 * stride] = one if maybe_nan else zero

    return evaluate


def build_values(dtype: str) -> Any:
    """The kernel ``values``."""
    evaluate = value_interpreter(dtype)

    def values(
        programs, constants, inputs, scratch, out,
        record_count, input_count, slots, result, count, first,
    ):  # fmt: skip
        stride = np.int64(cuda.blockDim.x)
        base = cuda.blockIdx.x * stride * slots + cuda.threadIdx.x
        for start in range(cuda.blockIdx.x * stride, count, cuda.gridDim.x * stride):
            i = start + cuda.threadIdx.x
            if i < count:
                enter(inputs, count, i, input_count, scratch, base, stride)
                evaluate(programs, 0, record_count, constants, scratch, base, stride)
                out[first + i] = scratch[base + stride * result]

    return values


@lru_cache
def dual_ends(dtype: str) -> tuple[Any, Any]:
    """Device functions before and after a program over duals.

    ``enter_dual(number, along, scratch, at, stride)`` writes an input, whose bits ``along`` tell
    the directions. ``write_dual(scratch, at, stride, jumps, out, marks, i, total, *rows)`` writes a
    result to these rows of ``out``, where 0 is no row, and joins bits with ``marks`` (uint8).
    """
    zero, one, inf = (np.dtype(dtype).type(number) for number in (0, 1, np.inf))

    @device
    def enter_dual(number, along, scratch, at, stride):
        scratch[at] = number
        for direction in range(DIRECTIONS):
            scratch[at + stride * (1 + direction)] = one if (along >> direction) & 1 else zero
        scratch[at + stride * (1 + DIRECTIONS)] = zero

    @device
    def is_steep(slope):
        return slope != slope or slope == inf or slope == -inf

    @device
    def write_dual(scratch, at, stride, jumps, out, marks, i, total, row_0, row_1, row_2):
        value = scratch[at]
        slope_0, slope_1 = scratch[at + stride], scratch[at + 2 * stride]
        slope_2, kink = scratch[at + 3 * stride], scratch[at + 4 * stride]
        out[i] = value
        if row_0 != 0:
            out[total * row_0 + i] = slope_0
        if row_1 != 0:
            out[total * row_1 + i] = slope_1
        if row_2 != 0:
            out[total * row_2 + i] = slope_2
        steep = is_steep(slope_0) or is_steep(slope_1) or is_steep(slope_2)
        found = np.int64(marks[i])
        if kink != zero or (steep and value == value):
            found |= KINK
        if jumps:
            found |= JUMP
        marks[i] = np.uint8(found)

    return enter_dual, write_dual


def build_duals(dtype: str) -> Any:
    """The kernel ``duals``: values, slopes along up to ``DIRECTIONS`` directions, and ``marks``."""
    evaluate, (enter_dual, write_dual) = dual_interpreter(dtype), dual_ends(dtype)

    def duals(
        programs, constants, inputs, scratch, out, marks,
        record_count, input_count, slots, result, count, first, total, row_0, row_1, row_2,
    ):  # fmt: skip
        stride = np.int64(cuda.blockDim.x)
        base = cuda.blockIdx.x * stride * (DUAL_PARTS * slots) + cuda.threadIdx.x
        for start in range(cuda.blockIdx.x * stride, count, cuda.gridDim.x * stride):
            i = start + cuda.threadIdx.x
            if i < count:
                for k in range(input_count):
                    along = np.int64(programs[c.WORDS * record_count + k])
                    at = base + stride * (DUAL_PARTS * k)
                    enter_dual(inputs[count * k + i], along, scratch, at, stride)
                jumps = evaluate(programs, 0, record_count, constants, scratch, base, stride)
                write_dual(
                    scratch, base + stride * (DUAL_PARTS * result), stride, jumps, out, marks,
                    first + i, total, row_0, row_1, row_2,
                )  # fmt: skip

    return duals


def build_boxes(dtype: str) -> Any:
    """The kernel ``boxes``: bounds, the lower ones first, and ``flags`` (uint8), 1 for maybe NaN.

    Of an input ``inputs`` has three rows: both bounds, and 1 where it may be NaN.
    """
    evaluate, zero = box_interpreter(dtype), np.dtype(dtype).type(0)

    def boxes(
        programs, constants, inputs, scratch, out, flags,
        record_count, input_count, slots, result, count, first, total,
    ):  # fmt: skip
        stride = np.int64(cuda.blockDim.x)
        base = cuda.blockIdx.x * stride * (BOX_PARTS * slots) + cuda.threadIdx.x
        for start in range(cuda.blockIdx.x * stride, count, cuda.gridDim.x * stride):
            i = start + cuda.threadIdx.x
            if i < count:
                enter(inputs, count, i, BOX_PARTS * input_count, scratch, base, stride)
                evaluate(programs, 0, record_count, constants, scratch, base, stride)
                at = base + stride * (BOX_PARTS * result)
                out[first + i], out[total + first + i] = scratch[at], scratch[at + stride]
                flags[first + i] = 1 if scratch[at + 2 * stride] != zero else 0

    return boxes
