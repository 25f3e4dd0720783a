"""The context of an evaluator's kernels: fields beyond those of the walk (see ``layout``)."""

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
    FIELDS,
) = range(c.FIELDS, c.FIELDS + 28)  # fmt: skip

LOWER, UPPER, MAYBE_NAN, STEP = range(4)
"""An input's row: addresses of values or lower bounds, of upper bounds, of bytes, and 1; or 0 where
one number stands for all."""
INPUT_WORDS = 4

NO_CHOICE, ALIAS, LEAF = -1, -2, -3
"""The roles of clauses: with operands; always an alias of the left operand; without operands."""
