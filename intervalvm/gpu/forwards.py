"""A region's program over its children: every record, wave by wave.

Device functions of the kernels that divide a region, by all threads of a block. A lane is a child.
``v`` and ``w`` are the start of the block's workspace in ``values`` and in ``words``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cuda

from intervalvm.compiler.program import (
    FIRST_WORD,
    INPUTS,
    LEFT_PLACE,
    RIGHT_PLACE,
    THIRD_PLACE,
    TO_AXIS,
    TO_FULL,
    VARIANT_MASK,
)
from intervalvm.compiler.records import both, either
from intervalvm.gpu import layout as c
from intervalvm.gpu.programs import has
from intervalvm.gpu.rules import device_functions
from intervalvm.gpu.target import device, vote

OR = FIRST_WORD["or", "tt", "t"] & VARIANT_MASK
either, both = device(either), device(both)


@device
def combine(programs, record, place, words, w, places):
    """A truth of two truths, for all children."""
    left, right = np.int64(programs[record + 1]), np.int64(programs[record + 2])
    always_a, never_a = words[w + left], words[w + c.NEVER * places + left]
    always_b, never_b = words[w + right], words[w + c.NEVER * places + right]
    if np.int64(programs[record]) & VARIANT_MASK == OR:
        always, never, left_only, right_only = either(always_a, never_a, always_b, never_b)
    else:
        always, never, left_only, right_only = both(always_a, never_a, always_b, never_b)
    words[w + place] = always
    words[w + c.NEVER * places + place] = never
    words[w + c.LEFT * places + place] = left_only
    words[w + c.RIGHT * places + place] = right_only


@lru_cache
def build_forwards(dtype: str, *, tame: bool, strict: bool = False) -> Any:
    """forwards(programs, at, waves, wave_count, constants, values, v, words, w, places).

    With ``strict`` a choice must hold for slopes too.
    """
    made = device_functions(dtype, tame=tame)
    bounds, literal, constant = made.bounds, made.literal, made.constant
    if strict:
        bounds = made.strict

    @device
    def box_of(is_place, index, constants, values, v, words, w, lane):
        """An operand over the lane's child."""
        index = np.int64(index)
        if is_place:
            lower = values[v + 2 * c.LANES * index + lane]
            upper = values[v + 2 * c.LANES * index + c.LANES + lane]
            may_be_nan = False
            if not tame:
                may_be_nan = has(words[w + index], lane)
        else:
            lower, upper, may_be_nan = constant(constants[index])
        return lower, upper, may_be_nan

    @device
    def evaluate(programs, record, place, constants, values, v, words, w, places, lane):
        """A value or a literal over the lane's child."""
        first = np.int64(programs[record])
        a_low, a_high, a_nan = box_of(
            first & LEFT_PLACE != 0, programs[record + 1], constants, values, v, words, w, lane
        )
        b_low, b_high, b_nan = box_of(
            first & RIGHT_PLACE != 0, programs[record + 2], constants, values, v, words, w, lane
        )
        third = np.int64(programs[record + 3])
        if strict:
            third = np.int64(0)  # it has bits of derivatives, and is no operand
        c_low, c_high, c_nan = box_of(
            first & THIRD_PLACE != 0, third, constants, values, v, words, w, lane
        )
        variant = first & VARIANT_MASK
        if first & (TO_FULL | TO_AXIS):
            lower, upper, may_be_nan, left_only, right_only = bounds(
                variant, a_low, a_high, a_nan, b_low, b_high, b_nan, c_low, c_high, c_nan
            )
            values[v + 2 * c.LANES * place + lane] = lower
            values[v + 2 * c.LANES * place + c.LANES + lane] = upper
            if not tame:
                vote(words, w + place, may_be_nan, lane)
            vote(words, w + c.LEFT * places + place, left_only, lane)
            vote(words, w + c.RIGHT * places + place, right_only, lane)
        else:
            always, never = literal(
                variant, a_low, a_high, a_nan, b_low, b_high, b_nan, c_low, c_high, c_nan
            )
            vote(words, w + place, always, lane)
            vote(words, w + c.NEVER * places + place, never, lane)
            if lane == 0:
                words[w + c.LEFT * places + place] = 0
                words[w + c.RIGHT * places + place] = 0

    @device
    def forwards(programs, at, waves, wave_count, constants, values, v, words, w, places):
        """Every record of a program over every child."""
        thread, threads = cuda.threadIdx.x, cuda.blockDim.x
        lane, warp, warps = thread & 31, thread >> 5, threads >> 5
        start = np.int64(0)
        for wave in range(wave_count):
            entry = np.int64(programs[waves + wave])
            end = entry >> 1
            if entry & 1:
                for i in range(start + thread, end, threads):
                    combine(programs, at + c.WORDS * i, i + INPUTS, words, w, places)
            else:
                for i in range(start + warp, end, warps):
                    record = at + c.WORDS * i
                    evaluate(
                        programs, record, i + INPUTS, constants, values, v, words, w, places, lane
                    )
            start = end
            cuda.syncthreads()

    return forwards
