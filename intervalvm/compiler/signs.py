"""Predicates as a tape again, which is below 0 where they hold.

``a < b`` is ``a - b < 0``, which is 0 for equal floats only, and NaN if either is; for infinities,
and predicates of ``compare``, it is ``compare(a, b) < 0``. ``or`` is ``min`` and ``and`` is
``max``.

All functions are parts of a pass (see ``passes``).
"""

from __future__ import annotations

from typing import Any

from intervalvm.compiler.assembler import POOL, RECORDS, number, start
from intervalvm.compiler.nodes import CONST, LESS, NUMBER, OR, ORDER
from intervalvm.compiler.program import ARITIES
from intervalvm.compiler.resolve import ALWAYS, LIVE, ROOT, find_axes, find_needed
from intervalvm.compiler.thresholds import INF
from intervalvm.ops import CODE

NEG, COPY, SUB, COMPARE, MIN, MAX = (
    CODE[name] for name in ("neg", "copy", "sub", "compare", "min", "max")
)
OWN = 0xFFFFFFFF
"""The source of a clause that is not copied. One of a number has its place in the pool."""


def write_signs(w: Any) -> None:
    """The clauses of the tape, as records (code, left, right, source)."""
    start(w)
    if w.state[ROOT] < 0:
        constant(w, -1.0 if w.state[ROOT] == ALWAYS else 0.0)
        return
    find_axes(w)
    find_needed(w)
    written = 0
    for k in range(w.state[LIVE]):
        node = w.order[k]
        for i in range(written, w.clause[node] + 1):
            if w.is_needed[i]:
                copy_clause(w, i)
        written = max(written, w.clause[node] + 1)
        if w.kind[node] == LESS:
            w.place_of[node] = difference(w, node)
        else:
            a = w.place_of[w.stands_for[w.first[node]]]
            b = w.place_of[w.stands_for[w.second[node]]]
            w.place_of[node] = clause(w, MIN if w.kind[node] == OR else MAX, a, b, OWN)
    root = w.place_of[w.state[ROOT]]
    if root != w.state[RECORDS] - 1:
        clause(w, COPY, root, 0, OWN)


def clause(w: Any, code: int, a: int, b: int, source: int) -> int:
    """Write a clause; returns its index."""
    i = w.state[RECORDS]
    w.records[4 * i], w.records[4 * i + 1] = code, a
    w.records[4 * i + 2], w.records[4 * i + 3] = b, source
    w.state[RECORDS] = i + 1
    return i


def copy_clause(w: Any, i: int) -> None:
    """Write a clause of the tape whose operands are written."""
    code = w.codes[i]
    a = w.places[w.left[i]] if ARITIES[code] > 0 else max(w.left[i], 0)  # that of a variable
    b = w.places[w.right[i]] if ARITIES[code] > 1 else 0
    w.places[i] = clause(w, code, a, b, i)


def constant(w: Any, value: float) -> int:
    """The clause of a number that is none of the tape's."""
    known = w.state[POOL]
    place = number(w, value, value)
    if place == known:
        w.spreads[place] = clause(w, CONST, place, 0, OWN)
    return w.spreads[place]


def difference(w: Any, node: int) -> int:
    """The clause that is below 0 where a comparison holds."""
    first, second, t = w.first[node], w.second[node], w.t_low[node]
    if second == NUMBER and t == 0.0:
        return w.places[first]
    if first == NUMBER and t == 0.0:
        return clause(w, NEG, w.places[second], 0, OWN)
    a = constant(w, t) if first == NUMBER else w.places[first]
    b = constant(w, t) if second == NUMBER else w.places[second]
    # inf - inf is NaN, where they compare equal
    is_between = first != NUMBER and second != NUMBER
    is_finite = is_between or -INF < t < INF
    is_order = w.pushes[w.codes[w.clause[node]]] == ORDER
    return clause(w, SUB if is_finite and not is_order else COMPARE, a, b, OWN)
