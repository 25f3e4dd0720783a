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
    uint8_at,
    uint16_at,
    uint64_at,
)
from intervalvm.jit.layout import LANES
from intervalvm.jit.numbers import read_group
from intervalvm.jit.request import GROUP
from intervalvm.words import Meaning

bound_boxes = call_of(GroupLoop("box", "float32"))  # the symbol of any dtype's and meaning's


def build_boxes(dtype: str, meaning: Meaning) -> tuple[Any, tuple[GroupLoop, ...]]:
    """The kernel ``boxes(address of a context)``: the same code for all dtypes and meanings."""
    return boxes, (GroupLoop("box", dtype, meaning),)


@jit
def read_boxes(ctx, groups, first):
    """Write the inputs of a batch to their slots."""
    size = ctx[c.ITEMSIZE]
    span = GROUP * size
    for k in range(ctx[r.INPUTS_READ]):
        row = int64_at(ctx[r.INPUT_ROWS] + 8 * r.BOX_WORDS * k)
        slot = ctx[r.SLOTS] + ctx[r.STRIDE] * (ctx[r.FIRST_INPUT] + k)
        bits = uint16_at(ctx[r.NANS] + 8 * (ctx[r.FIRST_INPUT] + k))
        maybe_nan, step = uint8_at(row[r.BOX_NAN]), row[r.BOX_STEP]
        for group in range(groups):
            start = first + GROUP * group
            at = slot + 2 * span * group
            read_group(at, row[r.BOX_LOWER], step, start, ctx[r.END], size)
            read_group(at + span, row[r.BOX_UPPER], step, start, ctx[r.END], size)
            word = np.int64(0)
            for lane in range(GROUP):
                is_nan = maybe_nan[step * min(start + lane, ctx[r.END] - 1)] != 0
                word |= np.int64(is_nan) << lane
            bits[group] = np.uint16(word)


@jit
def write_bounds(ctx, first, count):
    """Write the bounds of the result."""
    slot, size = ctx[r.SLOTS] + ctx[r.STRIDE] * ctx[c.RESULT], ctx[c.ITEMSIZE]
    nan, out_nan = uint64_at(ctx[r.NANS])[ctx[c.RESULT]], uint8_at(ctx[r.OUT_NAN])
    for lane in range(0, count, GROUP):
        n, at, found = min(GROUP, count - lane), size * (first + lane), slot + 2 * size * lane
        copy_bytes(ctx[r.OUT] + at, found, size * n)
        copy_bytes(ctx[r.OUT_UPPER] + at, found + GROUP * size, size * n)
    for lane in range(count):
        out_nan[first + lane] = (nan >> np.uint64(lane)) & ONE


def boxes(address):
    """Bound the boxes from FIRST to END."""
    ctx = int64_at(address)
    most = GROUP * ctx[r.GROUPS]
    for first in range(ctx[r.FIRST], ctx[r.END], most):
        count = min(most, ctx[r.END] - first)
        groups = (count + GROUP - 1) // GROUP
        read_boxes(ctx, groups, first)
        bound_boxes(
            ctx[c.RECORDS], ctx[c.LENGTH], groups, ctx[r.STRIDE], ctx[r.SLOTS],
            ctx[c.CONSTANTS], ctx[r.NANS], ctx[c.CHOICES],
        )  # fmt: skip
        write_bounds(ctx, first, count)
    return 0


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


def build_shorten(_dtype: str, _: Meaning) -> tuple[Any, tuple[()]]:
    """The kernel ``shorten(address of a context)``, the same of any dtype."""
    return shorten, ()


def shorten(address):
    """Find the live clauses of all boxes, or write the tape of one; returns how many there are."""
    ctx = int64_at(address)
    if ctx[r.BOX] < 0:
        return find_live_clauses(ctx, uint64_at(address + 8 * r.ASKED)[0])
    return write_tape(ctx, ctx[r.BOX])
