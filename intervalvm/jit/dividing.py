"""The kernel "divide", in numba: programs of many parts of the plane or of space.

The parts are boxes with Morton codes, in their order. From the whole program on, those whose codes
start alike are a run; the hulls of up to 64 runs are the lanes of one interval pass, each run gets
a shorter program (see ``children``), and is cut by the next bits of the codes. So each part has a
program of its own in the end, unless the arena is full, or its choices are proven no further: then
it has that of a run.

Points and boxes that come with the numbers of their parts are evaluated by these programs, with no
walk through a tree. Those that lie in the same part should be neighbours.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intervalvm.compiler.program import RECORD_BYTES
from intervalvm.jit import layout as c
from intervalvm.jit import request as r
from intervalvm.jit.boxes import bound_runs
from intervalvm.jit.children import NO_CHILD, ONE, write_program
from intervalvm.jit.intrinsics import first_bit, int64_at, jit, uint64_at
from intervalvm.jit.layout import LANES
from intervalvm.jit.slopes import BoxLoop
from intervalvm.jit.sorting import Extremes
from intervalvm.words import Meaning

SHORTER = 0.9
"""Runs are cut again if programs get that much shorter, in all."""


def build_divide(dtype: str, meaning: Meaning) -> tuple[Any, tuple[BoxLoop | Extremes, ...]]:
    """The kernel ``divide(address of a context)``, for values and slopes."""
    return divide, (BoxLoop("strict_hull", dtype, meaning), Extremes(dtype))


@jit
def cut(ctx, row, first, end, shift):
    """Cut parts into runs with the same bits from ``shift`` on; returns their number."""
    keys, by, runs = uint64_at(ctx[r.PART_KEYS]), np.uint64(shift), 0
    for part in range(first, end):
        if part == first or keys[part] >> by != keys[part - 1] >> by:
            row[r.CELL_FIRST + runs] = part
            runs += 1
    row[r.CELL_FIRST + runs] = end
    return runs


@jit
def write_run(ctx, row, run):
    """Write the program of a run, or note its parent's where that does not fit."""
    if ctx[c.ARENA_TOP] + (row[c.CHILD_COUNT + run] + 1) * RECORD_BYTES > ctx[c.ARENA_END]:
        row[c.CHILD_PROGRAM + run] = row[c.PROGRAM]
        row[c.CHILD_COUNT + run] = row[c.COUNT]
        row[c.CHILD_RESULT + run] = row[c.REGION_RESULT]
    else:
        write_program(ctx, row, run, ctx[c.PLACES], ctx[c.ARENA_TOP], row)
        # programs are told apart by their addresses, also those without records
        ctx[c.ARENA_TOP] += max(row[c.CHILD_COUNT + run], 1) * RECORD_BYTES


@jit
def split(ctx, place, first, end, bits):
    """Cut parts into runs with programs; returns the work."""
    row = int64_at(place)
    step = min(bits, ctx[r.MOST_BITS])
    runs = cut(ctx, row, first, end, bits - step)
    valid, count = bound_runs(ctx, row, runs), row[c.COUNT]
    total = 0
    for run in range(runs):
        write_run(ctx, row, run)
        total += row[c.CHILD_COUNT + run]
    row[r.CELL_RATE] = bits - step if total < SHORTER * count * runs else 0
    uint64_at(place + 8 * c.REMAINING)[0] = valid
    return count * LANES


@jit
def enter(ctx, depth, program, first, end, bits):
    """Split a run of parts as row ``depth``, or note its program as theirs; returns the work."""
    records, count, result = program
    if bits > 0 and depth < r.MOST_DEPTH and count > 0:
        place = ctx[c.STACK] + 8 * r.ROW * depth
        row = int64_at(place)
        row[c.PROGRAM], row[c.COUNT], row[c.REGION_RESULT] = records, count, result
        ctx[c.DEPTH] = depth + 1
        return split(ctx, place, first, end, bits)
    programs = int64_at(ctx[r.PROGRAMS])
    for part in range(first, end):
        at = r.PROGRAM_WORDS * part
        programs[at + r.PART_RECORDS], programs[at + r.PART_COUNT] = records, count
        programs[at + r.PART_RESULT] = result
    return 1


def divide(address):
    """Find the programs of the parts from FIRST to END; returns 1 if any may be left."""
    ctx = int64_at(address)
    budget = ctx[c.BUDGET]
    if ctx[c.DEPTH] < 0:
        ctx[c.DEPTH] = 0
        ctx[c.ARENA_TOP] = ctx[c.ARENA]
        program = (ctx[c.RECORDS], ctx[c.LENGTH], ctx[c.RESULT])
        none = np.int64(0)  # as a literal it would make numba compile it twice
        budget -= enter(ctx, none, program, ctx[r.FIRST], ctx[r.END], ctx[r.KEY_BITS])
    while budget > 0:
        depth = ctx[c.DEPTH]
        if depth == 0:
            return 0
        place = ctx[c.STACK] + 8 * r.ROW * (depth - 1)
        row, left = int64_at(place), uint64_at(place + 8 * c.REMAINING)
        if left[0] == NO_CHILD:
            ctx[c.DEPTH] = depth - 1
        else:
            run = first_bit(left[0])
            left[0] &= left[0] - ONE
            program = (
                row[c.CHILD_PROGRAM + run], row[c.CHILD_COUNT + run], row[c.CHILD_RESULT + run],
            )  # fmt: skip
            first, end = row[r.CELL_FIRST + run], row[r.CELL_FIRST + run + 1]
            budget -= enter(ctx, depth, program, first, end, row[r.CELL_RATE])
    return 1
