"""What the compiled walk is told: one int64 array of sizes and addresses, and its workspace.

The names below are places in that array, shared by the kernels (which read them) and by ``walk``
(which fills them in).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.program import INPUTS, RECORD_BYTES
from intervalvm.jit.layout import LANES, Slots
from intervalvm.memory import address_of

MOST_STEPS = 12
"""Splits on the way to a leaf: 3 levels each, so more than any image has."""

# The frame, the same for every thread.
(
    WIDTH_PX, HEIGHT_PX,
    X, Y,  # addresses of the coordinates, padded by a leaf's width beyond the end
    X_UPPER, Y_UPPER,  # the same, or where in proofs a pixel is an area: X, Y are its lower ends
    IMAGE,  # address of the first pixel: uint8, or the dtype in value mode; rows without gaps
    IS_VALUE,  # whether the result is a value instead of a truth
    IS_CLEAR,  # whether all pixels are 0 already
    RECORDS, LENGTH, RESULT,  # the program: address, number of records, place of the result
    NUMBERS,  # address of the pool of constants
    STEPS, BITS,  # number of splits; address of int64[STEPS], the levels of each
    TAME,  # written by root: whether neither NaN nor infinity can arise
    SHARED,  # address of what threads share: SHARED_WORDS words, see below
    ROOT_CONTEXT,  # address of the context in which the root was split
    BUDGET,  # records x lanes to evaluate before returning
    FRAME_FIELDS,  # up to here
    # A thread's own workspace: addresses, and what is in work.
    ARENA, ARENA_END, ARENA_TOP,  # children's programs: first that of the task, then its children's
    FULL, AXIS, TRUTH,  # slots of the records, by kind: intervals, and the same memory for points
    CHOICES,  # uint64[2 (n + 2)]: by place, in which children only the left (right) matters
    LIVE,  # uint64[n + 2]: by place, which children need it
    ROWS_LIVE,  # uint64[n + 66]: by child, which places it needs (LIVE transposed)
    PLACES,  # int32[n + 2]: by place, where it is in the child's program that is being written
    STACK, STATS,  # a row a step, see below
    IS_CALLER,  # whether this thread waits for the others in the end
    ALL_FINISHED,  # whether it has then seen that all who have started have left no task
    HAS_STARTED,  # whether it is counted in STARTED
    DEPTH,  # the step whose children are being visited; 0 between tasks, -1 to split the root first
    LEAF_RECORDS, LEAF_COUNT, LEAF_RESULT,  # the leaf in work: its program,
    LEAF_LEFT, LEAF_RIGHT, LEAF_ROW, LEAF_BOTTOM,  # and its pixels that are left
    LEAF_AT,  # where its program is in the batch; -1 as long as it is not
    # Leaves that are evaluated elsewhere: see batches.
    BATCH_BLOCKS, BATCH_RECORDS,  # addresses of what is collected; 0 to evaluate leaves here
    BATCH_COUNT, BATCH_USED,  # blocks and records so far
    BATCH_MOST_BLOCKS, BATCH_MOST_RECORDS,  # that it has room for
    BATCH_IS_FULL,  # whether the leaf in work waits for another batch
    MERGE_BLOCKS, MERGE_COUNT, MERGE_RESULTS,  # a batch that came back: addresses and number
    FIELDS,
) = range(55)  # fmt: skip

# A block of a batch: BLOCK_WORDS int32, of which the rest is not used.
(
    BLOCK_FIRST, BLOCK_LENGTH, BLOCK_RESULT,  # its program in the batch, and where the result is
    BLOCK_LEFT, BLOCK_TOP, BLOCK_COLUMNS, BLOCK_ROWS,  # its pixels
) = range(7)  # fmt: skip
BLOCK_WORDS = 8

# What threads share: tasks are the root's ambiguous children.
NEXT_TASK = 0  # how many were taken
READY = 1  # 0 until the root is split, then 1 + the number of tasks
STARTED, FINISHED = 2, 3  # threads that have seen the tasks; that have left none
TASK_LIST = 4
SHARED_WORDS = TASK_LIST + LANES

# A row of the stack, one a step: a region, its program, and those of its ambiguous children.
(REMAINING, DEFERRED, BASE, LEVEL, COLUMN, LINE, PROGRAM, COUNT, ROOT, CHILD_PROGRAM) = range(10)
CHILD_COUNT = CHILD_PROGRAM + LANES
CHILD_ROOT = CHILD_COUNT + LANES
ROW = CHILD_ROOT + LANES

# A row of the statistics, one a step.
(REGIONS, INSIDE, OUTSIDE, AMBIGUOUS, CLAUSES, INSIDE_PX, EVALUATED_PX, UNPROVEN_PX) = range(8)
COUNTS = 8

MOST_ARENA = 1 << 22
"""Records that the arena holds beyond the least it must: 64 MiB. Past it, children are deferred."""


def arena_records(length: int, steps: int) -> int:
    """Records that a thread's arena holds: at least one child's program a step."""
    return steps * (length + 1) + min(LANES * length, MOST_ARENA)


def aligned(n_bytes: int) -> NDArray[np.uint8]:
    """Uninitialised memory that starts on a cache line."""
    raw = np.empty(n_bytes + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + n_bytes]


class Workspace:
    """One thread's scratch memory for a program of ``length`` records."""

    def __init__(self, length: int, constants: int, steps: int, slots: Slots) -> None:
        places = length + INPUTS
        self.steps = steps
        self.arena = aligned(arena_records(length, steps) * RECORD_BYTES)
        self.full, self.axis, self.truth = (
            aligned(places * size) for size in (slots.full, slots.axis, slots.truth)
        )
        self.choices = np.zeros(2 * places, np.uint64)
        self.live = np.zeros(places + LANES, np.uint64)
        self.rows_live = np.zeros(places + LANES, np.uint64)
        # as long as the pool of constants too, so that what is no place may be looked up
        self.places = np.zeros(max(places, constants) + 1, np.int32)
        self.places[:INPUTS] = range(INPUTS)
        self.stack = np.zeros(MOST_STEPS * ROW, np.int64)
        self.context = self._addresses()
        self.address = int(self.context.ctypes.data)

    @staticmethod
    def bytes_needed(length: int, constants: int, steps: int, slots: Slots) -> int:
        each = slots.full + slots.axis + slots.truth + 16 + 8 + 8 + 4
        return max(length + INPUTS, constants) * each + RECORD_BYTES * arena_records(length, steps)

    def _addresses(self) -> NDArray[np.int64]:
        context = np.zeros(FIELDS, np.int64)
        context[ARENA_END] = self.arena.ctypes.data + len(self.arena)
        for field, array in (
            (ARENA, self.arena),
            (FULL, self.full),
            (AXIS, self.axis),
            (TRUTH, self.truth),
            (CHOICES, self.choices),
            (LIVE, self.live),
            (ROWS_LIVE, self.rows_live),
            (PLACES, self.places),
            (STACK, self.stack),
        ):
            context[field] = array.ctypes.data
        return context

    def start(self, frame: NDArray[np.int64], depth: int = 0, *, is_caller: bool = False) -> int:
        """Make the context ready for a frame; returns its address."""
        context = self.context
        context[:FRAME_FIELDS] = frame
        context[ARENA_TOP] = context[ARENA]
        context[DEPTH], context[IS_CALLER], context[HAS_STARTED] = depth, is_caller, False
        context[LEAF_ROW] = context[LEAF_BOTTOM] = context[BATCH_BLOCKS] = 0
        context[ALL_FINISHED] = False
        self.stats = np.zeros((MOST_STEPS, COUNTS), np.int64)  # the last is its frame's to read
        context[STATS] = address_of(self.stats)
        return self.address
