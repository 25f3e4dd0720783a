"""The compiled walk: numba source of what runs for each region, leaf and pixel.

Everything a kernel knows stands in one int64 array, the *context* (its fields are in ``context``):
sizes, and addresses of records, coordinates, image and workspace. Kernels allocate nothing and
raise nothing, so their object code runs without numba (``native`` compiles, keeps and loads it).

``walk`` first splits the whole image. Called again it takes the children one by one, by an atomic
counter, and walks each depth-first until no task is left or its budget is used up; then again.

A split cuts a region into up to 8 x 8 children, the 64 lanes of one interval pass. What is proven
is filled; for the ambiguous children one backward pass finds which of them need each clause (a
uint64 a clause), and one forward pass writes their tapes. A clause whose choice is decided in a
child is an alias there and is not written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import types
from numba.extending import intrinsic

from intervalvm.compiler.program import (
    CONSTANT_CHOICE,
    INPUTS,
    LEFT_PLACE,
    NUMBER,
    RIGHT_PLACE,
    THIRD_PLACE,
    TO_AXIS,
    TO_FULL,
    VARIANT_BITS,
    Variant,
)
from intervalvm.evaluate import lanes
from intervalvm.evaluate.lanes import ELEMENT, I1, I64, POINTER
from intervalvm.render import context as c

VARIANT = (1 << VARIANT_BITS) - 1
COPY_FULL, COPY_AXIS = (
    NUMBER[variant] | variant.flags
    for variant in (Variant("copy", "k", "f"), Variant("copy", "k", "a"))
)
NOBODY, EVERYBODY, ONE = np.uint64(0), np.uint64(2**64 - 1), np.uint64(1)
FIRST_LINE, FIRST_COLUMN = np.uint64(0xFF), np.uint64(0x0101010101010101)
HALF, LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
MOST_POLLS = 2_000
"""How often a thread looks whether the root is split before it returns to Python: microseconds."""
BLOCK, LANES, SIDE = lanes.BLOCK, lanes.LANES, lanes.SIDE
TRUTH_BYTES = lanes.TRUTH_BYTES


def compile_flags() -> dict[str, Any]:
    """How every kernel is compiled: no fast-math, no contraction, no exceptions, no runtime."""
    return {"error_model": "numpy", "fastmath": False, "boundscheck": False, "_nrt": False}


jit = njit(**compile_flags())


def _pointer(kind: Any) -> Any:
    @intrinsic
    def pointer(typingctx, address):
        def codegen(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.int64), codegen

    return pointer


uint8_at, uint16_at = _pointer(types.uint8), _pointer(types.uint16)
int32_at, uint32_at = _pointer(types.int32), _pointer(types.uint32)
int64_at, uint64_at = _pointer(types.int64), _pointer(types.uint64)


@intrinsic
def first_bit(typingctx, mask):
    """The place of the lowest bit that is set; the mask is not 0."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], ir.Constant(I1, 1))

    return types.int64(types.uint64), codegen


@intrinsic
def count_bits(typingctx, mask):
    def codegen(context, builder, signature, args):
        return builder.ctpop(args[0])

    return types.int64(types.uint64), codegen


@intrinsic
def take_next(typingctx, address):
    """Add 1 to the int64 at an address that threads share; returns what it was."""

    def codegen(context, builder, signature, args):
        place = builder.inttoptr(args[0], POINTER)
        return builder.atomic_rmw("add", place, ir.Constant(I64, 1), "monotonic")

    return types.int64(types.int64), codegen


@intrinsic
def publish(typingctx, address, value):
    """Store an int64 that other threads wait for, after all that was stored before."""

    def codegen(context, builder, signature, args):
        builder.atomic_rmw("xchg", builder.inttoptr(args[0], POINTER), args[1], "release")
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def published(typingctx, address):
    """The int64 at an address that another thread publishes."""

    def codegen(context, builder, signature, args):
        place = builder.inttoptr(args[0], POINTER)
        return builder.load_atomic(place, "acquire", 8, typ=I64)

    return types.int64(types.int64), codegen


@intrinsic
def fill_bytes(typingctx, address, count, value):
    def codegen(context, builder, signature, args):
        memset = builder.module.declare_intrinsic("llvm.memset", [POINTER, I64])
        byte = builder.trunc(args[2], ir.IntType(8))
        builder.call(
            memset, [builder.inttoptr(args[0], POINTER), byte, args[1], ir.Constant(I1, 0)]
        )
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


@intrinsic
def write_row(typingctx, out, bits):
    """16 bytes, 255 for each bit that is set, else 0; returns how many are set."""

    def codegen(context, builder, signature, args):
        word = builder.trunc(args[1], ir.IntType(BLOCK))
        mask = builder.bitcast(word, ir.VectorType(I1, BLOCK))
        pixels = builder.sext(mask, ir.VectorType(ir.IntType(8), BLOCK))
        builder.store(pixels, builder.inttoptr(args[0], POINTER), align=1)
        return builder.zext(builder.ctpop(word), I64)

    return types.int64(types.int64, types.int64), codegen


def _copy_block(dtype: str) -> Any:
    """copy_block(out, source): 16 numbers."""
    block, align = ir.VectorType(ELEMENT[dtype], BLOCK), np.dtype(dtype).itemsize

    @intrinsic
    def copy_block(typingctx, out, source):
        def codegen(context, builder, signature, args):
            out, source = (builder.inttoptr(a, POINTER) for a in args)
            builder.store(builder.load(source, align=align, typ=block), out, align=align)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return copy_block


def _tame_intrinsic(dtype: str, width: int) -> Any:
    """is_tame(slot): all bounds are finite, with room to spare, and none may be NaN."""
    limit = float(np.finfo(dtype).max) / 4

    @intrinsic
    def is_tame(typingctx, slot):
        def codegen(context, builder, signature, args):
            xp = lanes.Lanes(builder, dtype, width, tame=False)
            span = width * xp.itemsize
            lower = lanes.Lane(builder, lanes._load(builder, args[0], 0, xp.vector))
            upper = lanes.Lane(builder, lanes._load(builder, args[0], span, xp.vector))
            fits = lanes.mask_word(~((lower > -limit) & (upper < limit)))
            nan = lanes._load(builder, args[0], 2 * span, I64)
            return builder.icmp_unsigned("==", builder.or_(fits, nan), ir.Constant(I64, 0))

        return types.boolean(types.int64), codegen

    return is_tame


def _sides_intrinsic(dtype: str, *, tame: bool) -> Any:
    """sides(slot, inside): the regions that are proven below 0, or proven not below 0."""

    @intrinsic
    def sides(typingctx, slot, inside):
        def codegen(context, builder, signature, args):
            xp = lanes.Lanes(builder, dtype, LANES, tame=tame)
            span = LANES * xp.itemsize
            lower = lanes.Lane(builder, lanes._load(builder, args[0], 0, xp.vector))
            upper = lanes.Lane(builder, lanes._load(builder, args[0], span, xp.vector))
            below, above = lanes.mask_word(upper < 0.0), lanes.mask_word(lower >= 0.0)
            proven = builder.select(args[1], below, above)
            if tame:
                return proven
            nan = lanes._load(builder, args[0], 2 * span, I64)
            return builder.and_(proven, builder.not_(nan))

        return types.uint64(types.int64, types.boolean), codegen

    return sides


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


@intrinsic
def renumber(typingctx, out, left, right, counts, left_only, right_only, written):
    """One place in the programs of 64 children: the next number of each, or an alias.

    ``out``, ``left``, ``right`` and ``counts`` are addresses of int32[64]; the rest are masks.
    """

    def codegen(context, builder, signature, args):
        vector, flags = ir.VectorType(ir.IntType(32), LANES), ir.VectorType(I1, LANES)
        out, left, right, counts = (builder.inttoptr(a, POINTER) for a in args[:4])
        masks = [builder.bitcast(mask, flags) for mask in args[4:]]
        a, b, count = (builder.load(p, align=64, typ=vector) for p in (left, right, counts))
        alias = builder.select(masks[0], a, builder.select(masks[1], b, count))
        builder.store(alias, out, align=64)
        builder.store(builder.sub(count, builder.sext(masks[2], vector)), counts, align=64)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4, *[types.uint64] * 3), codegen


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


@jit
def edge(cell, level, pixels):
    """The first pixel of a cell, when ``pixels`` are cut into 2**level cells."""
    return (cell * pixels) >> level


def build(dtype: str, *, tame: bool) -> Any:
    """The kernel ``walk(address of a context)`` for a dtype, careful or tame (see ``lanes``).

    Only the careful one can split the root: it finds whether the rest may be tame.
    """
    itemsize = np.dtype(dtype).itemsize
    full_bytes, axis_bytes = (lanes.interval_bytes(dtype, width) for width in (LANES, SIDE))
    points_bytes = BLOCK * BLOCK * itemsize
    floats_at = _pointer(types.float32 if dtype == "float32" else types.float64)
    evaluate_interval = lanes.interval_step(dtype, tame=tame)
    evaluate_points = lanes.points_step(dtype, tame=tame)
    full_is_tame, axis_is_tame = _tame_intrinsic(dtype, LANES), _tame_intrinsic(dtype, SIDE)
    copy_block, sides = _copy_block(dtype), _sides_intrinsic(dtype, tame=tame)

    @jit
    def enter_children(ctx, stack, bits):
        """Write the children's x and y into places 0 and 1; returns those that have pixels."""
        level, count = stack[c.LEVEL] + bits, 1 << bits
        columns, lines = NOBODY, NOBODY
        for axis in range(2):
            pixels = ctx[c.HEIGHT_PX] if axis else ctx[c.WIDTH_PX]
            samples = floats_at(ctx[c.Y] if axis else ctx[c.X])
            slot = ctx[c.AXIS] + axis * axis_bytes
            lower, upper = floats_at(slot), floats_at(slot + SIDE * itemsize)
            uint64_at(slot + 2 * SIDE * itemsize)[0] = NOBODY
            cell = stack[c.LINE if axis else c.COLUMN] << bits
            for k in range(SIDE):
                first = edge(cell + min(k, count - 1), level, pixels)
                last = max(edge(cell + min(k, count - 1) + 1, level, pixels) - 1, first)
                if k < count and edge(cell + k + 1, level, pixels) > first:
                    if axis:
                        lines |= FIRST_LINE << np.uint64(SIDE * k)
                    else:
                        columns |= FIRST_COLUMN << np.uint64(k)
                # x runs to the right, y upwards: the last row has the least
                lower[k] = samples[last if axis else first]
                upper[k] = samples[first if axis else last]
        return columns & lines

    @jit
    def fill(ctx, stack, bits, child, is_inside):
        """Fill a proven child: 255 inside, 0 (as the image starts) outside; or a bound."""
        level = stack[c.LEVEL] + bits
        column = (stack[c.COLUMN] << bits) + (child & (SIDE - 1))
        line = (stack[c.LINE] << bits) + child // SIDE
        left, right = edge(column, level, ctx[c.WIDTH_PX]), edge(column + 1, level, ctx[c.WIDTH_PX])
        top, bottom = edge(line, level, ctx[c.HEIGHT_PX]), edge(line + 1, level, ctx[c.HEIGHT_PX])
        if ctx[c.IS_VALUE]:
            slot = ctx[c.FULL] + stack[c.ROOT] * full_bytes
            bound = floats_at(slot + (LANES * itemsize if is_inside else 0))[child]
            for row in range(top, bottom):
                pixels = floats_at(ctx[c.IMAGE] + row * ctx[c.WIDTH_PX] * itemsize)
                for pixel in range(left, right):
                    pixels[pixel] = bound
        elif is_inside:
            for row in range(top, bottom):
                fill_bytes(ctx[c.IMAGE] + row * ctx[c.WIDTH_PX] + left, right - left, 255)
        return (right - left) * (bottom - top)

    @jit
    def all_tame(ctx, stack):
        """Whether all bounds of a split are finite, with room to spare, and none may be NaN."""
        records = uint32_at(stack[c.PROGRAM])
        tame_so_far = axis_is_tame(ctx[c.AXIS]) and axis_is_tame(ctx[c.AXIS] + axis_bytes)
        for i in range(stack[c.COUNT]):
            flags = np.int64(records[4 * i])
            if flags & TO_FULL:
                tame_so_far &= full_is_tame(ctx[c.FULL] + (i + INPUTS) * full_bytes)
            elif flags & TO_AXIS:
                tame_so_far &= axis_is_tame(ctx[c.AXIS] + (i + INPUTS) * axis_bytes)
        return tame_so_far

    @jit
    def split(ctx, step, valid):
        """Prove or split the region of stack row ``step``, of its children those in ``valid``."""
        stack = int64_at(ctx[c.STACK] + 8 * c.ROW * step)
        stats = int64_at(ctx[c.STATS] + 8 * c.COUNTS * step)
        bits = int64_at(ctx[c.BITS])[step]
        records, n = uint32_at(stack[c.PROGRAM]), stack[c.COUNT]
        full, axis, truth = ctx[c.FULL], ctx[c.AXIS], ctx[c.TRUTH]
        numbers, choices = ctx[c.NUMBERS], ctx[c.CHOICES]
        valid &= enter_children(ctx, stack, bits)
        fill_bytes(choices, 16 * (n + INPUTS), 0)
        for i in range(n):
            evaluate_interval(
                np.int64(records[4 * i]) & VARIANT,
                i + INPUTS,
                np.int64(records[4 * i + 1]),
                np.int64(records[4 * i + 2]),
                np.int64(records[4 * i + 3]),
                full,
                axis,
                truth,
                numbers,
                choices,
            )
        if step == 0:
            ctx[c.TAME] = tame or all_tame(ctx, stack)
        if ctx[c.IS_VALUE]:
            slot = full + stack[c.ROOT] * full_bytes
            inside, outside = sides(slot, True) & valid, sides(slot, False) & valid
        else:
            words = uint64_at(truth + 16 * stack[c.ROOT])
            inside, outside = words[0] & valid, words[1] & valid
        proven, ambiguous = inside | outside, valid & ~(inside | outside)
        while proven != NOBODY:
            child = first_bit(proven)
            proven &= proven - ONE
            is_inside = (inside >> np.uint64(child)) & ONE == ONE
            pixels = fill(ctx, stack, bits, child, is_inside)
            stats[c.INSIDE_PX] += pixels if is_inside else 0
        stack[c.BASE] = ctx[c.ARENA_TOP]
        fitting = NOBODY
        if ambiguous != NOBODY:
            find_live(ctx, stack, ambiguous)
            number_places(ctx, stack)
            fitting = write_programs(ctx, stack, ambiguous, ctx[c.STEPS] - 1 - step)
        uint64_at(ctx[c.STACK] + 8 * (c.ROW * step + c.REMAINING))[0] = fitting
        uint64_at(ctx[c.STACK] + 8 * (c.ROW * step + c.DEFERRED))[0] = ambiguous & ~fitting
        stats[c.REGIONS] += count_bits(inside | outside | fitting)
        stats[c.INSIDE] += count_bits(inside)
        stats[c.OUTSIDE] += count_bits(outside)
        stats[c.AMBIGUOUS] += count_bits(fitting)
        while fitting != NOBODY:
            stats[c.CLAUSES] += stack[c.CHILD_COUNT + first_bit(fitting)]
            fitting &= fitting - ONE

    @jit
    def enter_leaf(ctx, step, child, parent):
        """Note child ``child`` of stack row ``parent`` as the leaf to evaluate next."""
        bits = int64_at(ctx[c.BITS])[step]
        level = parent[c.LEVEL] + bits
        column = (parent[c.COLUMN] << bits) + (child & (SIDE - 1))
        line = (parent[c.LINE] << bits) + child // SIDE
        ctx[c.LEAF_RECORDS] = parent[c.CHILD_PROGRAM + child]
        ctx[c.LEAF_COUNT] = parent[c.CHILD_COUNT + child]
        ctx[c.LEAF_RESULT] = parent[c.CHILD_ROOT + child]
        ctx[c.LEAF_LEFT] = edge(column, level, ctx[c.WIDTH_PX])
        ctx[c.LEAF_RIGHT] = edge(column + 1, level, ctx[c.WIDTH_PX])
        ctx[c.LEAF_ROW] = edge(line, level, ctx[c.HEIGHT_PX])
        ctx[c.LEAF_BOTTOM] = edge(line + 1, level, ctx[c.HEIGHT_PX])

    @jit
    def leaf_rows(ctx):
        """Evaluate up to 16 rows of the noted leaf point by point; returns records x lanes."""
        records, n = uint32_at(ctx[c.LEAF_RECORDS]), ctx[c.LEAF_COUNT]
        full, axis, truth = ctx[c.FULL], ctx[c.AXIS], ctx[c.TRUTH]
        numbers, result = ctx[c.NUMBERS], ctx[c.LEAF_RESULT]
        top, left, right = ctx[c.LEAF_ROW], ctx[c.LEAF_LEFT], ctx[c.LEAF_RIGHT]
        rows, inside = min(BLOCK, ctx[c.LEAF_BOTTOM] - top), 0
        for column in range(left, right, BLOCK):
            copy_block(axis, ctx[c.X] + column * itemsize)
            copy_block(axis + BLOCK * itemsize, ctx[c.Y] + top * itemsize)
            for i in range(n):
                evaluate_points(
                    np.int64(records[4 * i]) & VARIANT,
                    i + INPUTS,
                    np.int64(records[4 * i + 1]),
                    np.int64(records[4 * i + 2]),
                    np.int64(records[4 * i + 3]),
                    full,
                    axis,
                    truth,
                    numbers,
                    0,
                )
            columns = min(BLOCK, right - column)
            values = floats_at(full + result * points_bytes)
            bits = uint16_at(truth + result * TRUTH_BYTES)
            for row in range(rows):
                place = (top + row) * ctx[c.WIDTH_PX] + column
                if ctx[c.IS_VALUE]:
                    pixels = floats_at(ctx[c.IMAGE] + place * itemsize)
                    for k in range(columns):
                        value = values[row * BLOCK + k]
                        inside += value < 0
                        pixels[k] = value
                elif columns == BLOCK:
                    inside += write_row(ctx[c.IMAGE] + place, np.int64(bits[row]))
                else:
                    out = uint8_at(ctx[c.IMAGE] + place)
                    for k in range(columns):
                        bit = (np.int64(bits[row]) >> k) & 1
                        inside += int(bit)
                        out[k] = np.uint8(255 * bit)
        ctx[c.LEAF_ROW] = top + rows
        stats = int64_at(ctx[c.STATS])
        stats[c.INSIDE_PX] += inside
        stats[c.EVALUATED_PX] += rows * (right - left)
        return n * (right - left) * BLOCK

    @jit
    def enter_child(ctx, step, child, parent):
        """Make child ``child`` of stack row ``parent`` the region of row ``step`` and split it.

        Returns records x lanes.
        """
        stack = int64_at(ctx[c.STACK] + 8 * c.ROW * step)
        bits = int64_at(ctx[c.BITS])[step - 1]
        stack[c.LEVEL] = parent[c.LEVEL] + bits
        stack[c.COLUMN] = (parent[c.COLUMN] << bits) + (child & (SIDE - 1))
        stack[c.LINE] = (parent[c.LINE] << bits) + child // SIDE
        stack[c.PROGRAM] = parent[c.CHILD_PROGRAM + child]
        stack[c.COUNT] = parent[c.CHILD_COUNT + child]
        stack[c.ROOT] = parent[c.CHILD_ROOT + child]
        split(ctx, step, EVERYBODY)
        ctx[c.DEPTH] = step
        return stack[c.COUNT] * LANES

    @jit
    def split_root(ctx):
        """Split the whole image; its ambiguous children become the tasks."""
        stack = int64_at(ctx[c.STACK])
        stack[c.PROGRAM], stack[c.COUNT] = ctx[c.RECORDS], ctx[c.LENGTH]
        stack[c.ROOT] = ctx[c.RESULT]
        stack[c.LEVEL] = stack[c.COLUMN] = stack[c.LINE] = 0
        ctx[c.ARENA_TOP] = ctx[c.ARENA]
        split(ctx, 0, np.uint64(ctx[c.VALID]))
        shared = int64_at(ctx[c.SHARED])
        tasks = 0
        left = uint64_at(ctx[c.STACK] + 8 * c.REMAINING)[0]
        while left != NOBODY:
            shared[c.TASK_LIST + tasks] = first_bit(left)
            left &= left - ONE
            tasks += 1
        publish(ctx[c.SHARED] + 8 * c.READY, tasks + 1)

    def walk(address):
        """Walk tasks, after splitting the root if DEPTH says so; returns 1 if any may be left."""
        ctx = int64_at(address)
        if ctx[c.DEPTH] < 0:
            ctx[c.DEPTH] = 0
            split_root(int64_at(ctx[c.ROOT_CONTEXT]))
            if not tame:
                return 1  # the tame kernel may be able to go on
        ready, polls = published(ctx[c.SHARED] + 8 * c.READY), 0
        while ready == 0:
            polls += 1
            if polls > MOST_POLLS:
                return 1  # the thread that splits it may be waiting for this processor
            ready = published(ctx[c.SHARED] + 8 * c.READY)
        last, shared = ctx[c.STEPS] - 1, int64_at(ctx[c.SHARED])
        root_stack = int64_at(int64_at(ctx[c.ROOT_CONTEXT])[c.STACK])
        budget = ctx[c.BUDGET]
        while budget > 0:
            step = ctx[c.DEPTH]
            if ctx[c.LEAF_ROW] < ctx[c.LEAF_BOTTOM]:
                budget -= leaf_rows(ctx)
            elif step == 0:
                task = take_next(ctx[c.SHARED] + 8 * c.NEXT_TASK)
                if task >= ready - 1:
                    return 0
                child = shared[c.TASK_LIST + task]
                if last == 0:
                    enter_leaf(ctx, step, child, root_stack)
                else:
                    budget -= enter_child(ctx, step + 1, child, root_stack)
            else:
                row = ctx[c.STACK] + 8 * c.ROW * step
                stack = int64_at(row)
                remaining = uint64_at(row + 8 * c.REMAINING)
                deferred = uint64_at(row + 8 * c.DEFERRED)
                if remaining[0] != NOBODY:
                    child = first_bit(remaining[0])
                    remaining[0] &= remaining[0] - ONE
                    if step == last:
                        enter_leaf(ctx, step, child, stack)
                    else:
                        budget -= enter_child(ctx, step + 1, child, stack)
                else:
                    ctx[c.ARENA_TOP] = stack[c.BASE]
                    if deferred[0] != NOBODY:
                        split(ctx, step, deferred[0])
                    else:
                        ctx[c.DEPTH] = step - 1
        return 1

    return walk


def build_bounds(dtype: str) -> Any:
    """The kernel ``bounds(address of a context)``: a program without axes over one box."""
    evaluate = lanes.interval_step(dtype, tame=False, width=1)

    def bounds(address):
        """Evaluate every record; the interval slots of x and y are written already."""
        ctx = int64_at(address)
        records = uint32_at(ctx[c.RECORDS])
        for i in range(ctx[c.LENGTH]):
            evaluate(
                np.int64(records[4 * i]) & VARIANT,
                i + INPUTS,
                np.int64(records[4 * i + 1]),
                np.int64(records[4 * i + 2]),
                np.int64(records[4 * i + 3]),
                ctx[c.FULL],
                ctx[c.AXIS],
                ctx[c.TRUTH],
                ctx[c.NUMBERS],
                ctx[c.CHOICES],
            )
        return 0

    return bounds
