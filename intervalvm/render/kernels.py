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

from intervalvm.compiler.pack import COPY_CONSTANT, INPUT_SLOTS, OPERAND_BITS, VARIANTS
from intervalvm.evaluate import lanes
from intervalvm.evaluate.lanes import ELEMENT, I1, I64, POINTER
from intervalvm.ops import OPS
from intervalvm.render import context as c

OPERAND_MASK = (1 << OPERAND_BITS) - 1
LEFT_SHIFT, VARIANT_SHIFT = OPERAND_BITS, 2 * OPERAND_BITS
CHOICE, LEFT_SLOT, RIGHT_SLOT = 1, 2, 4
FLAGS = np.array(
    [
        CHOICE * OPS[v.op].has_choice
        | LEFT_SLOT * (not v.constant[0])
        | RIGHT_SLOT * (len(v.constant) == 2 and not v.constant[1])
        for v in VARIANTS
    ],
    np.int64,
)
"""For each variant: whether it has a choice, whether its left and its right operand are slots."""
COPY = COPY_CONSTANT << VARIANT_SHIFT
NOBODY, EVERYBODY, ONE = np.uint64(0), np.uint64(2**64 - 1), np.uint64(1)
FIRST_LINE, FIRST_COLUMN = np.uint64(0xFF), np.uint64(0x0101010101010101)
LEAF, LANES, SIDE = c.BLOCK_PX, c.LANES, 8
LEAF_LANES = LEAF * LEAF


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


uint8_at, int32_at = _pointer(types.uint8), _pointer(types.int32)
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
def fill_bytes(typingctx, address, count, value):
    def codegen(context, builder, signature, args):
        memset = builder.module.declare_intrinsic("llvm.memset", [POINTER, I64])
        byte = builder.trunc(args[2], ir.IntType(8))
        builder.call(
            memset, [builder.inttoptr(args[0], POINTER), byte, args[1], ir.Constant(I1, 0)]
        )
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), codegen


def _row_intrinsics(dtype: str) -> tuple[Any, Any, Any]:
    """Steps on a row of 16 pixels: copy coordinates, write one number 16 times, write pixels."""
    element = ELEMENT[dtype]
    row = ir.VectorType(element, LEAF)
    align = np.dtype(dtype).itemsize

    @intrinsic
    def copy_row(typingctx, out, source):
        def codegen(context, builder, signature, args):
            out, source = (builder.inttoptr(a, POINTER) for a in args)
            builder.store(builder.load(source, align=align, typ=row), out, align=align)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    @intrinsic
    def spread_row(typingctx, out, source):
        def codegen(context, builder, signature, args):
            out, source = (builder.inttoptr(a, POINTER) for a in args)
            number = builder.load(source, align=align, typ=element)
            empty = ir.Constant(row, ir.Undefined)
            first = builder.insert_element(empty, number, ir.Constant(ir.IntType(32), 0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), LEAF), [0] * LEAF)
            builder.store(builder.shuffle_vector(first, empty, zeros), out, align=align)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    @intrinsic
    def write_row(typingctx, out, source):
        """255 where a value is below 0, else 0, as 16 bytes; returns how many are below 0."""

        def codegen(context, builder, signature, args):
            out, source = (builder.inttoptr(a, POINTER) for a in args)
            values = builder.load(source, align=align, typ=row)
            zero = ir.Constant(row, [ir.Constant(element, 0.0)] * LEAF)
            inside = builder.fcmp_ordered("<", values, zero)
            pixels = builder.sext(inside, ir.VectorType(ir.IntType(8), LEAF))
            builder.store(pixels, out, align=1)
            count = builder.ctpop(builder.bitcast(inside, ir.IntType(LEAF)))
            return builder.zext(count, I64)

        return types.int64(types.int64, types.int64), codegen

    return copy_row, spread_row, write_row


def _tame_intrinsic(dtype: str) -> Any:
    """is_tame(slot): all 64 bounds are finite, with room to spare, and none may be NaN."""
    limit = float(np.finfo(dtype).max) / 4

    @intrinsic
    def is_tame(typingctx, slot):
        def codegen(context, builder, signature, args):
            xp = lanes.Lanes(builder, dtype, tame=False)
            span = LANES * xp.itemsize
            lower = lanes.Lane(builder, lanes._load(builder, args[0], 0, xp.vector))
            upper = lanes.Lane(builder, lanes._load(builder, args[0], span, xp.vector))
            fits = builder.bitcast(((lower > -limit) & (upper < limit)).value, I64)
            nan = lanes._load(builder, args[0], 2 * span, I64)
            wild = builder.or_(builder.not_(fits), nan)
            return builder.icmp_unsigned("==", wild, ir.Constant(I64, 0))

        return types.boolean(types.int64), codegen

    return is_tame


def _sides_intrinsic(dtype: str, *, tame: bool) -> Any:
    """sides(slot, inside): the regions that are proven below 0, or proven not below 0."""

    @intrinsic
    def sides(typingctx, slot, inside):
        def codegen(context, builder, signature, args):
            xp = lanes.Lanes(builder, dtype, tame=tame)
            span = LANES * xp.itemsize
            lower = lanes.Lane(builder, lanes._load(builder, args[0], 0, xp.vector))
            upper = lanes.Lane(builder, lanes._load(builder, args[0], span, xp.vector))
            below = builder.bitcast((upper < 0.0).value, I64)
            above = builder.bitcast((lower >= 0.0).value, I64)
            proven = builder.select(args[1], below, above)
            if tame:
                return proven
            nan = lanes._load(builder, args[0], 2 * span, I64)
            return builder.and_(proven, builder.not_(nan))

        return types.uint64(types.int64, types.boolean), codegen

    return sides


@jit
def count_clauses(ctx, stack, ambiguous):
    """Backwards through the tape: which children need each slot, and how long their tapes get."""
    records, n = uint64_at(stack[c.TAPE]), stack[c.COUNT]
    choices, live = uint64_at(ctx[c.CHOICES]), uint64_at(ctx[c.LIVE])
    planes = uint64_at(ctx[c.PLANES])
    fill_bytes(ctx[c.LIVE], 8 * (n + INPUT_SLOTS), 0)
    fill_bytes(ctx[c.PLANES], 8 * c.MOST_PLANES, 0)
    live[stack[c.ROOT]] = ambiguous
    for i in range(n - 1, -1, -1):
        need = live[i + INPUT_SLOTS]
        if need == NOBODY:
            continue
        record = np.int64(records[i])
        flags = FLAGS[record >> VARIANT_SHIFT]
        left, right = (record >> LEFT_SHIFT) & OPERAND_MASK, record & OPERAND_MASK
        written = need
        if flags & CHOICE:
            left_only, right_only = choices[2 * i], choices[2 * i + 1]
            # An operand that is a constant has no slot to be an alias of: a copy is written.
            if flags & LEFT_SLOT:
                live[left] |= need & ~right_only
                written &= ~left_only
            if flags & RIGHT_SLOT:
                live[right] |= need & ~left_only
                written &= ~right_only
        else:
            if flags & LEFT_SLOT:
                live[left] |= need
            if flags & RIGHT_SLOT:
                live[right] |= need
        plane = 0  # 64 counters at once: planes[p] holds bit p of each
        while written != NOBODY:
            carry = planes[plane] & written
            planes[plane] ^= written
            written = carry
            plane += 1


@jit
def place_tapes(ctx, stack, ambiguous, deeper):
    """Give each child its part of the arena; returns those for which there was room.

    Room for one tape is left to each of the ``deeper`` steps, or they could never go on.
    """
    planes = uint64_at(ctx[c.PLANES])
    end = ctx[c.ARENA_END] - 8 * deeper * stack[c.COUNT]
    top, fitting, left = ctx[c.ARENA_TOP], NOBODY, ambiguous
    while left != NOBODY:
        child = first_bit(left)
        length = 0
        for plane in range(c.MOST_PLANES):
            length |= np.int64(planes[plane] >> np.uint64(child) & ONE) << plane
        if top + 8 * length > end:
            break
        left &= left - ONE
        fitting |= ONE << np.uint64(child)
        stack[c.CHILD_TAPE + child] = top
        stack[c.CHILD_COUNT + child] = 0
        top += 8 * length
    ctx[c.ARENA_TOP] = top
    return fitting


@jit
def append(stack, remap, out, child, record):
    """Put a record at the end of a child's tape and note its slot."""
    length = stack[c.CHILD_COUNT + child]
    uint64_at(stack[c.CHILD_TAPE + child])[length] = np.uint64(record)
    stack[c.CHILD_COUNT + child] = length + 1
    remap[out + child] = length + INPUT_SLOTS


@jit
def write_tapes(ctx, stack, children):
    """Forwards through the tape: append each clause to the tapes of the children that need it."""
    records, n = uint64_at(stack[c.TAPE]), stack[c.COUNT]
    choices, live = uint64_at(ctx[c.CHOICES]), uint64_at(ctx[c.LIVE])
    remap = int32_at(ctx[c.REMAP])
    for i in range(n):
        need = live[i + INPUT_SLOTS] & children
        if need == NOBODY:
            continue
        record = np.int64(records[i])
        flags = FLAGS[record >> VARIANT_SHIFT]
        left, right = (record >> LEFT_SHIFT) & OPERAND_MASK, record & OPERAND_MASK
        out = (i + INPUT_SLOTS) * LANES
        if flags & CHOICE:
            for side in range(2):
                only = choices[2 * i + side] & need
                need &= ~only
                operand = right if side else left
                while only != NOBODY:
                    child = first_bit(only)
                    only &= only - ONE
                    if flags & (RIGHT_SLOT if side else LEFT_SLOT):
                        remap[out + child] = remap[operand * LANES + child]
                    else:
                        append(stack, remap, out, child, COPY | operand << LEFT_SHIFT)
        variant = record >> VARIANT_SHIFT << VARIANT_SHIFT
        while need != NOBODY:
            child = first_bit(need)
            need &= need - ONE
            new_left, new_right = left, right
            if flags & LEFT_SLOT:
                new_left = np.int64(remap[left * LANES + child])
            if flags & RIGHT_SLOT:
                new_right = np.int64(remap[right * LANES + child])
            append(stack, remap, out, child, variant | new_left << LEFT_SHIFT | new_right)
    root = stack[c.ROOT] * LANES
    while children != NOBODY:
        child = first_bit(children)
        children &= children - ONE
        stack[c.CHILD_ROOT + child] = remap[root + child]


@jit
def edge(cell, level, pixels):
    """The first pixel of a cell, when ``pixels`` are cut into 2**level cells."""
    return (cell * pixels) >> level


def build(dtype: str, *, tame: bool) -> Any:
    """The kernel ``walk(address of a context)`` for a dtype, careful or tame (see ``lanes``).

    Only the careful one can split the root: it finds whether the rest may be tame.
    """
    itemsize = np.dtype(dtype).itemsize
    interval_bytes, point_bytes = lanes.interval_bytes(dtype), LEAF_LANES * itemsize
    upper_at, nan_at = LANES * itemsize, 2 * LANES * itemsize
    floats_at = _pointer(types.float32 if dtype == "float32" else types.float64)
    evaluate_interval = lanes.interval_step(dtype, tame=tame)
    evaluate_points = lanes.points_step(dtype, tame=tame, chunks=LEAF_LANES // LANES)
    copy_row, spread_row, write_row = _row_intrinsics(dtype)
    is_tame, sides = _tame_intrinsic(dtype), _sides_intrinsic(dtype, tame=tame)

    @jit
    def enter_children(ctx, stack, bits):
        """Write the children's x and y into slots 0 and 1; returns those that have pixels."""
        level, count = stack[c.LEVEL] + bits, 1 << bits
        columns, lines = NOBODY, NOBODY
        for axis in range(2):
            pixels = ctx[c.HEIGHT_PX] if axis else ctx[c.WIDTH_PX]
            samples = floats_at(ctx[c.Y] if axis else ctx[c.X])
            slot = ctx[c.VALUES] + axis * interval_bytes
            lower, upper = floats_at(slot), floats_at(slot + upper_at)
            if not tame:
                uint64_at(slot + nan_at)[0] = NOBODY
            cell = stack[c.LINE if axis else c.COLUMN] << bits
            for k in range(SIDE):
                first = edge(cell + min(k, count - 1), level, pixels)
                last = max(edge(cell + min(k, count - 1) + 1, level, pixels) - 1, first)
                if k < count and edge(cell + k + 1, level, pixels) > first:
                    if axis:
                        lines |= FIRST_LINE << np.uint64(SIDE * k)
                    else:
                        columns |= FIRST_COLUMN << np.uint64(k)
                if axis:  # rows run downwards: the last one has the least y
                    low, high = samples[last], samples[first]
                else:
                    low, high = samples[first], samples[last]
                for other in range(SIDE):
                    lane = SIDE * k + other if axis else SIDE * other + k
                    lower[lane] = low
                    upper[lane] = high
        return columns & lines

    @jit
    def fill(ctx, stack, bits, child, root_slot, is_inside):
        """Fill a proven child: 255 inside, 0 (as the image starts) outside; or a bound."""
        level = stack[c.LEVEL] + bits
        column = (stack[c.COLUMN] << bits) + (child & (SIDE - 1))
        line = (stack[c.LINE] << bits) + child // SIDE
        left, right = edge(column, level, ctx[c.WIDTH_PX]), edge(column + 1, level, ctx[c.WIDTH_PX])
        top, bottom = edge(line, level, ctx[c.HEIGHT_PX]), edge(line + 1, level, ctx[c.HEIGHT_PX])
        if ctx[c.IS_VALUE]:
            bound = floats_at(root_slot + (upper_at if is_inside else 0))[child]
            for row in range(top, bottom):
                pixels = floats_at(ctx[c.IMAGE] + row * ctx[c.WIDTH_PX] * itemsize)
                for pixel in range(left, right):
                    pixels[pixel] = bound
        elif is_inside:
            for row in range(top, bottom):
                fill_bytes(ctx[c.IMAGE] + row * ctx[c.WIDTH_PX] + left, right - left, 255)
        return (right - left) * (bottom - top)

    @jit
    def split(ctx, step, valid):
        """Prove or split the region of stack row ``step``, of its children those in ``valid``."""
        stack = int64_at(ctx[c.STACK] + 8 * c.ROW * step)
        stats = int64_at(ctx[c.STATS] + 8 * c.COUNTS * step)
        bits = int64_at(ctx[c.BITS])[step]
        records, n = uint64_at(stack[c.TAPE]), stack[c.COUNT]
        values, choices = ctx[c.VALUES], ctx[c.CHOICES]
        valid &= enter_children(ctx, stack, bits)
        constants = ctx[c.CONSTANTS]
        tame_so_far = not tame and is_tame(values) and is_tame(values + interval_bytes)
        for i in range(n):
            record = np.int64(records[i])
            variant = record >> VARIANT_SHIFT
            flags = FLAGS[variant]
            left, right = (record >> LEFT_SHIFT) & OPERAND_MASK, record & OPERAND_MASK
            evaluate_interval(
                variant,
                values + (i + INPUT_SLOTS) * interval_bytes,
                values + left * interval_bytes
                if flags & LEFT_SLOT
                else constants + left * itemsize,
                values + right * interval_bytes
                if flags & RIGHT_SLOT
                else constants + right * itemsize,
                choices + 16 * i,
            )
            if not tame:
                tame_so_far &= is_tame(values + (i + INPUT_SLOTS) * interval_bytes)
        if step == 0:
            ctx[c.TAME] = tame_so_far
        root_slot = values + stack[c.ROOT] * interval_bytes
        inside, outside = sides(root_slot, True) & valid, sides(root_slot, False) & valid
        proven, ambiguous = inside | outside, valid & ~(inside | outside)
        while proven != NOBODY:
            child = first_bit(proven)
            proven &= proven - ONE
            is_inside = (inside >> np.uint64(child)) & ONE == ONE
            pixels = fill(ctx, stack, bits, child, root_slot, is_inside)
            stats[c.INSIDE_PX] += pixels if is_inside else 0
        stack[c.BASE] = ctx[c.ARENA_TOP]
        fitting = NOBODY
        if ambiguous != NOBODY:
            count_clauses(ctx, stack, ambiguous)
            fitting = place_tapes(ctx, stack, ambiguous, ctx[c.STEPS] - 1 - step)
            write_tapes(ctx, stack, fitting)
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
        ctx[c.LEAF_TAPE] = parent[c.CHILD_TAPE + child]
        ctx[c.LEAF_COUNT] = parent[c.CHILD_COUNT + child]
        ctx[c.LEAF_ROOT] = parent[c.CHILD_ROOT + child]
        ctx[c.LEAF_LEFT] = edge(column, level, ctx[c.WIDTH_PX])
        ctx[c.LEAF_RIGHT] = edge(column + 1, level, ctx[c.WIDTH_PX])
        ctx[c.LEAF_ROW] = edge(line, level, ctx[c.HEIGHT_PX])
        ctx[c.LEAF_BOTTOM] = edge(line + 1, level, ctx[c.HEIGHT_PX])

    @jit
    def leaf_rows(ctx):
        """Evaluate up to 16 rows of the noted leaf point by point; returns records x lanes."""
        records, n = uint64_at(ctx[c.LEAF_TAPE]), ctx[c.LEAF_COUNT]
        points, constants = ctx[c.POINTS], ctx[c.CONSTANTS]
        top, left, right = ctx[c.LEAF_ROW], ctx[c.LEAF_LEFT], ctx[c.LEAF_RIGHT]
        rows = min(LEAF, ctx[c.LEAF_BOTTOM] - top)
        root = points + ctx[c.LEAF_ROOT] * point_bytes
        for column in range(left, right, LEAF):
            for row in range(LEAF):
                at = points + row * LEAF * itemsize
                copy_row(at, ctx[c.X] + column * itemsize)
                spread_row(at + point_bytes, ctx[c.Y] + (top + row) * itemsize)
            for i in range(n):
                record = np.int64(records[i])
                variant = record >> VARIANT_SHIFT
                flags = FLAGS[variant]
                a, b = (record >> LEFT_SHIFT) & OPERAND_MASK, record & OPERAND_MASK
                evaluate_points(
                    variant,
                    points + (i + INPUT_SLOTS) * point_bytes,
                    points + a * point_bytes if flags & LEFT_SLOT else constants + a * itemsize,
                    points + b * point_bytes if flags & RIGHT_SLOT else constants + b * itemsize,
                )
            columns = min(LEAF, right - column)
            inside = 0
            for row in range(rows):
                values = root + row * LEAF * itemsize
                place = (top + row) * ctx[c.WIDTH_PX] + column
                if columns == LEAF and not ctx[c.IS_VALUE]:
                    inside += write_row(ctx[c.IMAGE] + place, values)
                    continue
                for k in range(columns):
                    value = floats_at(values)[k]
                    inside += value < 0
                    if ctx[c.IS_VALUE]:
                        floats_at(ctx[c.IMAGE] + place * itemsize)[k] = value
                    else:
                        uint8_at(ctx[c.IMAGE] + place)[k] = np.uint8(255 if value < 0 else 0)
            int64_at(ctx[c.STATS])[c.INSIDE_PX] += inside
        ctx[c.LEAF_ROW] = top + rows
        int64_at(ctx[c.STATS])[c.EVALUATED_PX] += rows * (right - left)
        return n * (right - left) * LEAF

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
        stack[c.TAPE] = parent[c.CHILD_TAPE + child]
        stack[c.COUNT] = parent[c.CHILD_COUNT + child]
        stack[c.ROOT] = parent[c.CHILD_ROOT + child]
        split(ctx, step, EVERYBODY)
        ctx[c.DEPTH] = step
        return stack[c.COUNT] * LANES

    @jit
    def split_root(ctx):
        """Split the whole image; its ambiguous children become the tasks."""
        stack = int64_at(ctx[c.STACK])
        stack[c.TAPE], stack[c.COUNT], stack[c.ROOT] = ctx[c.RECORDS], ctx[c.LENGTH], ctx[c.RESULT]
        stack[c.LEVEL] = stack[c.COLUMN] = stack[c.LINE] = 0
        ctx[c.ARENA_TOP] = ctx[c.ARENA]
        split(ctx, 0, np.uint64(ctx[c.VALID]))

    def walk(address):
        """Split the root if DEPTH says so; else walk tasks, and return 1 if any may be left."""
        ctx = int64_at(address)
        if ctx[c.DEPTH] < 0:
            ctx[c.DEPTH] = 0
            split_root(ctx)
            return 1
        last = ctx[c.STEPS] - 1
        tasks = int64_at(ctx[c.TASK_LIST])
        root_stack = int64_at(ctx[c.ROOT_STACK])
        budget = ctx[c.BUDGET]
        while budget > 0:
            step = ctx[c.DEPTH]
            if ctx[c.LEAF_ROW] < ctx[c.LEAF_BOTTOM]:
                budget -= leaf_rows(ctx)
            elif step == 0:
                task = take_next(ctx[c.TASK])
                if task >= ctx[c.TASKS]:
                    return 0
                if last == 0:
                    enter_leaf(ctx, 0, tasks[task], root_stack)
                else:
                    budget -= enter_child(ctx, 1, tasks[task], root_stack)
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
