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

from intervalvm.compiler.program import RECORD_BYTES

WORDS = RECORD_BYTES // 4
"""Words of a record."""
LANES = 32
"""Children of a warp: half of those of a split by three levels."""
MOST_WARPS = 16
RUN = 8
"""Pixels that a thread paints as one word."""

# Control: the head.
(
    WIDTH, HEIGHT,  # of the image in pixels
    Y,  # where in the coordinates those of the rows start
    STEPS,  # of the walk
    TILES_X, TILES_Y,  # blocks of pixels that the largest leaf is cut into
    HEAD,
) = range(7)  # fmt: skip

# A row: a step's regions, or the leaves.
(
    BITS,  # the levels of the quadtree that the step takes
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

# An item: a region, its program, and which of its children are to be looked at.
(PROGRAM, LENGTH, WAVES, WAVE_COUNT, RESULT, COLUMN, LINE, VALID, _, ITEM) = range(10)

# Words of a block's workspace, ``places`` of each: by place, a bit for each child. Where a truth
# always holds, a value may be NaN.
(ALWAYS, NEVER, LEFT, RIGHT, NEEDED) = range(5)
BITS_AT, RANKS_AT, WORKSPACE_WORDS = 5, 6, 7
"""Then, for each 32 records and each child, the records that it keeps and how many before."""

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
