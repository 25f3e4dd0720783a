"""What the compiled walk is told: one int64 array of sizes and addresses, and its workspace.

The names below are places in that array, shared by the kernels (which read them) and by ``walk``
(which fills them in).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.pack import INPUT_SLOTS
from intervalvm.render.grid import LEAF_PX

BLOCK_PX = LEAF_PX
"""The side of the blocks in which a leaf is evaluated: at most one, at the depth chosen by size."""
LANES = 64
"""Children of a region: lane 8*r + q is column q, row r."""
MOST_STEPS = 12
"""Splits on the way to a leaf: 3 levels each, so more than any image has."""

# The frame, the same for every thread.
(
    WIDTH_PX, HEIGHT_PX,
    X, Y,  # addresses of the coordinates, padded by a leaf's width beyond the end
    IMAGE,  # address of the first pixel: uint8, or the dtype in value mode; rows without gaps
    IS_VALUE,  # whether pixels are values instead of 0 and 255
    RECORDS, LENGTH, RESULT,  # the tape: address, number of records, slot of the result
    CONSTANTS,  # address of the pool
    STEPS, BITS,  # number of splits; address of int64[STEPS], the levels of each
    VALID,  # children of the whole image to look at: all, or those that were deferred
    TAME,  # written by root: whether neither NaN nor infinity can arise
    TASK, TASKS, TASK_LIST,  # address of the shared counter; number of tasks; their children
    ROOT_STACK,  # address of the root's row of the stack, where the tasks' tapes are noted
    # A thread's own workspace: addresses, and what is in work.
    ARENA, ARENA_END, ARENA_TOP,  # children's tapes
    VALUES, POINTS,  # slots of intervals; slots of points
    CHOICES,  # uint64[2 n]: of each record, in which children only the left (right) matters
    LIVE,  # uint64[n + 2]: of each slot, which children need it
    PLANES,  # uint64[MOST_PLANES]: 64 counters, bit by bit
    REMAP,  # int32[(n + 2) * 64]: of each slot, its place in each child's tape
    STACK, STATS,  # a row a step, see below
    DEPTH,  # the step whose children are being visited; 0 when idle
    BUDGET,  # records x lanes to evaluate before returning
    LEAF_TAPE, LEAF_COUNT, LEAF_ROOT,  # the leaf in work: its tape,
    LEAF_LEFT, LEAF_RIGHT, LEAF_ROW, LEAF_BOTTOM,  # and its pixels that are left
    FIELDS,
) = range(39)  # fmt: skip

# A row of the stack, one a step: a region, its tape, and its ambiguous children's tapes.
(REMAINING, DEFERRED, BASE, LEVEL, COLUMN, LINE, TAPE, COUNT, ROOT, CHILD_TAPE) = range(10)
CHILD_COUNT = CHILD_TAPE + LANES
CHILD_ROOT = CHILD_COUNT + LANES
ROW = CHILD_ROOT + LANES

# A row of the statistics, one a step.
(REGIONS, INSIDE, OUTSIDE, AMBIGUOUS, CLAUSES, INSIDE_PX, EVALUATED_PX) = range(7)
COUNTS = 8

MOST_PLANES = 27
"""Bits of the longest tape's length."""
MOST_ARENA = 1 << 22
"""Records that the arena holds beyond the least it must: 32 MiB. Past it, children are deferred."""


def arena_records(length: int, steps: int) -> int:
    """Records that a thread's arena holds: at least one child's tape a step."""
    return steps * length + min(LANES * length, MOST_ARENA)


def aligned(n_bytes: int) -> NDArray[np.uint8]:
    """Uninitialised memory that starts on a cache line."""
    raw = np.empty(n_bytes + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + n_bytes]


class Workspace:
    """One thread's scratch memory for a tape of ``length`` records."""

    def __init__(self, length: int, steps: int, interval_bytes: int, point_bytes: int) -> None:
        slots = length + INPUT_SLOTS
        self.steps = steps
        self.arena = np.empty(arena_records(length, steps), np.uint64)
        self.values = aligned(slots * interval_bytes)
        self.points = aligned(slots * point_bytes)
        self.choices = np.zeros(2 * length, np.uint64)
        self.live = np.zeros(slots, np.uint64)
        self.remap = np.empty(slots * LANES, np.int32)
        self.remap[: 2 * LANES] = np.repeat([0, 1], LANES)
        self.planes = np.zeros(MOST_PLANES, np.uint64)
        self.stack = np.zeros(MOST_STEPS * ROW, np.int64)
        self.stats = np.zeros(MOST_STEPS * COUNTS, np.int64)

    @staticmethod
    def bytes_needed(length: int, steps: int, interval_bytes: int, point_bytes: int) -> int:
        slots = length + INPUT_SLOTS
        each = interval_bytes + point_bytes + 16 + 8 + 4 * LANES
        return slots * each + 8 * arena_records(length, steps)

    def enter(self, context: NDArray[np.int64]) -> None:
        """Write this workspace's addresses into a thread's context."""
        context[ARENA] = context[ARENA_TOP] = self.arena.ctypes.data
        context[ARENA_END] = self.arena.ctypes.data + self.arena.nbytes
        for field, array in (
            (VALUES, self.values),
            (POINTS, self.points),
            (CHOICES, self.choices),
            (LIVE, self.live),
            (PLANES, self.planes),
            (REMAP, self.remap),
            (STACK, self.stack),
            (STATS, self.stats),
        ):
            context[field] = array.ctypes.data
        context[DEPTH] = 0
        context[LEAF_ROW] = context[LEAF_BOTTOM] = 0
