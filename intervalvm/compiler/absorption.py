"""Which sums and differences may absorb an operand: where a walk asks for it at all.

``a + b`` is ``a`` in floats where b is too small to change it: a blend, whose terms are far from
each other in most places, has such sums, and others do not. To ask for it costs as much as a sum,
so it is asked for terms that may be small over whole regions: exponentials, which fall below any
last place, and what ``max(v, 0)`` is a factor of, which is 0 where v is negative.

The rule of the operation takes a 0 for +0 (see ``Op.absorption``), so it is asked only where no
operand that matters is -0. All functions are parts of a pass (see ``passes``).
"""

from __future__ import annotations

from typing import Any

from intervalvm.compiler.nodes import ADD, CONST, IS_NOT_NEGATIVE, LENGTH, SYSTEM
from intervalvm.compiler.passes import bits_of
from intervalvm.compiler.program import ARITIES
from intervalvm.compiler.thresholds import REAL
from intervalvm.ops import CODE

COPY, NEG, ABS, SQUARE, SQRT, RECIP, EXP, SUB, MUL, DIV, MIN, MAX = (
    CODE[name]
    for name in (
        *("copy", "neg", "abs", "square", "sqrt", "recip", "exp"),
        *("sub", "mul", "div", "min", "max"),
    )
)
POSITIVE, SIGNED, SMALL = 1, 2, 4
"""What is known of a value: NaN, or >= 0 and not -0; not -0; it may be small in whole regions.

``POSITIVE`` never comes without ``SIGNED``."""
FIELDS = {"facts": "int32", "absorbs": "uint8"}
"""By clause: what is known, and whether an operand may be absorbed."""


def find_absorbing(w: Any) -> None:
    """Find the sums and differences to ask; of the real function none is."""
    for i in range(w.state[LENGTH]):
        w.facts[i] = facts_of(w, i)
        w.absorbs[i] = 0
        if w.state[SYSTEM] != REAL and w.codes[i] in (ADD, SUB):
            a, b = w.facts[w.left[i]], w.facts[w.right[i]]
            if w.codes[i] == ADD:
                w.absorbs[i] = 1 if a & b & SIGNED and (a | b) & SMALL else 0
            else:
                w.absorbs[i] = 1 if b & SIGNED and b & SMALL else 0


def facts_of(w: Any, i: int) -> int:
    """What is known of a clause, from its operands' facts."""
    code = w.codes[i]
    arity = ARITIES[code]
    if code == CONST:
        number = w.low[i]
        if number > 0.0 or bits_of(number) == 0:
            return POSITIVE | SIGNED
        return SIGNED if number != 0.0 else 0
    if arity == 0:
        return 0
    a = w.facts[w.left[i]]
    if arity == 1:
        return of_one(w, code, a)
    return of_two(w, i, a, w.facts[w.right[i]])


def of_one(w: Any, code: int, a: int) -> int:
    found = 0
    if code in (COPY, NEG, ABS, SQUARE, SQRT):
        found = a & SMALL
    if w.traits[code] & IS_NOT_NEGATIVE:
        found |= POSITIVE | SIGNED
    elif code in (COPY, SQRT):  # the root of -0 is -0
        found |= a & (POSITIVE | SIGNED)
    elif code == RECIP and a & POSITIVE:
        found |= POSITIVE | SIGNED
    return found | SMALL if code == EXP else found


def of_two(w: Any, i: int, a: int, b: int) -> int:
    code, left, right = w.codes[i], w.left[i], w.right[i]
    both = a & b
    if code == ADD:  # -0 is the sum of two -0 only
        return both & (POSITIVE | SMALL) | (a | b) & SIGNED
    if code == SUB:  # -0 is -0 - +0 only
        is_other = w.codes[right] == CONST and bits_of(w.low[right]) != 0
        return both & SMALL | (SIGNED if is_other else a & SIGNED)
    if code == MUL:
        found = (a | b) & SMALL
        return found | POSITIVE | SIGNED if both & POSITIVE or left == right else found
    if code == DIV:
        return a & SMALL | (POSITIVE | SIGNED if both & POSITIVE else 0)
    if code not in (MIN, MAX):
        return 0
    found = both
    if code == MAX and b & POSITIVE:  # a tie is the right operand
        found |= POSITIVE | SIGNED
    is_zero = w.codes[left] == CONST and w.low[left] == 0.0
    is_zero = is_zero or (w.codes[right] == CONST and w.low[right] == 0.0)
    return found | SMALL if is_zero else found
