"""The context of an evaluator's kernels: fields beyond those of the walk (see ``layout``).

The first are those of all its kernels, or of "boxes", "slopes" and "shorten"; then come those of
"points" and "duals", of which those that tell what pays are of "boxes" and "slopes" too.
"""

from __future__ import annotations

from intervalvm.jit import layout as c

GROUP = 16
"""Lanes of a group: points or boxes that a record works on side by side."""

(
    SLOTS, STRIDE, GROUPS,  # slots: address, bytes of each, and the groups that they have room for
    NANS,  # uint64[places]: by place, for which boxes a value may be NaN
    INPUTS_READ, INPUT_ROWS,  # the number of inputs; address of a row of each, see below
    FIRST_INPUT,  # the place of the first input; the others follow
    FIRST, END,  # the points or boxes to evaluate
    OUT, OUT_UPPER, OUT_NAN,  # addresses: values, or lower bounds; upper bounds; bytes of maybe-NaN
    CLAUSES, CODES, LEFT_OF, RIGHT_OF, WIDE, SINGLE,  # a tape: its length and arrays
    ROLES,  # int32[n], of each clause: the place of its choice, or one of those below
    ASKED, BOX,  # the mask of the boxes to shorten for; the one to write, or -1 to find liveness
    NEW, NEW_CODES, NEW_LEFT, NEW_RIGHT, NEW_WIDE, NEW_SINGLE,  # int32[n + 1]; the shorter tape
    # "points" and "duals"
    SPLITS,  # whether points may be sorted into cells
    IS_SORTED,  # whether neighbours are near each other already: cells are runs of points
    PARTS,  # of a slot, vectors a group: a value, and the slopes of duals
    RATE,  # expected length of a cell's program for each halving of the cell, in percent
    MOST_BITS,  # a split makes up to 2**MOST_BITS cells: as many boxes as the slots have room for
    COSTS,  # float64: what pays, see below
    ORDERS, KEYS, TARGETS,  # int32[2, room]: numbers of the points; uint8[room]; int32[room]
    ROOM,  # how many points those have room for
    ALONG, SLOPES,  # how many derivatives; their addresses, int64[DIRECTIONS]
    KINKS, JUMPED,  # bool[points]: where branches meet, and where clauses may jump
    LEAF_FIRST, LEAF_END, LEAF_SIDE,  # the points to evaluate next; -1 or where they are sorted
    # "boxes" and "slopes"
    LEAF_CHOICES,  # as CHOICES, of the boxes that were evaluated last
    SOLID_FLAGS,  # bytes: whether a box is flat in no input by which is differentiated
    # of a division: see ``dividing``
    OWNERS,  # int32[points or boxes]: the part that each is in; 0 without a division
    PROGRAMS,  # int64[parts, PROGRAM_WORDS]
    PART_KEYS, KEY_BITS,  # uint64[parts]: Morton codes, in order; and their bits
    FIELDS,
) = range(c.FIELDS, c.FIELDS + 51)  # fmt: skip

BOX_LOWER, BOX_UPPER, BOX_NAN, BOX_STEP, BOX_DIRECTION = range(5)
"""An input's row for "boxes" and "slopes": addresses of lower bounds, of upper bounds, and of bytes
that say maybe-NaN; then 1, or 0 where one box's side stands for all; bits of the slopes that are by
this input."""
BOX_WORDS = 5

PART_RECORDS, PART_COUNT, PART_RESULT, PROGRAM_WORDS = range(4)
"""A part's program: its address, the number of records, and the place of the result."""

NO_CHOICE, ALIAS, LEAF = -1, -2, -3
"""The roles of clauses: with operands; always an alias of the left operand; without operands."""

# an input's row for "points" and "duals"
(
    ADDRESS, STEP,  # an input's numbers; 1, or 0 where one number stands for all
    DIRECTION,  # bits of the derivatives that are by this input
    SORTED_0, SORTED_1,  # addresses of its sorted numbers, and room to sort them again
    LOW, HIGH, MAYBE_NAN,  # float64: of the points in work
    BITS,  # how often the points in work are halved along it
) = range(9)  # fmt: skip
INPUT_WORDS = 9

VALUE, RECORD, BOUND, LIVE, WRITE, SORT = range(6)
"""Expected nanoseconds: of a record at a group of points, of a record besides, over a group of
boxes, for liveness, and written; of sorting a point."""

# a row of the stack: that of ``layout``, and of each cell the first point
CELL_FIRST = c.ROW
CELLS, CELL_RATE, SIDE, ROW = range(CELL_FIRST + c.LANES + 1, CELL_FIRST + c.LANES + 5)
MOST_DEPTH = 12
"""Splits one within another."""
BLOCK = 256
"""The most points that are evaluated together."""

DIRECTIONS = 3
"""Slopes of a slot of duals; more directions are evaluated in turn."""
FIRST_SLOPE = 2
FIRST_SQUARES = FIRST_SLOPE + 2 * DIRECTIONS
SLOPE_PARTS = FIRST_SQUARES + DIRECTIONS
"""A slot of bounds of slopes: vectors of the value, of the slopes, of sums of squares; of all."""
RIGHT_TERMS, MOVES = DIRECTIONS, 2 * DIRECTIONS
"""Bits of a record's third word: from 0 and from ``RIGHT_TERMS`` on, whether the left and the right
operand add a term along each direction; ``MOVES``, whether an operand has any slope."""
THIRD_WORDS = 1 << MOVES + 1
NORM = MOVES
"""Bounds of slopes have another bit there: whether a record is a square root of a sum of squares,
or is summed for one."""
JUMPS = SOLID = 1
"""The place with the bits of jumps, or of boxes that are not flat; no record writes it."""
