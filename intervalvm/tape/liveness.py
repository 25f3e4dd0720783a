"""Liveness: where each value is read for the last time, and how many are alive at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intervalvm.ops import ROWS
from intervalvm.tape import Tape

ARITY = np.array([op.arity for op in ROWS], np.uint8)


def last_use(tape: Tape) -> NDArray[np.int64]:
    """For each clause, the index of the last clause that reads it.

    A clause that nobody reads is last used by itself; the root by the end of the tape, n.
    """
    n = len(tape)
    last = np.arange(n)
    arity = ARITY[tape.codes]
    for operand, wanted in ((tape.left, arity >= 1), (tape.right, arity >= 2)):
        reader = np.flatnonzero(wanted)
        np.maximum.at(last, operand[reader], reader)
    last[n - 1] = n
    return last


def dying(tape: Tape) -> list[list[int]]:
    """For each clause, the clauses whose values nobody reads after it."""
    dead: list[list[int]] = [[] for _ in range(len(tape) + 1)]
    for i, last in enumerate(last_use(tape).tolist()):
        dead[last].append(i)
    return dead[:-1]


def peak_live(tape: Tape) -> int:
    """The most values that are alive at once in an evaluation that frees at the last use."""
    last = last_use(tape)
    alive = np.zeros(len(tape) + 2, np.int64)
    np.add.at(alive, np.arange(len(tape)), 1)
    # A value is still held while the clause that reads it last is computed.
    np.add.at(alive, last + 1, -1)
    return int(np.cumsum(alive).max())
