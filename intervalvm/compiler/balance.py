"""Chains of ``min`` or ``max`` to balanced trees of the same operands, bit for bit.

``min`` is associative: it returns the last of the least operands, or NaN if there is one; so is
``max``. A region with one live operand has n decided choices in a chain of n, and log n in a tree.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from intervalvm.ops import CODE, ROWS
from intervalvm.tape import Tape
from intervalvm.tape.liveness import ARITY

ASSOCIATIVE = [code for code, op in enumerate(ROWS) if op.associates]
MOST_IN_A_TREE = 3
"""A shorter chain is a balanced tree."""


def balance(tape: Tape) -> Tape:
    """The tape with balanced chains of ``min`` or ``max``, their operands in order.

    A partial result with another user ends a chain.
    """
    left, right = tape.left.tolist(), tape.right.tolist()
    is_inner = _read_by_their_own_kind(tape)
    inner = is_inner.tolist()
    associative = np.isin(tape.codes, ASSOCIATIVE)
    heads = np.flatnonzero(associative & ~is_inner & (is_inner[tape.left] | is_inner[tape.right]))
    is_const = (tape.codes == CODE["const"]).tolist()
    chains: dict[int, list[int]] = {}
    dissolved: list[int] = []
    for i in heads.tolist():
        operands, between = _chain(i, inner, left, right)
        # two constants would make a clause that is not folded
        meets = any(is_const[a] and is_const[b] for a, b in pairwise(operands))
        if len(operands) > MOST_IN_A_TREE and not meets:
            chains[i] = operands
            dissolved += between
    if not chains:
        return tape
    # a chain's clauses are moved to its last one
    width = np.ones(len(tape), np.int64)
    width[dissolved] = 0
    width[list(chains)] = [len(chain) - 1 for chain in chains.values()]
    source = np.repeat(np.arange(len(tape)), width)
    place = np.cumsum(width) - 1
    arity = ARITY[tape.codes[source]]
    new_left = np.where(arity > 0, place[tape.left[source]], tape.left[source]).tolist()
    new_right = np.where(arity > 1, place[tape.right[source]], tape.right[source]).tolist()
    where = place.tolist()
    for i, chain in chains.items():
        row, at = [where[operand] for operand in chain], where[i] - len(chain) + 2
        while len(row) > 1:
            pairs, odd = len(row) // 2, row[len(row) & ~1 :]
            new_left[at : at + pairs] = row[: 2 * pairs : 2]
            new_right[at : at + pairs] = row[1 : 2 * pairs : 2]
            row = [*range(at, at + pairs), *odd]
            at += pairs
    return Tape(
        tape.codes[source],
        new_left,
        new_right,
        tape.wide[source],
        tape.single[source],
        tape.variables,
    )


def _read_by_their_own_kind(tape: Tape) -> NDArray[np.bool_]:
    """The mask of ``min`` or ``max`` with a single user, of the same operation."""
    n, arity = len(tape), ARITY[tape.codes]
    reads, reader = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for operands, side in ((tape.left, 0), (tape.right, 1)):
        readers = np.flatnonzero(arity > side)
        reads += np.bincount(operands[readers], minlength=n)
        reader[operands[readers]] = readers
    once: NDArray[np.bool_] = (reads == 1) & (tape.codes[reader] == tape.codes)
    return once & np.isin(tape.codes, ASSOCIATIVE)


def _chain(
    head: int, inner: list[bool], left: list[int], right: list[int]
) -> tuple[list[int], list[int]]:
    """The operands of the chain that ends in ``head``, in order, and its other clauses."""
    operands, between, stack = [], [], [right[head], left[head]]
    while stack:
        i = stack.pop()
        if inner[i]:
            between.append(i)
            stack += (right[i], left[i])
        else:
            operands.append(i)
    return operands, between
