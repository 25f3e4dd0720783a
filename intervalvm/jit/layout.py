"""Sizes and offsets shared by machine code, its callers and readers of its results.

A slot holds the result of one record: bounds over regions, values at the points of a block, or, in
a proof, bounds over its pixels. A step of the walk splits regions: the whole image first, then its
ambiguous children. The context is the argument of a kernel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from intervalvm.words import Meaning

SPLIT_LEVELS = 3
"""A split takes up to three levels of the quadtree: 8 x 8 children."""
SIDE, LANES = 8, 64
"""Children of a region: lane 8*r + q is column q, row r. Terms of one axis have 8."""
BLOCK = 16
"""Points a side of the blocks in which a leaf is evaluated."""
AREA = BLOCK * BLOCK
TRUTH_BYTES = AREA // 8
"""A bit for each of them."""
PAIR_OFFSETS = 0, 8
REGION_TRUTH_BYTES = CHOICE_BYTES = 16
"""Pairs of masks of children: always and never; only the left, only the right operand matters."""
INSIDE, OUTSIDE, UNPROVEN = np.uint8(255), np.uint8(0), np.uint8(128)
"""Pixels; the third is unproven."""
TILE_OUTSIDE, TILE_INSIDE, TILE_UNSEEN = -1, -2, -3
"""A tile in a map: proven, or part of a proven region; an ambiguous one has its clauses left."""
Each = Literal["region", "sample", "pixel"]
"""The meaning of a lane: a box; a sample; or, in a proof, a pixel as a box."""


def edge(cell: Any, level: Any, pixels: Any) -> Any:
    """The first pixel of a cell, when ``pixels`` are cut into 2**level cells."""
    return (cell * pixels) >> level


def shades(samples: int) -> NDArray[np.uint8]:
    """The pixel by how many of its ``samples`` x ``samples`` are inside: their mean, rounded."""
    most = samples**2
    counts = np.arange(most + 1)
    return ((2 * int(INSIDE) * counts + most) // (2 * most)).astype(np.uint8)


def interval_offsets(dtype: Any, width: int) -> tuple[int, int, int]:
    """Where an interval slot has its lower bounds, its upper bounds and the mask of maybe-NaN."""
    span = width * int(np.dtype(dtype).itemsize)
    return 0, span, 2 * span


def interval_bytes(dtype: Any, width: int) -> int:
    """The size of an interval slot."""
    return interval_size(width, int(np.dtype(dtype).itemsize))


def interval_size(width: int, itemsize: int) -> int:
    """The same for numbers of ``itemsize`` bytes; the mask has room for 512 lanes."""
    return 2 * width * itemsize + 64


def block_bytes(dtype: Any, count: int, each: Each) -> int:
    """The size of a slot of ``count`` values of a block, one for each "sample" or "pixel"."""
    values = count * int(np.dtype(dtype).itemsize)
    return values if each == "sample" else interval_bytes(dtype, count)


def truth_bytes(each: Each) -> int:
    """The size of a block's truth: 256 bits; in a proof those of always, then those of never."""
    return TRUTH_BYTES if each == "sample" else 2 * TRUTH_BYTES


@dataclass(frozen=True)
class Slots:
    """The bytes of a record's result, the larger of an interval's and of the points' of a leaf."""

    full: int
    axis: int
    truth: int


@lru_cache
def slots_of(dtype: np.dtype[Any], meaning: Meaning) -> Slots:
    """The slots of a walk; one about the real function has the bounds of pixels in its leaves."""
    each: Each = "pixel" if meaning is Meaning.REAL else "sample"
    return Slots(
        full=max(interval_bytes(dtype, LANES), block_bytes(dtype, AREA, each)),
        axis=max(interval_bytes(dtype, SIDE), block_bytes(dtype, BLOCK, each)),
        truth=max(REGION_TRUTH_BYTES, truth_bytes(each)),
    )


# --- the context: one int64 array of sizes and addresses, of which these are the places --------

MOST_STEPS = 12
"""The most steps, of 3 levels each: more than any image has."""

# The frame, the same for every thread.
(
    WIDTH_PX, HEIGHT_PX,
    SAMPLES,  # a pixel's samples each way: with more than one, what is drawn is their coverage
    SHADES,  # address of uint8[SAMPLES ** 2 + 1]: the pixel by how many of its samples are inside
    TILES,  # address of int64[STEPS], addresses of each step's TileMap; 0 for none
    X, Y,  # addresses of the samples' coordinates, padded by a leaf's width beyond the end
    X_UPPER, Y_UPPER,  # the same, or where in proofs a pixel is an area: X, Y are its lower ends
    IMAGE,  # address of the first pixel: uint8, 0 before, or the dtype in value mode; no gaps
    IS_VALUE,  # whether the result is a value instead of a truth
    IS_PROOF,  # whether a pixel is a box, to prove
    ITEMSIZE,  # bytes of a number
    RECORDS, LENGTH, RESULT,  # the program: address, number of records, place of the result
    CONSTANTS,  # address of their pool
    STEPS, SPLIT_LEVELS_AT,  # number of splits; address of int64[STEPS], the levels of each
    TAME,  # whether neither NaN nor infinity can arise, known before or when the image is split
    SHARED,  # address of what threads share: SHARED_WORDS words, see below
    IMAGE_CONTEXT,  # address of the context in which the whole image was split
    BUDGET,  # records x lanes to evaluate before returning
    FRAME_FIELDS,  # up to here
    # A thread's own workspace: addresses, and what is in work.
    ARENA, ARENA_END, ARENA_TOP,  # children's programs: first that of the task, then its children's
    FULL, AXIS, TRUTH,  # slots of the records, by kind: intervals, and the same memory for points
    CHOICES,  # uint64[2 (n + INPUTS)]: by place, in which children only the left (right) matters
    LIVE,  # uint64[n + INPUTS]: by place, which children need it
    ROWS_LIVE,  # uint64[n + INPUTS + 64]: by child, which places it needs (LIVE transposed)
    PLACES,  # int32[n + INPUTS]: by place, where it is in the child's program that is being written
    STACK, STATS,  # a row a step, see below
    IS_CALLER,  # whether this thread waits for the others in the end
    ALL_FINISHED,  # whether it has then seen that all who have started have left no task
    HAS_STARTED,  # whether it is counted in STARTED
    DEPTH,  # the step whose children are visited; 0 between tasks, -1 to split the image first
    LEAF_RECORDS, LEAF_COUNT, LEAF_RESULT,  # the leaf in work: its program,
    LEAF_LEFT, LEAF_RIGHT, LEAF_ROW, LEAF_BOTTOM,  # and its pixels that are left
    LEAF_AT,  # where its program is in the batch; -1 as long as it is not
    # Leaves for a leaf hook: see leaves.
    BATCH_BLOCKS, BATCH_RECORDS,  # addresses of what is collected; 0 to evaluate leaves here
    BATCH_COUNT, BATCH_USED,  # blocks and records so far
    BATCH_MOST_BLOCKS, BATCH_MOST_RECORDS,  # that it has room for
    BATCH_IS_FULL,  # whether the leaf in work waits for another batch
    MERGE_BLOCKS, MERGE_COUNT, MERGE_RESULTS,  # a batch that came back: addresses and number
    FIELDS,
) = range(59)  # fmt: skip

# A block of a batch: BLOCK_WORDS int32, of which the rest is not used.
(
    BLOCK_FIRST, BLOCK_LENGTH, BLOCK_RESULT,  # its program in the batch, and where the result is
    BLOCK_LEFT, BLOCK_TOP, BLOCK_COLUMNS, BLOCK_ROWS,  # its pixels
) = range(7)  # fmt: skip
BLOCK_WORDS = 8

# What threads share: tasks are the image's ambiguous children.
NEXT_TASK = 0  # how many were taken
READY = 1  # 0 until the image is split, then 1 + the number of tasks
STARTED, FINISHED = 2, 3  # threads that have seen the tasks; that have left none
TASK_LIST = 4
SHARED_WORDS = TASK_LIST + LANES

# A row of the stack, one a step: a region, its program, and those of its ambiguous children.
(REMAINING, DEFERRED, BASE, LEVEL, COLUMN, LINE, PROGRAM, COUNT, REGION_RESULT) = range(9)
CHILD_PROGRAM = 9
CHILD_COUNT = CHILD_PROGRAM + LANES
CHILD_RESULT = CHILD_COUNT + LANES
ROW = CHILD_RESULT + LANES

# A row of the statistics, one a step.
(
    REGIONS, REGIONS_INSIDE, REGIONS_OUTSIDE, AMBIGUOUS,
    CLAUSES, INSIDE_PX, EVALUATED_PX, UNPROVEN_PX,
) = range(8)  # fmt: skip
COUNTS = 8
