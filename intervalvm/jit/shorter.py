"""The kernel "shorten", in numba: the shorter tapes of boxes, as in ``tape.shorten.simplify``.

From the choices of up to 64 boxes that the kernel "boxes" left in the workspace it finds the live
clauses of all, or writes the tape of one. Its argument is the address of a context (``request``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intervalvm.jit import layout as c
from intervalvm.jit import request as r
from intervalvm.jit.children import NO_CHILD, ONE, transpose
from intervalvm.jit.intrinsics import (
    count_bits,
    fill_bytes,
    first_bit,
    int32_at,
    int64_at,
    jit,
    uint8_at,
    uint64_at,
)
from intervalvm.jit.layout import LANES
from intervalvm.words import Meaning


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
