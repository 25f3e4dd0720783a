"""Clauses of constants to constants, with enclosures where an arithmetic has no single number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from intervalvm.compiler.passes import Table
from intervalvm.evaluate.arithmetic import Arithmetic, Floats
from intervalvm.ops import CODE, ROWS
from intervalvm.tape import NONE
from intervalvm.tape.liveness import ARITY

CONST = CODE["const"]


def enclosed(table: Table, arithmetic: Arithmetic) -> Table:
    """The table in which every clause of constants is one.

    Folding has left none of the float program, and few of the real function: a sum that is no
    float64, or what may be undefined.
    """
    if isinstance(arithmetic, Floats):
        return table
    codes, left, right = table.codes, table.left, table.right
    is_const, arity = codes == CONST, ARITY[codes]
    if not ((arity > 0) & is_const[left] & ((arity == 1) | is_const[right])).any():
        return table
    known: dict[int, Any] = {}
    constant = is_const.tolist()
    with np.errstate(all="ignore"):
        for i in np.flatnonzero(arity > 0).tolist():
            operands = (int(left[i]), int(right[i]))[: arity[i]]
            if all(constant[operand] for operand in operands):
                for operand in operands:
                    if operand not in known:
                        known[operand] = arithmetic.given(table.low[operand])
                constant[i] = True
                known[i] = arithmetic.applied(ROWS[codes[i]].name, [known[o] for o in operands])
    codes, left, right = codes.copy(), left.copy(), right.copy()
    low, high = table.low.copy(), table.high.copy()
    for i, number in known.items():
        codes[i], left[i], right[i] = CONST, NONE, NONE
        low[i], high[i] = arithmetic.ends(number)
    return replace(table, codes=codes, left=left, right=right, low=low, high=high)
