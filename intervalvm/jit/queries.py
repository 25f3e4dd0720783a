"""The kernels of an evaluator, in numba: bounds over boxes, shorter tapes.

Like the walk they have one argument, the address of a context (see ``request``). They run a plain
program over groups of 16 boxes (see ``groups``), as many at a time as the workspace has
room for, and prune nothing.

"boxes"    bounds of the value over boxes; the choices of the last ones stay in the workspace
"shorten"  from the choices of up to 64 boxes the tape of each, as in ``tape.shorten.simplify``
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types

from intervalvm.jit import layout as c
from intervalvm.jit import request as r
from intervalvm.jit.children import NO_CHILD, ONE, transpose
from intervalvm.jit.groups import GroupLoop
from intervalvm.jit.intrinsics import (
    call_of,
    copy_bytes,
    count_bits,
    fill_bytes,
    first_bit,
    int32_at,
    int64_at,
    jit,
    pointer_to,
    uint8_at,
    uint16_at,
    uint64_at,
)
from intervalvm.jit.layout import LANES
from intervalvm.jit.request import GROUP
from intervalvm.words import Meaning


def loops(kind: str, dtype: str, meaning: Meaning) -> tuple[GroupLoop, ...]:
    """The loops of a kernel."""
    if kind == "shorten":
        return ()
    return (GroupLoop("box", dtype, meaning),)


def build(kind: str, dtype: str, loops: tuple[GroupLoop, ...]) -> Any:
    """The kernel of a kind, of its ``loops``."""
    if kind == "shorten":
        return shorten
    floats_at = pointer_to(types.float32 if dtype == "float32" else types.float64)
    evaluate, size = call_of(*loops), np.dtype(dtype).itemsize
    return build_boxes(evaluate, floats_at, size)


def reading(floats_at: Any) -> Any:
    """read(out, source, row of the input, first, end): 16 numbers; from the end on the last one."""

    @jit
    def read(out, source, row, first, end):
        written, given, step = floats_at(out), floats_at(source), row[r.STEP]
        for lane in range(GROUP):
            written[lane] = given[step * min(first + lane, end - 1)]

    return read


def build_boxes(evaluate: Any, floats_at: Any, size: int) -> Any:
    """The kernel ``boxes(address of a context)``."""
    read, span = reading(floats_at), GROUP * size

    @jit
    def read_boxes(ctx, groups, first):
        """Write the inputs of a batch to their slots."""
        for k in range(ctx[r.INPUTS_READ]):
            row = int64_at(ctx[r.INPUT_ROWS] + 8 * r.INPUT_WORDS * k)
            slot = ctx[r.SLOTS] + ctx[r.STRIDE] * (ctx[r.FIRST_INPUT] + k)
            bits = uint16_at(ctx[r.NANS] + 8 * (ctx[r.FIRST_INPUT] + k))
            maybe_nan, step = uint8_at(row[r.MAYBE_NAN]), row[r.STEP]
            for group in range(groups):
                start = first + GROUP * group
                read(slot + 2 * span * group, row[r.LOWER], row, start, ctx[r.END])
                read(slot + 2 * span * group + span, row[r.UPPER], row, start, ctx[r.END])
                word = np.int64(0)
                for lane in range(GROUP):
                    is_nan = maybe_nan[step * min(start + lane, ctx[r.END] - 1)] != 0
                    word |= np.int64(is_nan) << lane
                bits[group] = np.uint16(word)

    def boxes(address):
        ctx = int64_at(address)
        result, places = ctx[c.RESULT], (ctx[c.RECORDS], ctx[c.LENGTH])
        slot, nan = ctx[r.SLOTS] + ctx[r.STRIDE] * result, uint64_at(ctx[r.NANS])
        for first in range(ctx[r.FIRST], ctx[r.END], GROUP * ctx[r.GROUPS]):
            count = min(GROUP * ctx[r.GROUPS], ctx[r.END] - first)
            groups = (count + GROUP - 1) // GROUP
            read_boxes(ctx, groups, first)
            evaluate(
                places[0], places[1], groups, ctx[r.STRIDE], ctx[r.SLOTS], ctx[c.CONSTANTS],
                ctx[r.NANS], ctx[c.CHOICES],
            )  # fmt: skip
            out_nan = uint8_at(ctx[r.OUT_NAN])
            for group in range(groups):
                n = min(GROUP, count - GROUP * group)
                at, found = first + GROUP * group, slot + 2 * span * group
                copy_bytes(ctx[r.OUT] + size * at, found, size * n)
                copy_bytes(ctx[r.OUT_UPPER] + size * at, found + span, size * n)
            for lane in range(count):
                out_nan[first + lane] = (nan[result] >> np.uint64(lane)) & ONE
        return 0

    return boxes


# --- shorter tapes --------------------------------------------------------------------------------


@jit
def find_live_clauses(ctx, asked):
    """Backward liveness: for each clause the boxes that need it, then for each box the clauses.

    Returns the sum of the clauses that the boxes need.
    """
    n, live, roles = ctx[r.CLAUSES], uint64_at(ctx[c.LIVE]), int32_at(ctx[r.ROLES])
    left_of, right_of = int32_at(ctx[r.LEFT_OF]), int32_at(ctx[r.RIGHT_OF])
    choices = uint64_at(ctx[c.CHOICES])
    fill_bytes(ctx[c.LIVE], 8 * (n + LANES), 0)
    live[n - 1] = asked
    total = 0
    for i in range(n - 1, -1, -1):
        need, role = live[i], roles[i]
        total += count_bits(need)
        if need == NO_CHILD or role == r.LEAF:
            continue
        for_left, for_right = need, need
        if role >= 0:
            for_left, for_right = need & ~choices[2 * role + 1], need & ~choices[2 * role]
        live[left_of[i]] |= for_left
        if right_of[i] >= 0:
            live[right_of[i]] |= for_right
    for k in range((n + LANES - 1) // LANES):
        transpose(ctx[c.LIVE] + 8 * LANES * k, ctx[c.ROWS_LIVE] + 8 * LANES * k)
    return total


@jit
def write_tape(ctx, box):
    """Write the tape of a box; returns its length."""
    n, rows, roles = ctx[r.CLAUSES], uint64_at(ctx[c.ROWS_LIVE]), int32_at(ctx[r.ROLES])
    codes, wide, single = uint8_at(ctx[r.CODES]), uint64_at(ctx[r.WIDE]), int32_at(ctx[r.SINGLE])
    left_of, right_of = int32_at(ctx[r.LEFT_OF]), int32_at(ctx[r.RIGHT_OF])
    choices, bit = uint64_at(ctx[c.CHOICES]), np.uint64(box)
    new = int32_at(ctx[r.NEW])  # that of clause i is at i + 1, so that no operand keeps its -1
    new[0] = -1
    new_codes, new_wide = uint8_at(ctx[r.NEW_CODES]), uint64_at(ctx[r.NEW_WIDE])
    new_left, new_right = int32_at(ctx[r.NEW_LEFT]), int32_at(ctx[r.NEW_RIGHT])
    new_single, at = int32_at(ctx[r.NEW_SINGLE]), 0
    for k in range((n + LANES - 1) // LANES):
        needed = rows[LANES * k + box]
        while needed != NO_CHILD:
            i = LANES * k + first_bit(needed)
            needed &= needed - ONE
            role, left, right = roles[i], left_of[i], right_of[i]
            if role != r.LEAF:
                left, right = new[left + 1], new[right + 1]
            if role == r.ALIAS or (role >= 0 and (choices[2 * role] >> bit) & ONE):
                new[i + 1] = left
            elif role >= 0 and (choices[2 * role + 1] >> bit) & ONE:
                new[i + 1] = right
            else:
                new[i + 1] = at
                new_codes[at], new_left[at], new_right[at] = codes[i], left, right
                new_wide[at], new_single[at] = wide[i], single[i]
                at += 1
    return at


def shorten(address):
    """Find the live clauses of all boxes, or write the tape of one; returns how many there are."""
    ctx = int64_at(address)
    if ctx[r.BOX] < 0:
        return find_live_clauses(ctx, uint64_at(address + 8 * r.ASKED)[0])
    return write_tape(ctx, ctx[r.BOX])
