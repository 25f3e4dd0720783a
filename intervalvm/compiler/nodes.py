"""Nodes: the predicates of a tape's clauses, each once.

A node is ``v < t`` for the value of a clause, or ``v > t``. A number is a pair (low, high), equal
for floats; see ``thresholds``. Of real numbers ``v < t`` holds for ``v < low``, fails for
``v >= high``, and is unknown in between; ``v > t`` holds above ``high`` and fails up to ``low``.

All functions are parts of passes (see ``passes``).
"""

from __future__ import annotations

from typing import Any

from intervalvm.compiler.passes import bits_of, hash_of
from intervalvm.compiler.thresholds import INF, REAL
from intervalvm.ops import CODE

LESS, OR, AND, SAME, TRUE, FALSE = range(6)
"""The kinds of nodes: comparisons of two values, of two other nodes, another node, known truths."""
NUMBER = -1
"""The operand of a comparison that is the node's number t; others are clauses."""
YES, NO, UNKNOWN = 1, 0, -1
MOST_DEMANDS = 4
"""Pushdown limit, in nodes per clause: a clause with many thresholds is written once for each."""

LITERAL, PUSH_SAME, NEGATIVE, CHOICE, JOINED, SUM, PRODUCT, INCREASING, NOT, ORDER = range(10)
"""What pushes a predicate down through an operation, see ``demand.PUSHDOWN``."""
IS_TRUTH, JOINS_TRUTHS, IS_LESSER, IS_DIFFERENCE, IS_QUOTIENT, FROM_ZERO, NAN_BELOW_ZERO = (
    1 << bit for bit in range(7)
)
COMPARES, COMPARES_GREATER, COMPARES_STRICTLY = (1 << bit for bit in range(7, 10))
IS_NOT_NEGATIVE = 1 << 10
"""The traits of operations; those that compare are of ``COMPARISONS``."""
CONST, ADD = CODE["const"], CODE["add"]


(
    LENGTH,  # clauses
    SYSTEM,  # the number system, see ``thresholds``
    MOST,  # pushdown limit
    MASK,  # the length of ``asked`` less 1
    NODES,  # nodes
    STATE_WORDS,
) = range(6)  # fmt: skip
FIELDS = {
    "state": "int64",
    # by clause: the tape, its bounds, and whether it is a truth
    "codes": "uint8", "left": "int32", "right": "int32", "low": "float64", "high": "float64",
    "lower": "float64", "maybe_nan": "uint8", "truth": "uint8",
    # by operation
    "pushes": "int64", "traits": "int64",
    # by node: whether v < t of a clause, or v > t if greater; clauses or ``NUMBER`` as the operands
    # of a comparison, else nodes
    "kind": "uint8", "clause": "int32", "greater": "uint8", "t_low": "float64", "t_high": "float64",
    "first": "int32", "second": "int32",
    "asked": "int32",  # nodes + 1 by the hash of clause and number; 0 where there is none
}  # fmt: skip
"""The arrays of the pass."""


def ask(w: Any, clause: int, greater: int, low: float, high: float) -> int:
    """The node of ``v < t`` (``v > t`` if ``greater``) for the value of a clause."""
    # both zeros are one number
    mask = w.state[MASK]
    place = (hash_of(bits_of(low + 0.0)) ^ 2 * clause + greater) & mask
    while w.asked[place] != 0:
        node = w.asked[place] - 1
        if (
            w.clause[node] == clause
            and w.greater[node] == greater
            and w.t_low[node] == low
            and w.t_high[node] == high
        ):
            return node
        place = (place + 1) & mask
    node = w.state[NODES]
    w.state[NODES] = node + 1
    w.asked[place] = node + 1
    w.kind[node], w.first[node], w.second[node] = SAME, 0, 0
    w.clause[node], w.greater[node] = clause, greater
    w.t_low[node], w.t_high[node] = low, high
    return node


def become(w: Any, node: int, kind: int, first: int, second: int) -> None:
    w.kind[node], w.first[node], w.second[node] = kind, first, second


def known(w: Any, node: int, truth: int) -> None:
    become(w, node, TRUE if truth else FALSE, 0, 0)


def literal(w: Any, node: int) -> None:
    """Keep the predicate as a comparison of the clause's value."""
    less(w, node, w.clause[node], NUMBER)


def less(w: Any, node: int, left: int, right: int) -> None:
    """``left < right``, or the other way round if the node asks for greater values."""
    if w.greater[node]:
        become(w, node, LESS, right, left)
    else:
        become(w, node, LESS, left, right)


def decided(w: Any, node: int, truth: int) -> None:
    """A predicate that does not depend on the operand, except for NaN, which is false."""
    if truth and w.maybe_nan[w.clause[node]]:
        literal(w, node)
    else:
        known(w, node, truth)


# --- numbers ------------------------------------------------------------------------------------


def is_finite(low: float, high: float) -> bool:
    return low > -INF and high < INF


def answer(w: Any, node: int, low: float, high: float) -> int:
    """The answer of a node for a number instead of its clause's value."""
    t_low, t_high = w.t_low[node], w.t_high[node]
    if w.greater[node]:
        low, high, t_low, t_high = -high, -low, -t_high, -t_low
    if high < t_low:
        return YES
    if w.state[SYSTEM] == REAL and (low < t_high or low != low):
        return UNKNOWN  # NaN: it may be undefined
    return NO
