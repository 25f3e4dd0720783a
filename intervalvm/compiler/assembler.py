"""Writes the records of a program: of all clauses of a tape, or of what its predicates need.

All functions are parts of a pass (see ``passes``). An operand is a kind (``K``, ``X``, ``Y`` or
``F``, see ``program``) and a place.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from intervalvm.compiler import absorption, resolve
from intervalvm.compiler.absorption import find_absorbing
from intervalvm.compiler.nodes import (
    ADD,
    CONST,
    IS_DIFFERENCE,
    LENGTH,
    LESS,
    NUMBER,
    OR,
    SYSTEM,
)
from intervalvm.compiler.passes import bits_of, hash_of
from intervalvm.compiler.program import (
    ABSORBS,
    AND_TRUTHS,
    ARITIES,
    COMPARE,
    CONSTANT_CHOICE,
    INPUTS,
    MISSING,
    OR_TRUTHS,
    SPREAD,
    SUM_LESS,
    F,
    K,
    X,
    Y,
    word_at,
)
from intervalvm.compiler.resolve import (
    ALWAYS,
    INPUTS_ARE,
    LIVE,
    ROOT,
    TERMS,
    VALUES,
    VAR_X,
    find_axes,
    find_needed,
)
from intervalvm.compiler.thresholds import INF, REAL, SINGLE, next_float
from intervalvm.ops import CODE

NEG, COPY = CODE["neg"], CODE["copy"]
(
    IS_SINGLE,  # whether points are float32
    POOL_MASK,  # the length of ``pooled`` less 1
    RECORDS, POOL,  # how many there are
    RESULT,  # its place
    STATE_WORDS,
) = range(resolve.STATE_WORDS, resolve.STATE_WORDS + 6)  # fmt: skip
FIELDS = absorption.FIELDS | {
    "words": "int64",  # ``program.first_words``
    # by clause, once written: its operand; by node: its place
    "kinds": "int32", "places": "int32", "place_of": "int32",
    "records": "uint32",  # four words a record
    "spreads": "int32", "negatives": "int32",  # by place: records made of it, or 0
    # constants, and their places + 1 by the hash of their bits
    "pool_low": "float64", "pool_high": "float64", "pooled": "int32",
}  # fmt: skip


def write_value(w: Any) -> None:
    """The records of all clauses, and the value of the last."""
    start(w)
    find_absorbing(w)
    for i in range(w.state[LENGTH]):
        write_clause(w, i)
    last = w.state[LENGTH] - 1
    w.state[RESULT] = full(w, w.kinds[last], w.places[last])


def write_truth(w: Any) -> None:
    """The records of what the live nodes need, and the truth of the root."""
    start(w)
    if w.state[ROOT] < 0:  # x is finite, so it is always between the infinities
        limit = INF if w.state[ROOT] == ALWAYS else -INF
        kind, place = axis(w, 0)
        w.state[RESULT] = less(w, kind, place, K, number(w, limit, limit))
        return
    find_absorbing(w)
    find_axes(w)
    find_needed(w)
    written = 0
    for k in range(w.state[LIVE]):
        node = w.order[k]
        # a predicate reads its own clause and earlier ones
        for i in range(written, w.clause[node] + 1):
            if w.is_needed[i]:
                write_clause(w, i)
        written = max(written, w.clause[node] + 1)
        if w.kind[node] == LESS:
            w.place_of[node] = write_comparison(w, node)
        else:
            a = w.place_of[w.stands_for[w.first[node]]]
            b = w.place_of[w.stands_for[w.second[node]]]
            code = OR_TRUTHS if w.kind[node] == OR else AND_TRUTHS
            w.place_of[node] = record(w, w.words[word_at(code, K, K)], a, b, 0)
    w.state[RESULT] = w.place_of[w.state[ROOT]]


# --- clauses and comparisons ----------------------------------------------------------------------


def write_clause(w: Any, i: int) -> None:
    """Write the record of a clause whose operands are written."""
    code = w.codes[i]
    arity = ARITIES[code]
    if code == CONST:
        kind, place = K, constant(w, w.low[i], 0, w.high[i], 1)
    elif arity == 0:
        kind, place = axis(w, code - VAR_X)
    else:
        a = w.left[i]
        b = w.right[i] if arity > 1 else a
        other, second = (w.kinds[b], w.places[b]) if arity > 1 else (K, 0)
        kind, place = operation(w, code, w.kinds[a], w.places[a], other, second, w.absorbs[i])
    w.kinds[i], w.places[i] = kind, place


def write_comparison(w: Any, node: int) -> int:
    """The place of a comparison's truth."""
    first, second = w.first[node], w.second[node]
    t = 0
    if first == NUMBER or second == NUMBER:
        up = 0 if first == NUMBER else 1
        t = constant(w, w.t_low[node], up, w.t_high[node], up)
    if w.x_term[node] == NUMBER:
        kind, place = (K, t) if first == NUMBER else (w.kinds[first], w.places[first])
        other, b = (K, t) if second == NUMBER else (w.kinds[second], w.places[second])
        return less(w, kind, place, other, b)
    value = second if first == NUMBER else first
    x, y = w.places[w.x_term[node]], w.places[w.y_term[node]]
    if w.traits[w.codes[value]] & IS_DIFFERENCE:
        # x - y is x + -y and y - x is -x + y, bit for bit
        if w.left[value] == w.x_term[node]:
            y = negative(w, Y, y)
        else:
            x = negative(w, X, x)
    if first == NUMBER:
        return record(w, w.words[word_at(SUM_LESS, K, X)], t, x, y)
    return record(w, w.words[word_at(SUM_LESS, X, Y)], x, y, t)


def constant(w: Any, low: float, low_up: int, high: float, high_up: int) -> int:
    """The place of a number whose ends are rounded to the points' dtype, upwards or downwards."""
    system, is_single = w.state[SYSTEM], w.state[IS_SINGLE]
    low = rounded(system, is_single, low, low_up)
    return number(w, low, rounded(system, is_single, high, high_up))


def rounded(system: int, is_single: int, v: float, up: int) -> float:
    """A number of a program: of the real function it is rounded to the points' dtype.

    A float is below a number if it is below the number rounded up; likewise above one.
    """
    if system != REAL or not is_single:
        return v
    near = float(np.float32(v))
    if (near < v) if up else (near > v):
        near = next_float(SINGLE, near, up)
    return near


# --- records --------------------------------------------------------------------------------------


def start(w: Any) -> None:
    w.state[RECORDS], w.state[POOL] = 0, 0
    for place in range(INPUTS):
        w.spreads[place], w.negatives[place] = 0, 0


def record(w: Any, word: int, a: int, b: int, third: int) -> int:
    """Write a record; returns its place."""
    at = 4 * w.state[RECORDS]
    w.records[at], w.records[at + 1], w.records[at + 2], w.records[at + 3] = word, a, b, third
    place = w.state[RECORDS] + INPUTS
    w.spreads[place], w.negatives[place] = 0, 0
    w.state[RECORDS] += 1
    return place


def number(w: Any, low: float, high: float) -> int:
    """The place of a constant in the pool; both zeros have one, and all NaN are the same."""
    if low != low:
        low = high = math.nan
    mask = w.state[POOL_MASK]
    slot = hash_of(bits_of(low) ^ bits_of(high) >> 1) & mask
    while w.pooled[slot] != 0:
        place = w.pooled[slot] - 1
        same_low = bits_of(w.pool_low[place]) == bits_of(low)
        if same_low and bits_of(w.pool_high[place]) == bits_of(high):
            return place
        slot = (slot + 1) & mask
    place = w.state[POOL]
    w.pool_low[place], w.pool_high[place] = low, high
    w.pooled[slot] = place + 1
    w.state[POOL] = place + 1
    return place


def axis(w: Any, place: int) -> tuple[int, int]:
    """x, y or z as an operand."""
    if w.state[INPUTS_ARE] == VALUES:
        return F, place
    kind = X if place == 0 else Y
    return (kind, place) if w.state[INPUTS_ARE] == TERMS else (F, spread(w, kind, place))


def spread(w: Any, kind: int, place: int) -> int:
    """The place of an axis term as a value of kind f."""
    if w.spreads[place] == 0:
        w.spreads[place] = record(w, w.words[word_at(SPREAD, kind, K)], place, 0, 0)
    return w.spreads[place]


def negative(w: Any, kind: int, place: int) -> int:
    """The place of the negative of an axis term."""
    if w.negatives[place] == 0:
        word = w.words[word_at(NEG, kind, K)]
        w.negatives[place] = record(w, word, place, 0, 1 if kind == Y else 0)
    return w.negatives[place]


def full(w: Any, kind: int, place: int) -> int:
    """The place of any operand as a value of kind f that a record has written."""
    if kind == K:
        return record(w, w.words[word_at(COPY, K, K)], place, 0, 0)
    return place if kind == F else spread(w, kind, place)


def wider(w: Any, kind: int, place: int) -> tuple[int, int]:
    """An operand of kind k or f."""
    return (kind, place) if kind in (K, F) else (F, spread(w, kind, place))


def operation(
    w: Any, code: int, kind: int, a: int, other: int, b: int, absorbs: int
) -> tuple[int, int]:
    """Write the record of an operation, after those that its operands need; returns its operand.

    One operand is followed by (K, 0).
    """
    is_mixed = (kind == X and other == Y) or (kind == Y and other == X)
    if is_mixed and w.traits[code] & IS_DIFFERENCE:  # a - b is a + -b, bit for bit
        code, b = ADD, negative(w, other, b)
    if w.words[word_at(code, kind, other)] == MISSING:
        kind, a = wider(w, kind, a)
        if ARITIES[code] > 1:
            other, b = wider(w, other, b)
        if kind == K and other == K:
            kind, a = F, full(w, K, a)
    out = F
    if kind in (X, Y) and other in (kind, K):
        out = kind
    elif kind == K and other in (X, Y):
        out = other
    word = w.words[word_at(code, kind, other)]
    if absorbs and not is_mixed:  # an alias has the kind of its operand
        word |= ABSORBS | (CONSTANT_CHOICE if K in (kind, other) else 0)
    place = record(w, word, a, b, 1 if out == Y else 0)
    return out, place


def less(w: Any, kind: int, a: int, other: int, b: int) -> int:
    """The place of the truth of ``a < b``."""
    if w.words[word_at(COMPARE, kind, other)] == MISSING:
        if kind == K and other == K:
            kind, a = F, full(w, K, a)
        kind, a = wider(w, kind, a)
        other, b = wider(w, other, b)
    return record(w, w.words[word_at(COMPARE, kind, other)], a, b, 0)
