"""The layout of the arrays that the kernels of a walk read and write.

``control`` (int64) has sizes, and a row for each step of the walk and one for the leaves: its list
of regions, the arena of their programs, and counts. The names below are indices into it.

A *program* is the records of ``compiler.program``, sorted into *waves* of independent records,
which are computed in parallel. A wave has either values and literals, computed for each child, or
combinations of truths, which are words with a bit for each child. The table of waves has an entry
for each: ``2 * end + is_combination``.

A region is evaluated by one block, or two of 32 children each: a *warp* is 32 children.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.program import (
    INPUTS,
    LEFT_PLACE,
    RECORD_BYTES,
    RIGHT_PLACE,
    THIRD_PLACE,
    VARIANT_MASK,
    VARIANTS,
    Program,
)
from intervalvm.compiler.records import is_combination
from intervalvm.jit.layout import edge

WORDS = RECORD_BYTES // 4
"""Words of a record."""
LANES = 32
"""Children of a warp: half of those of a split by three levels."""
MOST_WARPS = 16
LOCAL_PLACES = 64
"""Places in a thread's local memory: enough for nearly all programs of leaves and small cells."""
RUN = 8
"""Pixels that a thread paints as one word."""
THREADS = 256
"""Threads of a block of dense evaluation."""

# Control: the head.
(
    WIDTH, HEIGHT,  # of the image in pixels
    Y,  # where in the coordinates those of the rows start
    STEPS,  # of the walk
    TILES_X, TILES_Y,  # blocks of pixels that the largest leaf is cut into
    HEAD,
) = range(7)  # fmt: skip

# The same of points: how often a step halves each axis, and where the edges of the others start.
BITS_X, BITS_Y, BITS_Z, _, EDGES_Y, EDGES_Z = range(HEAD)
CHILD_BITS = 6
"""Bits of a cell's number that a step adds."""
CELL_PARTS = (1 << CHILD_BITS) // LANES
"""Blocks that share a region of points."""

# A row: a step's regions, or the leaves.
(
    SPLIT_LEVELS,  # the levels of the quadtree that the step takes
    LEVEL,  # the level of its children: the image is cut into 2**LEVEL cells a side
    ITEMS,  # where in ``items`` its list starts,
    CAPACITY,  # how many fit
    COUNT,  # and how many were to be written: those beyond are deferred
    LONGEST,  # the most records of a program of the list
    TOP, END,  # the arena of the list's programs: the next free word, and the end
    DEFERRED, DEFERRED_COUNT,  # where in ``items`` regions are noted that are not done, how many
    VERDICTS,  # where in ``verdicts`` the step's children are
    REGIONS, INSIDE, OUTSIDE, AMBIGUOUS, CLAUSES, INSIDE_PX, EVALUATED_PX,  # see ``Counts``
    ROW,
) = range(19)  # fmt: skip
FIRST_COUNT = REGIONS

# An item: a region, its program, and which of its children are to be looked at. Of points COLUMN is
# the number of the cell.
(PROGRAM, LENGTH, WAVES, WAVE_COUNT, RESULT, COLUMN, LINE, VALID, _, ITEM) = range(10)

# Words of a block's workspace, ``places`` of each: by place, a bit for each child. Where a truth
# always holds, a value may be NaN.
(ALWAYS, NEVER, LEFT, RIGHT, NEEDED) = range(5)
BITS_AT, RANKS_AT, WORKSPACE_WORDS = 5, 6, 7
"""Then, for each 32 records and each child, the records that it keeps and how many before."""

DIVIDES = ("split", "divide", "divide_strict")
"""The kinds of kernels that divide regions."""

AMBIGUOUS_CELL, INSIDE_CELL, OUTSIDE_CELL = range(3)
"""Verdicts."""


def row(step: int) -> int:
    """Where in ``control`` the row of a step starts."""
    return HEAD + ROW * step


def workspace_words(places: int) -> int:
    """Words of a block for programs of up to ``places`` places."""
    return WORKSPACE_WORDS * (places + LANES)


def workspace_values(places: int) -> int:
    """Numbers of a block that splits: a lower and an upper bound for each place and child."""
    return 2 * LANES * places


COMBINES = np.array([is_combination(variant) for variant in VARIANTS])
PLACE_FLAGS = (LEFT_PLACE, RIGHT_PLACE, THIRD_PLACE)


def in_waves(program: Program) -> tuple[Program, NDArray[np.uint32]]:
    """The same program with its records sorted by wave, and the table of waves.

    A wave has the records of equal depth, values and literals before combinations; within a wave
    records keep their order.
    """
    records, n = program.records, len(program)
    combines = COMBINES[records[:, 0] & VARIANT_MASK]
    is_place = [(records[:, 0] & flag) != 0 for flag in PLACE_FLAGS]
    depth = [0] * (n + INPUTS)
    operands = np.where(np.stack(is_place, axis=1), records[:, 1:], 0).tolist()
    for i, places in enumerate(operands):
        depth[i + INPUTS] = 1 + max(depth[place] for place in places)
    waves = 2 * np.array(depth[INPUTS:], np.int64) + combines
    order = np.argsort(waves, kind="stable")
    renamed = np.arange(n + INPUTS)
    renamed[INPUTS + order] = INPUTS + np.arange(n)
    ordered = records[order]
    for word, flag in zip((1, 2, 3), PLACE_FLAGS, strict=True):
        places = (ordered[:, 0] & flag) != 0
        ordered[places, word] = renamed[ordered[places, word]]
    result = int(renamed[program.result])
    return replace(program, records=ordered, result=result), _table(waves[order])


def _table(waves: NDArray[Any]) -> NDArray[np.uint32]:
    """``2 * end + is_combination`` for each wave of the sorted records."""
    ends = np.append(np.flatnonzero(np.diff(waves)) + 1, len(waves))[: len(waves)]
    table: NDArray[np.uint32] = (2 * ends + (waves[ends - 1] & 1)).astype(np.uint32)
    return table


def cells_of(pixels: int, level: int) -> NDArray[np.int32]:
    """The cell of each pixel, when they are cut into 2**level cells."""
    edges = edge(np.arange((1 << level) + 1, dtype=np.int64), level, pixels)
    return (np.searchsorted(edges, np.arange(pixels), side="right") - 1).astype(np.int32)
