"""The children's programs: what each child of a split needs of its parent's, written at once."""

from __future__ import annotations

import numpy as np

from intervalvm.compiler.program import (
    CONSTANT_CHOICE,
    INPUTS,
    LEFT_PLACE,
    NUMBER,
    RIGHT_PLACE,
    THIRD_PLACE,
    TO_AXIS,
    Variant,
)
from intervalvm.evaluate.lanes import LANES
from intervalvm.render import context as c
from intervalvm.render.intrinsics import (
    fill_bytes,
    first_bit,
    int32_at,
    jit,
    renumber,
    uint64_at,
)

COPY_FULL, COPY_AXIS = (
    NUMBER[variant] | variant.flags
    for variant in (Variant("copy", "k", "f"), Variant("copy", "k", "a"))
)
NOBODY, ONE = np.uint64(0), np.uint64(1)
HALF, LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
"""A record is two uint64, each two of its words."""


@jit
def find_live(ctx, stack, ambiguous):
    """Backwards through the program: which children need each place."""
    records, n = uint64_at(stack[c.PROGRAM]), stack[c.COUNT]
    choices, live = uint64_at(ctx[c.CHOICES]), uint64_at(ctx[c.LIVE])
    fill_bytes(ctx[c.LIVE], 8 * (n + INPUTS), 0)
    live[stack[c.ROOT]] = ambiguous
    for i in range(n - 1, -1, -1):
        place = i + INPUTS
        need = live[place]
        if need == NOBODY:
            continue
        first, second = records[2 * i], records[2 * i + 1]
        flags = np.int64(first & LOW)
        left, right = np.int64(first >> HALF), np.int64(second & LOW)
        # Without a choice both are 0: every operand matters.
        left_only, right_only = choices[2 * place], choices[2 * place + 1]
        if flags & LEFT_PLACE:
            live[left] |= need & ~right_only
        if flags & RIGHT_PLACE:
            live[right] |= need & ~left_only
        if flags & THIRD_PLACE:
            live[np.int64(second >> HALF)] |= need


@jit
def number_places(ctx, stack):
    """Forwards through the program: where each place is in the programs of all children at once.

    Turns LIVE into the children that get a record of their own: those that need the place and for
    which it is no alias of one of its operands.
    """
    records, n = uint64_at(stack[c.PROGRAM]), stack[c.COUNT]
    choices, live = uint64_at(ctx[c.CHOICES]), uint64_at(ctx[c.LIVE])
    remap, counts = ctx[c.REMAP], int32_at(ctx[c.CHILD_COUNTS])
    for child in range(LANES):
        counts[child] = INPUTS
    for i in range(n):
        place = i + INPUTS
        need = live[place]
        if need == NOBODY:
            continue
        first, second = records[2 * i], records[2 * i + 1]
        flags = np.int64(first & LOW)
        # A constant has no place to be an alias of: a copy of it is written.
        left_only = choices[2 * place] if flags & LEFT_PLACE else NOBODY
        right_only = choices[2 * place + 1] if flags & RIGHT_PLACE else NOBODY
        written = need & ~(left_only | right_only)
        live[place] = written
        renumber(
            remap + 4 * LANES * place,
            remap + 4 * LANES * np.int64(first >> HALF),
            remap + 4 * LANES * np.int64(second & LOW),
            ctx[c.CHILD_COUNTS],
            left_only,
            right_only,
            written,
        )


@jit
def transpose(source, out):
    """The 64 words at ``out`` are the columns of the 64 words at ``source``."""
    a, b = uint64_at(source), uint64_at(out)
    for i in range(LANES):
        b[i] = a[i]
    width = 32
    mask = np.uint64(0x00000000FFFFFFFF)
    while width:
        shift = np.uint64(width)
        i = 0
        while i < LANES:
            swap = ((b[i] >> shift) ^ b[i + width]) & mask
            b[i] ^= swap << shift
            b[i + width] ^= swap
            i += 1
            if i & width:
                i += width
        width >>= 1
        mask ^= mask << np.uint64(width)


@jit
def write_programs(ctx, stack, children, deeper):
    """Write the programs of ``children``, one after the other, from the numbers of their places.

    Returns those for which the arena had room. Room for one program is left to each of the
    ``deeper`` steps, or they could never go on.
    """
    records, n = uint64_at(stack[c.PROGRAM]), stack[c.COUNT]
    choices, remap = uint64_at(ctx[c.CHOICES]), int32_at(ctx[c.REMAP])
    counts = int32_at(ctx[c.CHILD_COUNTS])
    words = (n + LANES - 1) // LANES
    fill_bytes(ctx[c.LIVE] + 8 * (n + INPUTS), 8 * LANES, 0)
    for k in range(words):
        transpose(ctx[c.LIVE] + 8 * (INPUTS + LANES * k), ctx[c.ROWS_LIVE] + 8 * LANES * k)
    rows = uint64_at(ctx[c.ROWS_LIVE])
    end = ctx[c.ARENA_END] - c.RECORD_BYTES * deeper * n
    top, fitting = ctx[c.ARENA_TOP], NOBODY
    while children != NOBODY:
        child = first_bit(children)
        length = np.int64(counts[child]) - INPUTS
        if top + length * c.RECORD_BYTES > end:
            break
        children &= children - ONE
        fitting |= ONE << np.uint64(child)
        stack[c.CHILD_PROGRAM + child] = top
        stack[c.CHILD_COUNT + child] = length
        stack[c.CHILD_ROOT + child] = remap[stack[c.ROOT] * LANES + child]
        out = uint64_at(top)
        top += length * c.RECORD_BYTES
        at = 0
        for k in range(words):
            needed = rows[LANES * k + child]
            while needed != NOBODY:
                i = LANES * k + first_bit(needed)
                needed &= needed - ONE
                first, second = records[2 * i], records[2 * i + 1]
                flags = np.int64(first & LOW)
                left, right = np.int64(first >> HALF), np.int64(second & LOW)
                third = np.int64(second >> HALF)
                # the loads come first, so that what is a place is a selection and not a branch
                left_place = np.int64(remap[left * LANES + child])
                right_place = np.int64(remap[right * LANES + child])
                third_place = np.int64(remap[third * LANES + child])
                new_left = left_place if flags & LEFT_PLACE else left
                new_right = right_place if flags & RIGHT_PLACE else right
                new_third = third_place if flags & THIRD_PLACE else third
                if flags & CONSTANT_CHOICE:
                    place, shift = i + INPUTS, np.uint64(child)
                    left_only = (choices[2 * place] >> shift) & ONE
                    if left_only | ((choices[2 * place + 1] >> shift) & ONE):
                        flags = COPY_AXIS if flags & TO_AXIS else COPY_FULL
                        new_left, new_right = (left if left_only else right), 0
                out[at] = np.uint64(flags) | np.uint64(new_left) << HALF
                out[at + 1] = np.uint64(new_right) | np.uint64(new_third) << HALF
                at += 2
    ctx[c.ARENA_TOP] = top
    return fitting
