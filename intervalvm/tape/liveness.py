"""Liveness and dependencies: last uses, live sets, and inputs of clauses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from intervalvm.ops import AXES, CODE, ROWS
from intervalvm.tape import Tape

ARITY = np.array([op.arity for op in ROWS], np.uint8)


def last_use(tape: Tape) -> NDArray[np.int64]:
    """last_use[i] is the last clause that reads clause i; i if it is unused, n for the root."""
    n = len(tape)
    last = np.arange(n)
    arity = ARITY[tape.codes]
    for operand, wanted in ((tape.left, arity >= 1), (tape.right, arity >= 2)):
        reader = np.flatnonzero(wanted)
        np.maximum.at(last, operand[reader], reader)
    last[n - 1] = n
    return last


def dying(tape: Tape) -> list[list[int]]:
    """For each clause, the clauses that are dead after it."""
    dead: list[list[int]] = [[] for _ in range(len(tape) + 1)]
    for i, last in enumerate(last_use(tape).tolist()):
        dead[last].append(i)
    return dead[:-1]


def peak_live(tape: Tape) -> int:
    """The maximum number of live values."""
    last = last_use(tape)
    alive = np.zeros(len(tape) + 2, np.int64)
    np.add.at(alive, np.arange(len(tape)), 1)
    # a value is live while its last user is computed
    np.add.at(alive, last + 1, -1)
    return int(np.cumsum(alive).max())


def needed(tape: Tape, results: Iterable[int]) -> NDArray[np.bool_]:
    """The mask of the clauses that ``results`` depend on, themselves included."""
    found = [False] * len(tape)
    for result in results:
        found[result] = True
    left, right, arity = tape.left.tolist(), tape.right.tolist(), ARITY[tape.codes].tolist()
    for i in range(len(found) - 1, -1, -1):
        if found[i] and arity[i]:
            found[left[i]] = True
            if arity[i] == 2:
                found[right[i]] = True
    return np.array(found)


def dependencies(tape: Tape, axes: Sequence[int], free: Sequence[int] = ()) -> list[int]:
    """For each clause, a mask of the axes and free variables that it depends on."""
    bits = {CODE[op]: bit for op, bit in zip(AXES.values(), axes, strict=True)}
    variable = CODE["var"]
    found: list[int] = []
    rows = tape.codes.tolist(), tape.left.tolist(), tape.right.tolist(), ARITY[tape.codes].tolist()
    for code, left, right, arity in zip(*rows, strict=True):
        if arity:
            found.append(found[left] | (found[right] if arity == 2 else 0))
        else:
            found.append(free[left] if code == variable else bits.get(code, 0))
    return found
