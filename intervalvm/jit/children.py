"""The children's programs: liveness for all children in parallel, then output."""

from __future__ import annotations

import numpy as np

from intervalvm.compiler.program import (
    CONSTANT_CHOICE,
    FIRST_WORD,
    INPUTS,
    LEFT_PLACE,
    RECORD_BYTES,
    RIGHT_PLACE,
    THIRD_PLACE,
    TO_AXIS,
)
from intervalvm.jit import layout as c
from intervalvm.jit.intrinsics import count_bits, fill_bytes, first_bit, int32_at, jit, uint64_at
from intervalvm.jit.layout import LANES

COPY_FULL, COPY_AXIS = FIRST_WORD["copy", "k", "f"], FIRST_WORD["copy", "k", "a"]
NO_CHILD, ONE = np.uint64(0), np.uint64(1)
ZERO = np.int64(0)
HALF, LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
"""A record is two uint64, each two of its words."""


@jit
def find_live(ctx, stack, ambiguous):
    """Backward liveness: the mask of children in which each place is live."""
    records, n = uint64_at(stack[c.PROGRAM]), stack[c.COUNT]
    choices, live = uint64_at(ctx[c.CHOICES]), uint64_at(ctx[c.LIVE])
    fill_bytes(ctx[c.LIVE], 8 * (n + INPUTS), 0)
    live[stack[c.REGION_RESULT]] = ambiguous
    for i in range(n - 1, -1, -1):
        place = i + INPUTS
        need = live[place]
        if need == NO_CHILD:
            continue
        first, second = records[2 * i], records[2 * i + 1]
        flags = np.int64(first & LOW)
        left, right = np.int64(first >> HALF), np.int64(second & LOW)
        # without a choice both are 0
        left_only, right_only = choices[2 * place], choices[2 * place + 1]
        if flags & LEFT_PLACE:
            live[left] |= need & ~right_only
        if flags & RIGHT_PLACE:
            live[right] |= need & ~left_only
        if flags & THIRD_PLACE:
            live[np.int64(second >> HALF)] |= need


@jit
def transpose(source, out):
    """Transpose 64 words of 64 bits."""
    a, b = uint64_at(source), uint64_at(out)
    for i in range(LANES):
        b[i] = a[i]
    width, mask = 32, np.uint64(0x00000000FFFFFFFF)
    while width:
        shift = np.uint64(width)
        for block in range(0, LANES, 2 * width):
            for i in range(block, block + width):
                swap = ((b[i] >> shift) ^ b[i + width]) & mask
                b[i] ^= swap << shift
                b[i + width] ^= swap
        width >>= 1
        mask ^= mask << np.uint64(width)


@jit
def find_children(ctx, stack, children):
    """Find the live places of each of ``children``, and a bound on its records."""
    n = stack[c.COUNT]
    find_live(ctx, stack, children)
    fill_bytes(ctx[c.LIVE] + 8 * (n + INPUTS), 8 * LANES, 0)
    for child in range(LANES):
        stack[c.CHILD_COUNT + child] = 0
    for k in range((n + LANES - 1) // LANES):
        rows = ctx[c.ROWS_LIVE] + 8 * LANES * k
        transpose(ctx[c.LIVE] + 8 * (INPUTS + LANES * k), rows)
        for child in range(LANES):
            stack[c.CHILD_COUNT + child] += count_bits(uint64_at(rows)[child])


@jit
def write_program(parent_ctx, parent, child, places, address, stack):
    """Write the program of a child of the split in ``parent`` to ``address``; note it in ``stack``.

    A decided choice is an alias of an operand: it gets that one's place, and its record is
    overwritten by the next. There is room for one record more.
    """
    records, n = uint64_at(parent[c.PROGRAM]), parent[c.COUNT]
    choices, rows = uint64_at(parent_ctx[c.CHOICES]), uint64_at(parent_ctx[c.ROWS_LIVE])
    place_of, out, at, bit = int32_at(places), uint64_at(address), ZERO, np.uint64(child)
    for k in range((n + LANES - 1) // LANES):
        needed = rows[LANES * k + child]
        while needed != NO_CHILD:
            i = LANES * k + first_bit(needed)
            needed &= needed - ONE
            first, second = records[2 * i], records[2 * i + 1]
            left_only = (choices[2 * (i + INPUTS)] >> bit) & ONE
            right_only = (choices[2 * (i + INPUTS) + 1] >> bit) & ONE
            flags = np.int64(first & LOW)
            left, right = np.int64(first >> HALF), np.int64(second & LOW)
            third = np.int64(second >> HALF)
            # the loads come first, so that what is a place is a selection and not a branch
            left_place, right_place = np.int64(place_of[left]), np.int64(place_of[right])
            third_place = np.int64(place_of[third])
            new_left = left_place if flags & LEFT_PLACE else left
            new_right = right_place if flags & RIGHT_PLACE else right
            new_third = third_place if flags & THIRD_PLACE else third
            is_alias = left_only | right_only
            if flags & CONSTANT_CHOICE:
                # a constant has no place: a copy of it is written
                if left_only and not flags & LEFT_PLACE:
                    flags, new_right, is_alias = copy_to(flags), ZERO, np.uint64(0)
                elif right_only and not flags & RIGHT_PLACE:
                    flags, new_left, new_right = copy_to(flags), new_right, ZERO
                    is_alias = np.uint64(0)
            out[2 * at] = np.uint64(flags) | np.uint64(new_left) << HALF
            out[2 * at + 1] = np.uint64(new_right) | np.uint64(new_third) << HALF
            alias = new_left if left_only else new_right
            place_of[i + INPUTS] = alias if is_alias else at + INPUTS
            at += np.int64(ONE - is_alias)
    stack[c.CHILD_PROGRAM + child] = address
    stack[c.CHILD_COUNT + child] = at
    stack[c.CHILD_RESULT + child] = place_of[parent[c.REGION_RESULT]]


@jit
def copy_to(flags):
    """The first word of a copy of a constant to where a record with these flags writes."""
    return COPY_AXIS if flags & TO_AXIS else COPY_FULL


@jit
def write_programs(ctx, stack, children, deeper):
    """Write the programs of ``children``, one after the other.

    Returns those that fit the arena. Room for one program is left to each of the ``deeper`` steps,
    so that they always progress.
    """
    end = ctx[c.ARENA_END] - RECORD_BYTES * deeper * (stack[c.COUNT] + 1)
    top, fitting = ctx[c.ARENA_TOP], NO_CHILD
    while children != NO_CHILD:
        child = first_bit(children)
        if top + (stack[c.CHILD_COUNT + child] + 1) * RECORD_BYTES > end:
            break
        children &= children - ONE
        fitting |= ONE << np.uint64(child)
        write_program(ctx, stack, child, ctx[c.PLACES], top, stack)
        top += stack[c.CHILD_COUNT + child] * RECORD_BYTES
    ctx[c.ARENA_TOP] = top
    return fitting
