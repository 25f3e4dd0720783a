"""The table of identities for folding.

An identity is two terms in prefix form, ``add a (neg b)`` and ``sub a b``, for all values of its
letters:

=========  ====================================================================
a b c      any value
k l        a constant, perhaps with a condition
p          a value >= 0 and not -0: ``abs``, ``square``, ...
t          a value 1 or 0: ``not``, and ``and`` and ``or`` of such
=========  ====================================================================

Those of ``EXACT`` hold bit for bit, for every float: NaN (all are equivalent), infinity, both zeros
and subnormal numbers. Those of ``FAST`` hold for real numbers, and state what they break.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from intervalvm.compiler.passes import bits_of
from intervalvm.ops import CODE, OPS, ROWS
from intervalvm.ops.row import Values

LETTERS = "abcklpt"
Term = str | float | tuple[Any, ...]
"""A letter, a number, or the code of an operation and its operands."""


def term(text: str) -> Term:
    """The term written in prefix form."""
    words = re.findall(r"[()]|[^\s()]+", text)
    found, end = _read(words, 0)
    assert end == len(words), text
    return found


def _read(words: list[str], i: int) -> tuple[Term, int]:
    word = words[i]
    if word == "(":
        found, end = _read(words, i + 1)
        assert words[end] == ")", words
        return found, end + 1
    if word in OPS:
        operands, end = [], i + 1
        for _ in range(OPS[word].arity):
            operand, end = _read(words, end)
            operands.append(operand)
        return (CODE[word], *operands), end
    return (word if word in LETTERS else float(word)), i + 1


class Condition(IntEnum):
    """What a constant k of the left side must be."""

    ANY = 0
    ZERO = 1
    """k is 0 or -0"""
    NOT_ZERO = 2
    """k is not 0, and may be NaN"""
    EXACT_RECIPROCAL = 3
    """k and 1/k are powers of two"""
    RECIPROCAL = 4
    """1/k is a normal number"""


NEEDS = {
    Condition.ANY: "",
    Condition.ZERO: "k is 0 or -0",
    Condition.NOT_ZERO: "k is not 0, and may be NaN",
    Condition.EXACT_RECIPROCAL: "k and 1/k are powers of two",
    Condition.RECIPROCAL: "1/k is a normal number",
}
"""Conditions in words."""


def holds(condition: int, k: float, least: float, most: float) -> bool:
    """Whether a constant meets a condition; normal numbers are from ``least`` to ``most``."""
    if condition == ANY:
        return True
    if condition == ZERO or k == 0.0:
        return (condition == ZERO) == (k == 0.0)
    if condition == NOT_ZERO:
        return True
    inverse = abs(1.0 / k)
    if condition == RECIPROCAL:
        return least <= inverse <= most
    return is_power_of_two(k) and inverse <= most


def is_power_of_two(k: float) -> bool:
    """Whether the size of a finite number is one, also of a subnormal number."""
    exponent, fraction = (bits_of(k) >> 52) & 0x7FF, bits_of(k) & 0xFFFFFFFFFFFFF
    if exponent == 0:
        return fraction != 0 and fraction & (fraction - 1) == 0
    return exponent != 0x7FF and fraction == 0


# enumerations mean nothing to what compiles ``holds``
ANY, ZERO, NOT_ZERO, EXACT_RECIPROCAL, RECIPROCAL = map(int, Condition)


@dataclass(frozen=True)
class Identity:
    """``left`` is ``right``, if the constant k of ``left`` meets the condition.

    ``breaks`` says where the two differ, if anywhere.
    """

    left: str
    right: str
    condition: Condition = Condition.ANY
    breaks: str = ""

    @property
    def needs(self) -> str:
        """The condition in words."""
        return NEEDS[self.condition]


WHOLE = tuple(op.name for op in ROWS if op.is_whole)
"""Operations whose values are whole numbers, infinite or NaN."""
NOT_NEGATIVE = frozenset(
    CODE[op.name] for op in ROWS if op.values in (Values.NOT_NEGATIVE, Values.TRUTH)
)
"""Operations whose values are >= 0 and not -0."""

EXACT = (
    Identity("copy a", "a"),
    Identity("neg (neg a)", "a"),
    Identity("abs (neg a)", "abs a"),
    Identity("abs p", "p"),
    Identity("square (neg a)", "square a"),
    Identity("square (abs a)", "square a"),
    *(
        Identity(f"{rounding} ({whole} {'a b'[: 2 * OPS[whole].arity - 1]})",
                 f"{whole} {'a b'[: 2 * OPS[whole].arity - 1]}")
        for rounding in ("floor", "ceil", "round")
        for whole in WHOLE
    ),
    Identity("not (neg a)", "not a"),
    Identity("not (abs a)", "not a"),
    Identity("not (not t)", "t"),
    Identity("add a -0", "a"),
    Identity("add -0 a", "a"),
    Identity("add p 0", "p"),
    Identity("add 0 p", "p"),
    Identity("add a (neg b)", "sub a b"),
    Identity("add (neg a) b", "sub b a"),
    Identity("sub a 0", "a"),
    Identity("sub -0 a", "neg a"),
    Identity("sub a (neg b)", "add a b"),
    Identity("sub (neg a) k", "sub (neg k) a"),
    Identity("mul a a", "square a"),
    Identity("mul a 1", "a"),
    Identity("mul 1 a", "a"),
    Identity("mul a -1", "neg a"),
    Identity("mul -1 a", "neg a"),
    Identity("mul (neg a) (neg b)", "mul a b"),
    Identity("mul (neg a) k", "mul a (neg k)"),
    Identity("mul k (neg a)", "mul (neg k) a"),
    Identity("div a k", "mul a (recip k)", Condition.EXACT_RECIPROCAL),
    Identity("div 1 a", "recip a"),
    Identity("div (neg a) (neg b)", "div a b"),
    Identity("div (neg a) k", "div a (neg k)"),
    Identity("div k (neg a)", "div (neg k) a"),
    Identity("mod a (neg b)", "mod a b"),
    Identity("mod a (abs b)", "mod a b"),
    Identity("compare (neg a) (neg b)", "compare b a"),
    *(
        identity
        for op, end in (("min", "inf"), ("max", "-inf"))
        for identity in (
            Identity(f"{op} a a", "a"),
            Identity(f"{op} a {end}", "a"),
            Identity(f"{op} {end} a", "a"),
            # on a tie the right operand is taken, which rules out (min a b) beside a
            Identity(f"{op} a ({op} a b)", f"{op} a b"),
            Identity(f"{op} b ({op} a b)", f"{op} a b"),
            Identity(f"{op} ({op} a b) b", f"{op} a b"),
        )
    ),
    Identity("and a a", "a"),
    Identity("and k a", "k", Condition.ZERO),
    Identity("and k a", "a", Condition.NOT_ZERO),
    Identity("or a a", "a"),
    Identity("or k a", "a", Condition.ZERO),
    Identity("or k a", "k", Condition.NOT_ZERO),
)  # fmt: skip
"""Identities of floats."""

_INFINITE = "where a is infinite or NaN the value was NaN"
_ZERO = "the sign of a zero"
_LAST_BITS = "last bits of the largest term; what overflows on the way"

FAST = (
    Identity("add a 0", "a", breaks="-0 + 0 was 0"),
    Identity("add 0 a", "a", breaks="0 + -0 was 0"),
    Identity("sub 0 a", "neg a", breaks="0 - 0 was 0, not -0"),
    Identity("neg (sub a b)", "sub b a", breaks="-(a - a) was -0"),
    Identity("sub a a", "0", breaks=_INFINITE),
    Identity("mul a 0", "0", breaks=f"{_INFINITE}; {_ZERO}"),
    Identity("mul 0 a", "0", breaks=f"{_INFINITE}; {_ZERO}"),
    Identity("div a a", "1", breaks=f"{_INFINITE}; 0 / 0 was NaN"),
    Identity("div a k", "mul a (recip k)", Condition.RECIPROCAL, breaks="last bits"),
    Identity("add k a", "add a k", breaks=""),
    Identity("mul k a", "mul a k", breaks=""),
    Identity("add (add a k) l", "add a (add k l)", breaks=_LAST_BITS),
    Identity("add (sub a k) l", "add a (sub l k)", breaks=_LAST_BITS),
    Identity("add (sub k a) l", "sub (add k l) a", breaks=_LAST_BITS),
    Identity("sub (add a k) l", "add a (sub k l)", breaks=_LAST_BITS),
    Identity("sub (sub a k) l", "sub a (add k l)", breaks=_LAST_BITS),
    Identity("sub (sub k a) l", "sub (sub k l) a", breaks=_LAST_BITS),
    Identity("sub l (add a k)", "sub (sub l k) a", breaks=_LAST_BITS),
    Identity("sub l (sub a k)", "sub (add l k) a", breaks=_LAST_BITS),
    Identity("sub l (sub k a)", "add a (sub l k)", breaks=_LAST_BITS),
    Identity("mul (mul a k) l", "mul a (mul k l)", breaks=_LAST_BITS),
    Identity("add (mul a b) (mul a c)", "mul a (add b c)", breaks=_LAST_BITS),
    Identity("sqrt (square a)", "abs a", breaks=_LAST_BITS),
    Identity("square (sqrt a)", "a", breaks="last bits; below 0 the value was NaN"),
    Identity("exp (ln a)", "a", breaks="last bits; below 0 the value was NaN"),
    Identity("ln (exp a)", "a", breaks=_LAST_BITS),
)
"""Identities of real numbers, used with ``fast`` after the exact ones."""
