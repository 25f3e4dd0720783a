"""Shorten a tape by the choices of an interval evaluation, its trace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intervalvm.ops import ROWS
from intervalvm.ops.row import Demand
from intervalvm.tape import Tape, select
from intervalvm.tape.liveness import ARITY


@dataclass(frozen=True)
class Trace:
    """The choices of one interval evaluation over some regions.

    Bit k of ``left_only[i]`` is set if in region k only the left operand of clause i can matter;
    ``right_only`` likewise. The masks are disjoint, and 0 without a choice.
    """

    left_only: list[int]
    right_only: list[int]

    def __and__(self, other: Trace) -> Trace:
        """The common choices."""
        left, right = (
            [a & b for a, b in zip(*sides, strict=True)]
            for sides in (
                (self.left_only, other.left_only), (self.right_only, other.right_only)
            )
        )  # fmt: skip
        return Trace(left, right)

    def __str__(self) -> str:
        decided = sum(
            1 for masks in zip(self.left_only, self.right_only, strict=True) if any(masks)
        )
        return f"{decided} choices decided in some region"


def simplify(tape: Tape, trace: Trace, region: int = 0) -> Tape:
    """The tape of region ``region``: decided choices are aliases, dead clauses are removed.

    Its value has the same bits at every point of the region of the trace. Free variables stay
    declared, even if unused.
    """
    n = len(tape)
    alias = np.arange(n)
    kept = np.zeros(n, bool)
    left, right = tape.left.tolist(), tape.right.tolist()
    for i, code in enumerate(tape.codes.tolist()):
        if ROWS[code].name == "copy" or trace.left_only[i] >> region & 1:
            alias[i] = alias[left[i]]
        elif trace.right_only[i] >> region & 1:
            alias[i] = alias[right[i]]
    kept[alias[n - 1]] = True
    for i in range(int(alias[n - 1]), -1, -1):  # backwards: readers are met before what they read
        if kept[i]:
            for operand in tape.operands(i):
                kept[alias[operand]] = True
    return select(tape, kept, alias)


def sign_demanded(tape: Tape) -> NDArray[np.bool_]:
    """The mask of clauses of which only the sign is demanded.

    That is the root, and the operands of such a ``min`` or ``max`` with a single user, since
    ``min(a, b) < 0`` is ``a < 0 or b < 0``.
    """
    demanded = np.ones(len(tape), bool)
    is_choice = HAS_SIGN[tape.codes]
    for operands, least in ((tape.left, 1), (tape.right, 2)):
        demanded[operands[~is_choice & (ARITY[tape.codes] >= least)]] = False
    for i in np.flatnonzero(is_choice)[::-1].tolist():
        if not demanded[i]:
            demanded[tape.left[i]] = demanded[tape.right[i]] = False
    return demanded


HAS_SIGN = np.array([op.demand in (Demand.LESSER, Demand.GREATER) for op in ROWS])
"""By code, whether the sign of the result is a choice of the signs of both operands."""
