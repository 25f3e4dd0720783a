"""The kernels of an evaluator, a thread each point or box: values, derivatives, bounds.

They run a plain program (``compiler.plain``). What it computes is in the ``parts`` of a slot:
part p of slot s is at ``base + stride * (parts * s + p)`` of the scratch memory, so that the
threads of a block read and write side by side. Their parameters:

==================  ===============================================================================
``programs``        the records of a ``slots.SlottedProgram``, uint32, of which there are
                    ``record_count``
``constants``       its pool
``inputs``          the parts of the first ``input_count`` slots: each has ``count`` numbers
``scratch``         ``slots`` slots for each thread
``out`` and others  results, written from ``first`` on
==================  ===============================================================================
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

PARTS = {"values": 1}
"""Numbers of a slot: a value."""


@device
def enter(inputs, count, i, numbers, scratch, base, stride):
    """Write the numbers of point or box ``i`` to the first slots."""
    for k in range(numbers):
        scratch[base + stride * k] = inputs[count * k + i]


@lru_cache
def value_interpreter(dtype: str, inputs: int | None = None) -> Any:
    """evaluate(programs, at, count, constants, values, base, stride): a plain program at a point.

    ``programs[at:]`` has ``count`` records. The result of each is written to the slot in its third
    word; or, if the program has ``inputs`` places of inputs, to the place after them that is its
    number.
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
            out = np.int64(i + first_place)
            if is_slotted:
                out = np.int64(programs[record + 3]) >> SLOT_SHIFT
            value = point(first & VARIANT_MASK, left_value, right_value, right_value)
            values[base + stride * out] = value

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
