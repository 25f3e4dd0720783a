"""Demand pushed down a tape: from ``v < 0`` of the root to comparisons near x and y.

A bitmap only demands ``v < 0`` of the root. This predicate is pushed down to operands:
``min(a, b) < t`` is ``a < t or b < t``, ``-a < t`` is ``a > -t``, ``a - b < 0`` is ``a < b``, and
``f(a) < t`` is ``a < t'`` for a nondecreasing f, where the threshold t' is the least float with
``f(t') >= t`` (see ``thresholds``). Every push is exact for every float. Comparisons with NaN are
false, but ``min`` propagates a NaN where ``or`` does not; so a clause that may be NaN keeps its
value.

Truths prune better than numbers: a true operand decides an ``or``, whatever the range of the other.

All functions are parts of a pass (see ``passes``); the predicates are ``nodes``.
"""

from __future__ import annotations

from typing import Any

from intervalvm.compiler.nodes import (
    ADD,
    AND,
    CHOICE,
    COMPARES,
    COMPARES_GREATER,
    COMPARES_STRICTLY,
    CONST,
    FROM_ZERO,
    INCREASING,
    IS_DIFFERENCE,
    IS_LESSER,
    IS_QUOTIENT,
    IS_TRUTH,
    JOINED,
    JOINS_TRUTHS,
    LENGTH,
    LITERAL,
    MOST,
    NAN_BELOW_ZERO,
    NEGATIVE,
    NODES,
    NOT,
    OR,
    ORDER,
    PRODUCT,
    PUSH_SAME,
    SAME,
    SUM,
    SYSTEM,
    UNKNOWN,
    answer,
    ask,
    become,
    decided,
    is_finite,
    known,
    less,
    literal,
)
from intervalvm.compiler.passes import MIX, bits_of, hash_of
from intervalvm.compiler.thresholds import INF, NONE, REAL, float_at, limits_of, next_float

MOST_SOUGHT = 64
"""Thresholds that are remembered, a power of 2: of prospero.vm's two thirds are asked again."""
SOUGHT = 6
"""Floats of each: the operation's number, t and the threshold, as pairs."""
FIELDS = {"sought_what": "int64", "sought": "float64", "sought_reach": "int64"}
"""Remembered thresholds: of which operation and direction, the numbers, and which v reach t."""


def find_predicates(w: Any) -> None:
    """Ask the root, ``v < 0`` of the last clause, then push down what is asked, in that order."""
    find_truths(w)
    w.state[NODES] = 0
    ask(w, w.state[LENGTH] - 1, 0, 0.0, 0.0)
    node = 0
    while node < w.state[NODES]:
        push(w, node)
        node += 1


def find_truths(w: Any) -> None:
    """The mask of clauses that are 1 or 0 at every point by their operations."""
    for i in range(w.state[LENGTH]):
        traits = w.traits[w.codes[i]]
        joins = traits & JOINS_TRUTHS and w.truth[w.left[i]] and w.truth[w.right[i]]
        w.truth[i] = 1 if traits & IS_TRUTH or joins else 0


# --- how a predicate is pushed through each operation ---------------------------------------------


def push(w: Any, node: int) -> None:
    """Push a predicate of a clause down to its operands, if that is exact."""
    clause = w.clause[node]
    code = w.codes[clause]
    how = w.pushes[code]
    if code == CONST:
        found = answer(w, node, w.low[clause], w.high[clause])
        if found == UNKNOWN:
            literal(w, node)
        else:
            known(w, node, found)
    elif how == LITERAL or w.state[NODES] > w.state[MOST]:
        literal(w, node)
    elif how == PUSH_SAME:
        asked = ask(w, w.left[clause], w.greater[node], w.t_low[node], w.t_high[node])
        become(w, node, SAME, asked, 0)
    elif how == NEGATIVE:
        asked = ask(w, w.left[clause], 1 - w.greater[node], -w.t_high[node], -w.t_low[node])
        become(w, node, SAME, asked, 0)
    elif how == CHOICE or (how == JOINED and w.truth[clause]):
        push_choice(w, node)  # of truths ``and`` is ``min``, and ``or`` is ``max``
    elif how == SUM:
        push_sum(w, node)
    elif how == PRODUCT:
        push_product(w, node)
    elif how == INCREASING:
        seek(w, node, code, w.left[clause], 0.0, 0.0, 0)
    elif how == NOT:
        push_not(w, node)
    elif how == ORDER:
        push_order(w, node)
    else:
        literal(w, node)


def push_choice(w: Any, node: int) -> None:
    clause, greater = w.clause[node], w.greater[node]
    left, right = w.left[clause], w.right[clause]
    is_lesser = 1 if w.traits[w.codes[clause]] & IS_LESSER else 0
    if is_lesser != greater:
        if w.maybe_nan[left] or w.maybe_nan[right]:
            literal(w, node)
            return
        kind = OR
    else:
        kind = AND
    a = ask(w, left, greater, w.t_low[node], w.t_high[node])
    b = ask(w, right, greater, w.t_low[node], w.t_high[node])
    become(w, node, kind, a, b)


def push_sum(w: Any, node: int) -> None:
    """a + b or a - b with a constant; ``a - b < 0`` is ``a < b``."""
    clause = w.clause[node]
    left, right = w.left[clause], w.right[clause]
    is_sub = w.traits[w.codes[clause]] & IS_DIFFERENCE
    if w.codes[left] == CONST or w.codes[right] == CONST:
        k, other = (left, right) if w.codes[left] == CONST else (right, left)
        low, high = w.low[k], w.high[k]
        if not is_finite(low, high):
            literal(w, node)
        elif is_sub and k == left:  # k - b is k + -b
            seek(w, node, ADD, other, low, high, 1)
        elif is_sub:
            seek(w, node, ADD, other, -high, -low, 0)
        else:
            seek(w, node, ADD, other, low, high, 0)
    elif is_sub and w.t_low[node] == 0.0 and w.t_high[node] == 0.0:
        less(w, node, left, right)
    else:
        literal(w, node)


def push_product(w: Any, node: int) -> None:
    clause = w.clause[node]
    code, left, right = w.codes[clause], w.left[clause], w.right[clause]
    k, other = (left, right) if w.codes[left] == CONST else (right, left)
    low, high = w.low[k], w.high[k]
    is_constant = w.codes[k] == CONST and is_finite(low, high) and (low > 0.0 or high < 0.0)
    if not is_constant or (w.traits[code] & IS_QUOTIENT and k == left):
        literal(w, node)
    elif low > 0.0:
        seek(w, node, code, other, low, high, 0)
    else:  # a * -k is -a * k
        seek(w, node, code, other, -high, -low, 1)


def push_not(w: Any, node: int) -> None:
    """1 or 0: whether the operand is 0, unless both compare alike."""
    one, zero = answer(w, node, 1.0, 1.0), answer(w, node, 0.0, 0.0)
    if one == UNKNOWN or zero == UNKNOWN:
        literal(w, node)
    elif one == zero:
        decided(w, node, one)
    else:
        push_is_zero(w, node, w.left[w.clause[node]], one)


def push_is_zero(w: Any, node: int, clause: int, wanted: int) -> None:
    """Whether a clause is 0; if not ``wanted``, whether it is not 0, NaN included."""
    while w.traits[w.codes[clause]] & IS_TRUTH:  # not(b) is 0 where b is anything else
        clause, wanted = w.left[clause], 1 - wanted
    if w.truth[clause]:
        t = 1.0 if wanted else 0.0
        become(w, node, SAME, ask(w, clause, 1 - wanted, t, t), 0)
        return
    traits, left, right = w.traits[w.codes[clause]], w.left[clause], w.right[clause]
    is_comparison = False
    if traits & COMPARES and w.codes[right] == CONST and w.pushes[w.codes[left]] == ORDER:
        number = 1.0 if traits & COMPARES_STRICTLY else 0.0
        is_comparison = w.low[right] == number and w.high[right] == number
    if not is_comparison or (not wanted and w.maybe_nan[left]):
        literal(w, node)
        return
    # compare is -1, 0 or 1: the sum with 1 is 0 where it is below 0, and so on
    is_over = 1 if traits & COMPARES_GREATER else 0
    is_strict = 1 if traits & COMPARES_STRICTLY else 0
    greater = 1 if is_over == wanted else 0
    side = -1.0 if greater else 1.0
    t = 0.0 if is_strict == wanted else side
    become(w, node, SAME, ask(w, left, greater, t, t), 0)


def push_order(w: Any, node: int) -> None:
    """-1, 0 or 1, so a comparison of the operands."""
    clause = w.clause[node]
    left, right = w.left[clause], w.right[clause]
    below, equal = answer(w, node, -1.0, -1.0), answer(w, node, 0.0, 0.0)
    above = answer(w, node, 1.0, 1.0)
    if below == UNKNOWN or equal == UNKNOWN or above == UNKNOWN:
        literal(w, node)
    elif below == equal and equal == above:
        decided(w, node, equal)
    elif w.codes[left] == CONST or w.codes[right] == CONST:
        # k below v is v above k
        k, other = (left, right) if w.codes[left] == CONST else (right, left)
        greater = w.greater[node] ^ (1 if other == right else 0)
        push_beside(w, node, other, greater, equal, w.low[k], w.high[k])
    elif equal:
        literal(w, node)
    else:
        less(w, node, left, right)


def push_beside(
    w: Any, node: int, clause: int, greater: int, equal: int, low: float, high: float
) -> None:
    """``v < t``, or also ``v = t`` if ``equal``: v below the next float; real numbers are dense."""
    if equal and is_finite(low, high):
        system = w.state[SYSTEM]
        low = high = INF if system == REAL else next_float(system, low, 1 - greater)
    if is_finite(low, high):
        become(w, node, SAME, ask(w, clause, greater, low, high), 0)
    else:
        literal(w, node)


# --- thresholds -----------------------------------------------------------------------------------


def seek(w: Any, node: int, code: int, operand: int, low: float, high: float, flip: int) -> None:
    """Push a predicate down to the operand, or to its negative if ``flip``, with its threshold.

    ``code`` is the operation, with the number (low, high) if it has two operands.
    """
    greater, traits = w.greater[node], w.traits[code]
    from_zero = 1 if traits & FROM_ZERO else 0
    low, high, reach = limits(w, node, code, low, high)
    if traits & NAN_BELOW_ZERO and not w.lower[operand] >= 0.0:
        push_from_zero(w, node, operand, low, high, reach)
    elif reach:
        decided(w, node, 1 if greater == (1 if reach > 0 else 0) else 0)
    elif from_zero and not traits & NAN_BELOW_ZERO:
        # by size: inside when |v| < t', outside when |v| > the one before
        a = ask(w, operand, greater, low, high)
        b = ask(w, operand, 1 - greater, -high, -low)
        become(w, node, OR if greater else AND, a, b)
    elif flip:
        become(w, node, SAME, ask(w, operand, 1 - greater, -high, -low), 0)
    else:
        become(w, node, SAME, ask(w, operand, greater, low, high), 0)


def limits(w: Any, node: int, code: int, low: float, high: float) -> tuple[float, float, int]:
    """``limits_of`` a node; the last few are known, since many clauses are alike."""
    greater, t_low, t_high = w.greater[node], w.t_low[node], w.t_high[node]
    what = 2 * code + greater
    at = hash_of(bits_of(low) ^ bits_of(t_low) * MIX ^ what) & (MOST_SOUGHT - 1)
    i = SOUGHT * at
    if (
        w.sought_what[at] == what
        and w.sought[i] == low
        and w.sought[i + 1] == high
        and w.sought[i + 2] == t_low
        and w.sought[i + 3] == t_high
    ):
        return w.sought[i + 4], w.sought[i + 5], w.sought_reach[at]
    from_zero = 1 if w.traits[code] & FROM_ZERO else 0
    found = limits_of(w.state[SYSTEM], code, from_zero, (low, high), (t_low, t_high), greater)
    w.sought_what[at], w.sought_reach[at] = what, found[2]
    w.sought[i], w.sought[i + 1], w.sought[i + 2], w.sought[i + 3] = low, high, t_low, t_high
    w.sought[i + 4], w.sought[i + 5] = found[0], found[1]
    return found


def push_from_zero(w: Any, node: int, operand: int, low: float, high: float, reach: int) -> None:
    """The value of a negative number is NaN, which compares false."""
    greater, before_zero = w.greater[node], -float_at(w.state[SYSTEM], 1)
    if reach == NONE and greater:
        known(w, node, 0)
    elif greater and not reach:
        become(w, node, SAME, ask(w, operand, 1, low, high), 0)
    else:
        above = ask(w, operand, 1, before_zero, before_zero)
        if reach == NONE or greater:
            become(w, node, SAME, above, 0)
        else:
            become(w, node, AND, ask(w, operand, 0, low, high), above)
